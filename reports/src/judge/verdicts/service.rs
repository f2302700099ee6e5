//! How a lock serves its vCPUs: fair, unfair or starving.

use super::grade::{Grades, widened};
use crate::derive::Selection;
use crate::derive::timeslice::timeslice;
use crate::format::{percent, range, significant};
use crate::judge::laws::turn_slices;
use crate::record::{Cell, Interval, Purpose, Results, Served, Status, Thresholds};
use crate::statistics::{MIN_ROUNDS, interval, share_interval, shares};

/// Number of timeslices that stands for no upper end: a wait had not ended when its window did.
pub const OPEN_WAIT: f64 = 1e9;

/// How a lock serves its vCPUs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Service {
    pub(super) served: Served,
    pub(super) untold: Option<String>,
    pub(super) worst_share: Option<Interval>,
    pub(super) wait_slices: Option<Interval>,
    pub(super) longest_wait: Option<Wait>,
}

/// The longest wait of a window, or of all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Wait {
    pub(super) ns: f64,
    pub(super) at_least: bool,
}

pub(super) fn service(results: &Results, cell: &Cell, thresholds: &Thresholds) -> Service {
    let (worst_share, waits) = match cell.status {
        Status::Ok => (worst_share(cell), waits(cell)),
        _ => (None, Vec::new()),
    };
    let slice = timeslice(results, cell).map(|slice| slice.median);
    let wait_slices = slice.filter(|_| waits.len() >= MIN_ROUNDS).and_then(|slice| in_slices(&waits, slice));
    let turn = turn_slices(cell.axes.pcpus.len() as u32, cell.axes.overcommit);
    let (served, untold) = match cell.status {
        Status::Ok => judge(worst_share, wait_slices, turn, thresholds),
        status => (Served::CannotBeTold, Some(format!("the cell is {}", status.word()))),
    };
    let longest_wait = waits.into_iter().max_by(|a, b| a.ns.total_cmp(&b.ns));
    Service { served, untold, worst_share, wait_slices, longest_wait }
}

/// The part of the vCPU that got least, over an equal part. Where single windows hold too few acquisitions to be divided, those of
/// all windows are added up, with an interval that allows for the error of counting.
fn worst_share(cell: &Cell) -> Option<Interval> {
    let windows = Selection::of_rate(cell);
    let least = |counts: &[u64]| shares(counts)?.into_iter().reduce(f64::min);
    let each: Vec<f64> = windows.each().filter_map(|measured| least(&measured.operations)).collect();
    if each.len() >= MIN_ROUNDS {
        return interval(&each);
    }
    let vcpus = cell.axes.vcpus as usize;
    let of = |vcpu: usize| {
        let counts = windows.each().filter_map(|measured| measured.operations.get(vcpu));
        counts.fold(0_u64, |sum, &count| sum.saturating_add(count))
    };
    let counts: Vec<u64> = (0..vcpus).map(of).collect();
    let total = counts.iter().fold(0_u64, |sum, &count| sum.saturating_add(count));
    let share = share_interval(*counts.iter().min()?, total)?;
    let times = |share: f64| share * vcpus as f64;
    Some(Interval { median: times(share.median), low: times(share.low), high: times(share.high) })
}

/// The longest wait of each window that timed waits.
fn waits(cell: &Cell) -> Vec<Wait> {
    let windows = Selection::usable(&cell.rounds, Purpose::Latency);
    let longest = |measured: &crate::record::Measured| {
        let acquire = measured.acquire.as_ref()?;
        let unfinished = acquire.censored.iter().copied().max().unwrap_or(0);
        let ns = acquire.max_ns.max(unfinished);
        (ns > 0).then_some(Wait { ns: ns as f64, at_least: unfinished > acquire.max_ns })
    };
    windows.each().filter_map(longest).collect()
}

fn in_slices(waits: &[Wait], slice_ns: f64) -> Option<Interval> {
    let seen: Vec<f64> = waits.iter().map(|wait| wait.ns / slice_ns).collect();
    let at_most: Vec<f64> =
        waits.iter().map(|wait| if wait.at_least { OPEN_WAIT } else { wait.ns / slice_ns }).collect();
    let (low, high) = (interval(&seen)?, interval(&at_most)?);
    Some(Interval { median: low.median, low: low.low, high: high.high })
}

