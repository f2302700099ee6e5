//! Whether there is time for another round.

use std::time::Duration;

use lockbench_reports::format;
use lockbench_reports::record::Stopped;

/// The time that a run may take, and the planned length of a round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Wall time asked for, from the program's start.
    pub(crate) time: Duration,
    /// Length of a round by the plan.
    pub(crate) planned: Duration,
}

impl Pace {
    /// Why the run stops after `done` rounds, with `spent` of its time gone; none if it goes on. The next round is expected to
    /// take as long as the `last`.
    ///
    /// A round that would be more than half done when the time is up is still taken: with one round fewer than planned
    /// there often is no verdict, and the plan may be wrong by a little. So a run exceeds its time by at most half a round,
    /// or by its first round if even that does not fit.
    pub(crate) fn stop(&self, spent: Duration, last: Duration, done: u32) -> Option<Stopped> {
        if spent + last / 2 <= self.time {
            return None;
        }
        let (last, planned, time) = (seconds(last), seconds(self.planned), seconds(self.time));
        let reason = if done == 1 && spent >= self.time {
            format!(
                "even one round does not fit into the {time} asked for: it took {last}, where the plan has {planned}"
            )
        } else {
            format!(
                "a round took {last}, where the plan has {planned}: another would have ended beyond the {time} asked for"
            )
        };
        Some(Stopped { rounds: done, reason })
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", format::significant(time.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    /// Rounds taken of `rounds` if each takes `each`, after a set-up of 1 s.
    fn taken(pace: &Pace, rounds: u32, each: Duration) -> (u32, Duration, Option<String>) {
        let mut spent = MS(1000);
        for done in 1..=rounds {
            spent += each;
            if done < rounds
                && let Some(stopped) = pace.stop(spent, each, done)
            {
                assert_eq!(stopped.rounds, done);
                return (done, spent, Some(stopped.reason));
            }
        }
        (rounds, spent, None)
    }

    #[test]
    fn children_that_start_slowly_stop_a_run_between_rounds() {
        // The smoke profile with children that start ten times more slowly.
        let pace = Pace { time: MS(15_000), planned: MS(4_300) };
        let (rounds, spent, reason) = taken(&pace, 3, MS(40_000));
        assert_eq!((rounds, spent), (1, MS(41_000)));
        assert_eq!(
            reason.unwrap(),
            "even one round does not fit into the 15.0 s asked for: it took 40.0 s, where the plan has 4.30 s"
        );
        let (rounds, _, reason) = taken(&pace, 3, MS(9_000));
        assert_eq!(rounds, 2);
        assert_eq!(
            reason.unwrap(),
            "a round took 9.00 s, where the plan has 4.30 s: another would have ended beyond the 15.0 s asked for"
        );
    }

    #[test]
    fn a_run_as_long_as_its_plan_or_a_little_longer_takes_all_its_rounds() {
        let pace = Pace { time: MS(60_000), planned: MS(9_000) };
        assert_eq!(taken(&pace, 6, MS(9_000)).0, 6);
        assert_eq!(taken(&pace, 6, MS(10_500)).0, 6, "the last ends 4 s late: better than no verdict");
        assert_eq!(taken(&pace, 6, MS(13_000)).0, 5);
    }

    #[test]
    fn no_run_overshoots_its_time_by_more_than_a_round() {
        for time in [1_000, 15_000, 60_000, 1_800_000].map(MS) {
            for each in [10, 500, 3_000, 41_000, 700_000].map(MS) {
                let pace = Pace { time, planned: MS(1_000) };
                let (rounds, spent, _) = taken(&pace, 10_000, each);
                assert!(spent <= time + each + MS(1_000), "{rounds} of {each:?} in {time:?}");
            }
        }
    }
}
