//! A FIFO lock whose waiters spin up to a threshold and then halt: its rate is its spin budget.
//!
//! # Derivation
//!
//! As for a lock that spins, a vCPU that has had the lock queues behind all others. It spins for the threshold, halts and so gives
//! its pCPU to another vCPU; when the lock is granted to it, it is kicked, runs, has its short section and spins again. Each
//! acquisition thus costs one threshold of spinning on some pCPU, and P pCPUs can pay for P of them at a time: P / threshold a
//! second, whatever k is. The vCPU that is granted the lock runs as soon as one of the spinning ones halts, so no timeslice goes by.
//!
//! # Where it fails
//!
//! - Under 2^10 loops a wake-up takes longer than the spinning that it saves.
//! - With at most one vCPU more than pCPUs a waiter sleeps alone: nobody spins behind it, and the others have the lock and the
//!   pCPUs to themselves (8.8 M/s with two vCPUs on one pCPU).
//! - With a threshold longer than a timeslice waiters are preempted before they halt.
//! - Where a request, or a switch from one vCPU to the next, is not short beside the threshold: an acquisition then costs a pCPU more
//!   than the threshold. The kernel's switches are short beside 2^10 loops; those of the emulated hypervisor need not be.

/// Between which ratios of measured to predicted rate the law has been seen to hold.
pub const BAND: [f64; 2] = [0.65, 1.45];

/// Below this number of loops wake-ups decide.
pub const FEWEST_SPINS: u64 = 1 << 10;

/// Acquisitions per second on `pcpus` pCPUs with a spin threshold of `threshold_ns`.
pub fn acquisitions_per_second(pcpus: u32, threshold_ns: f64) -> Option<f64> {
    let rate = f64::from(pcpus) * 1e9 / threshold_ns;
    (pcpus > 0 && threshold_ns > 0.0 && rate.is_finite()).then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Measured on two pCPUs at 2x, where a loop took 24.6 ns.
    #[test]
    fn it_foretells_the_rates_by_threshold() {
        for (exponent, predicted, measured) in [
            (15, 2_481.0, 2_483.0),
            (14, 4_962.0, 4_897.0),
            (13, 9_924.0, 9_869.0),
            (12, 19_849.0, 21_615.0),
            (11, 39_698.0, 41_731.0),
        ] {
            let threshold_ns = f64::from(1_u32 << exponent) * 24.6;
            let rate = acquisitions_per_second(2, threshold_ns).unwrap();
            assert!((rate / predicted - 1.0).abs() < 0.001, "2^{exponent}: {rate} against {predicted}");
            assert!((0.98..1.1).contains(&(measured / rate)), "2^{exponent}");
        }
    }

    #[test]
    fn on_one_pcpu_it_is_half_whatever_the_overcommit() {
        let rate = acquisitions_per_second(1, f64::from(1 << 15) * 24.6).unwrap();
        for measured in [1_231.0, 1_221.0] {
            assert!((measured / rate - 1.0).abs() < 0.02, "{measured} against {rate}");
        }
        assert_eq!(acquisitions_per_second(2, 0.0), None);
        assert_eq!(acquisitions_per_second(0, 1.0), None);
    }
}
