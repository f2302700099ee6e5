//! The thresholds of the verdicts, and the reasons for them.
//!
//! They were written down before any run was judged by them. All can be changed on the command line, and the page and
//! `results.json` say which were used.
//!
//! **Rate kept.** At k vCPUs per pCPU the pCPUs are those of 1x, so a lock that preemption does not hurt keeps 100 %.
//!
//! - *Holds* from 80 % on. Whoever reads "holds" need not do anything. A fifth is what capacity is planned with as headroom. The
//!   threshold is no higher, because a lock that loses nothing would then be called degrading by noise: the margin of this report
//!   is 5 %, and two runs of one machine differ by more than that.
//! - *Collapses* below 25 %. A vCPU has 1/k of a pCPU. A lock that can go on only while one certain vCPU runs, and has nothing
//!   else to lose, keeps 1/k: a quarter at 4x, the steepest step of the built-in profiles. A lock that keeps less waits for the
//!   scheduler again at each handover.
//!
//! **Worst-served vCPU**, as a fraction of an equal share.
//!
//! - *Fair* from a half on: the worst vCPU's requests take at most twice as long as those of the mean vCPU. The scheduler alone
//!   gives vCPUs unequal time in a window of a tenth of a second, which is some 25 timeslices of a pCPU: a few of them, one way or
//!   the other, are no fault of the lock's.
//! - *Starving* below a tenth: its requests take more than ten times as long.
//!
//! **Longest wait.** A FIFO lock that waits for the scheduler at each handover serves every vCPU once in a time that a law gives
//! (see [`laws::turn_slices`](crate::judge::laws::turn_slices): 2 timeslices at 2x on two pCPUs, 12 at 4x). That time is
//! called a turn. A lock can collapse and still be fair, so waits are counted in turns: a wait of one turn is what strict order
//! costs.
//!
//! - *Unfair* beyond 4 turns: a vCPU was passed over three times running. One turn more or less is the scheduler's.
//! - *Starving* beyond 10 turns, by the same factor of ten as for shares.
//!
//! **Between runs.** The rounds of one run agree with each other better than two runs do: the threads lie elsewhere, and a host
//! beneath may have moved the pCPUs. An interval is therefore widened by a tenth on either side before it is judged.

use crate::record::Thresholds;

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            holds: 0.8,
            collapses: 0.25,
            fair: 0.5,
            starving: 0.1,
            long_wait: 4.0,
            starving_wait: 10.0,
            between_runs: 0.1,
        }
    }
}

impl Thresholds {
    /// Whether they are in order, and a sentence if they are not.
    pub fn check(&self) -> Result<(), String> {
        let shares = [self.holds, self.collapses, self.fair, self.starving];
        if !shares.iter().all(|share| share.is_finite() && *share > 0.0) {
            return Err("thresholds are positive fractions: 0.8 is 80 %".into());
        }
        if self.collapses > self.holds {
            return Err(format!(
                "a lock that keeps {} of its rate cannot both hold and collapse: --collapses must not be above --holds",
                self.collapses
            ));
        }
        if self.starving > self.fair {
            return Err("--starving must not be above --fair".into());
        }
        if !(self.long_wait > 0.0 && self.starving_wait >= self.long_wait && self.starving_wait.is_finite()) {
            return Err("--long-wait must be positive and not above --starving-wait".into());
        }
        if !(0.0..=10.0).contains(&self.between_runs) {
            return Err("--between-runs is a fraction from 0 to 10: 0.1 widens an interval by 10 %".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_out_of_order_are_refused() {
        let good = Thresholds::default();
        assert_eq!(good.check(), Ok(()));
        assert_eq!(Thresholds { collapses: 0.8, ..good }.check(), Ok(()), "nothing degrades then");
        for bad in [
            Thresholds { collapses: 0.9, ..good },
            Thresholds { holds: f64::NAN, ..good },
            Thresholds { holds: 0.0, ..good },
            Thresholds { starving: 0.6, ..good },
            Thresholds { long_wait: 11.0, ..good },
            Thresholds { long_wait: f64::NAN, ..good },
            Thresholds { between_runs: -0.1, ..good },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