/// The label, or why there is none. Shares must be known; waits, where they were timed, can only make it worse.
fn judge(
    share: Option<Interval>,
    wait: Option<Interval>,
    turn: f64,
    thresholds: &Thresholds,
) -> (Served, Option<String>) {
    let share = share.map(|share| widened(share, thresholds.between_runs));
    let wait = wait.map(|wait| widened(wait, thresholds.between_runs));
    let (long, starving) = (thresholds.long_wait * turn, thresholds.starving_wait * turn);
    let by_share =
        share.map_or(Grades::ANY, |share| Grades::of_large(share, thresholds.fair, thresholds.starving));
    let by_wait = wait.map_or(Grades { best: 0, worst: 0 }, |wait| Grades::of_small(wait, long, starving));
    match by_share.worse_of(by_wait).told() {
        Some(0) => (Served::Fair, None),
        Some(1) => (Served::Unfair, None),
        Some(_) => (Served::Starving, None),
        None => {
            let share = match share {
                None => Some("too few acquisitions to divide among vCPUs".into()),
                Some(share) => {
                    let told = format!("the worst-served vCPU gets {}", range(share, percent));
                    by_share.told().is_none().then_some(told)
                }
            };
            let wait = wait.filter(|_| by_wait.told().is_none()).map(|wait| {
                let end = if wait.high >= OPEN_WAIT { "unknown".into() } else { significant(wait.high) };
                format!("the longest wait is {} to {end} timeslices", significant(wait.low))
            });
            let spans = share.into_iter().chain(wait).collect::<Vec<String>>().join(", and ");
            (Served::CannotBeTold, Some(spans))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Random;

    fn interval_from(random: &mut Random, smallest: f64) -> Interval {
        let low = smallest * 10_f64.powf(3.0 * random.unit());
        let high = low * 10_f64.powf(random.unit() * random.unit());
        Interval { median: (low * high).sqrt(), low, high }
    }

    #[test]
    fn an_interval_that_spans_a_threshold_cannot_be_told() {
        let thresholds = Thresholds::default();
        let mut random = Random::new(2);
        let mut seen = [0; 4];
        for _ in 0..40_000 {
            let share = interval_from(&mut random, 0.005);
            let wait = (random.unit() < 0.7).then(|| interval_from(&mut random, 0.3));
            let (served, why) = judge(Some(share), wait, 2.0, &thresholds);
            assert_eq!(why.is_some(), served == Served::CannotBeTold);
            seen[served as usize] += 1;
            if served == Served::CannotBeTold {
                continue;
            }
            // Every pair of values inside the two intervals must get the same label.
            let label = |share: f64, wait: Option<f64>| match (share, wait.unwrap_or(0.0)) {
                (share, wait) if share < thresholds.starving || wait > 20.0 => Served::Starving,
                (share, wait) if share < thresholds.fair || wait > 8.0 => Served::Unfair,
                _ => Served::Fair,
            };
            for share in [share.low, share.median, share.high] {
                match wait {
                    None => assert_eq!(label(share, None), served),
                    Some(wait) => {
                        for wait in [wait.low, wait.median, wait.high] {
                            assert_eq!(label(share, Some(wait)), served, "{share} {wait}");
                        }
                    }
                }
            }
        }
        assert!(seen.iter().all(|&count| count > 500), "every label is met: {seen:?}");
    }

    #[test]
    fn waits_that_did_not_end_leave_the_upper_end_open() {
        let wait = |ns: f64, at_least| Wait { ns, at_least };
        let closed = in_slices(&[wait(4e6, false), wait(8e6, false)], 4e6).unwrap();
        assert_eq!((closed.low, closed.high), (1.0, 2.0));
        let open = in_slices(&[wait(4e6, false), wait(8e6, true)], 4e6).unwrap();
        assert_eq!((open.low, open.high), (1.0, OPEN_WAIT));
        let thresholds = Thresholds::default();
        let equal = Interval { median: 1.0, low: 1.0, high: 1.0 };
        let (served, why) = judge(Some(equal), Some(open), 2.0, &thresholds);
        assert_eq!(served, Served::CannotBeTold);
        assert!(why.unwrap().contains("to unknown timeslices"));
        let long = Interval { median: 30.0, low: 30.0, high: OPEN_WAIT };
        assert_eq!(judge(Some(equal), Some(long), 2.0, &thresholds).0, Served::Starving);
    }

    #[test]
    fn without_shares_only_a_long_wait_tells() {
        let thresholds = Thresholds::default();
        assert_eq!(judge(None, None, 2.0, &thresholds).0, Served::CannotBeTold);
        let short = Interval { median: 1.0, low: 1.0, high: 1.0 };
        assert_eq!(judge(None, Some(short), 2.0, &thresholds).0, Served::CannotBeTold);
        let long = Interval { median: 50.0, low: 40.0, high: 60.0 };
        assert_eq!(judge(None, Some(long), 2.0, &thresholds).0, Served::Starving);
    }
}
