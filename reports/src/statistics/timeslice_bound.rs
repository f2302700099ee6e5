//! Overcommitted cells whose rate is set by the timeslice, so that it does not matter how far apart the pCPUs are.
//!
//! A first-come lock under overcommit is handed over about once a timeslice: a few hundred acquisitions a second, of which each
//! passes a line between pCPUs a few times. On the machine of docs/nightly.md, whose host moved the pCPUs from 61 ns to 330 ns
//! apart during one run, such rates did not follow (ticket, mcs, queued, pv-ticket at 2x: correlation 0.0 in the median), while
//! locks that let a running vCPU overtake did (tas at 2x, 4.8 million a second: correlation -0.99, half the rate). So overcommit
//! alone is not enough: what decides is how much of an acquisition's time its round trips can be.

use super::{Trips, median};

/// A round trip of the farthest pair may take at most this part of the time of an acquisition. An acquisition passes lines a few
/// times; a move of the pCPUs then changes the rate by a few percent at most, below any margin.
const PART: f64 = 0.01;

/// Whether a round trip is negligible beside the time of an acquisition, in the medians over some windows of an overcommitted
/// cell. True where no round trip was timed.
pub fn timeslice_bound<'a>(rates: &[f64], trips: impl Iterator<Item = &'a Trips>) -> bool {
    let farthest_ns = Trips::medians(trips).iter().map(|(_, ns)| ns).fold(0.0, f64::max);
    median(rates).unwrap_or(0.0) * farthest_ns / 1e9 <= PART
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(rate: f64, ns: f64) -> bool {
        timeslice_bound(&[rate; 6], [Trips::first(Some(ns)), Trips::first(Some(ns))].iter())
    }

    #[test]
    fn a_handover_a_timeslice_is_and_a_lock_that_is_overtaken_is_not() {
        assert!(bound(450.0, 84.0) && bound(450.0, 420.0) && bound(2_400.0, 420.0));
        assert!(!bound(4.8e6, 61.0) && !bound(4.8e6, 330.0));
        // The farthest pair counts, and a ping-pong that was itself preempted does not.
        assert!(bound(60_000.0, 84.0) && !bound(60_000.0, 420.0));
        let preempted = [84.0, 90.0, 2e7].map(|ns| Trips::first(Some(ns)));
        assert!(timeslice_bound(&[450.0; 3], preempted.iter()));
        assert!(timeslice_bound(&[], [].iter()) && timeslice_bound(&[4.8e6], [Trips::default()].iter()));
    }
}
