//! How much of its rate a lock keeps: holds, degrades or collapses.

use super::grade::{Grades, widened};
use crate::derive::Selection;
use crate::derive::setting::counterpart;
use crate::format::{percent, range};
use crate::judge::comparison::without_a_rate;
use crate::record::params::SPIN_THRESHOLD;
use crate::record::{Cell, CellVerdict, Interval, Kept, Purpose, Results, Status, Thresholds};
use crate::statistics::{MIN_ROUNDS, NO_PAIR, coverage, ratios};

/// What a lock keeps of its rate.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Held {
    pub(super) kept: Kept,
    pub(super) untold: Option<String>,
    pub(super) ratio: Option<Interval>,
    pub(super) rounds: usize,
}

pub(super) fn held(results: &Results, cell: &Cell, thresholds: &Thresholds) -> Held {
    let untold = |why: String| Held { kept: Kept::CannotBeTold, untold: Some(why), ratio: None, rounds: 0 };
    if cell.status != Status::Ok {
        return untold(format!("the cell is {}", cell.status.word()));
    }
    let Some(one) = at_one(results, cell) else {
        return untold("the lock was not run at 1x on the same pCPUs".into());
    };
    if one.status != Status::Ok {
        return untold(format!("at 1x: {}", without_a_rate(one)));
    }
    let windows = |cell: &Cell| Selection::comparable(&cell.rounds, Purpose::Rate).windows();
    let paired = ratios(&windows(cell), &windows(one));
    let (ratio, rounds) = paired.of_enough_rounds();
    let Some(ratio) = ratio else {
        let moved = paired.missing.filter(|why| why != NO_PAIR);
        return untold(moved.unwrap_or_else(|| "no round has usable windows both here and at 1x".into()));
    };
    let (kept, untold) = judge(ratio, rounds, thresholds);
    Held { kept, untold, ratio: Some(ratio), rounds }
}

/// The cell of the same lock at 1x on the same pCPUs. Where only the default spin threshold was run at 1x, it stands for all: nobody
/// is preempted for long there, so waiters hardly reach a threshold.
pub(super) fn at_one<'a>(results: &'a Results, cell: &Cell) -> Option<&'a Cell> {
    let pcpus = cell.axes.pcpus.len() as u32;
    counterpart(results, cell, |axes| axes.vcpus = pcpus).or_else(|| {
        counterpart(results, cell, |axes| {
            axes.vcpus = pcpus;
            axes.params.remove(SPIN_THRESHOLD);
        })
    })
}

/// The label of a ratio, or why there is none.
pub(crate) fn judge(ratio: Interval, rounds: usize, thresholds: &Thresholds) -> (Kept, Option<String>) {
    if rounds < MIN_ROUNDS {
        let few = match rounds {
            1 => "1 usable round gives no interval".to_owned(),
            _ => format!("{rounds} usable rounds give an interval of {:.0} %", coverage(rounds) * 100.0),
        };
        return (Kept::CannotBeTold, Some(format!("{few}; {MIN_ROUNDS} rounds are needed")));
    }
    let judged = widened(ratio, thresholds.between_runs);
    let grades = Grades::of_large(judged, thresholds.holds, thresholds.collapses);
    match grades.told() {
        Some(0) => (Kept::Holds, None),
        Some(1) => (Kept::Degrades, None),
        Some(_) => (Kept::Collapses, None),
        None => (Kept::CannotBeTold, Some(spans(judged, grades, thresholds))),
    }
}

/// Whether a lock collapses by a verdict; none where the interval leaves both open. A verdict that spans only what is between holding
/// and degrading says that it does not.
pub(crate) fn collapses(verdict: &CellVerdict, thresholds: &Thresholds) -> Option<bool> {
    match verdict.rate {
        Kept::Collapses => Some(true),
        Kept::Holds | Kept::Degrades => Some(false),
        Kept::CannotBeTold => {
            let kept = verdict.kept.filter(|_| verdict.rounds as usize >= MIN_ROUNDS)?;
            let grades = Grades::of_large(
                widened(kept, thresholds.between_runs),
                thresholds.holds,
                thresholds.collapses,
            );
            (grades.worst < 2).then_some(false)
        }
    }
}

fn spans(judged: Interval, grades: Grades, thresholds: &Thresholds) -> String {
    let which = match (grades.best, grades.worst) {
        (0, 1) => percent(thresholds.holds),
        (0, _) => format!("{} and {}", percent(thresholds.collapses), percent(thresholds.holds)),
        _ => percent(thresholds.collapses),
    };
    format!("with room for the next run it keeps {}, which spans {which}", range(judged, percent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Random;

    #[test]
    fn an_interval_that_spans_a_threshold_cannot_be_told() {
        let thresholds = Thresholds::default();
        let mut random = Random::new(1);
        let mut seen = [0; 4];
        for _ in 0..20_000 {
            // From 0.001 to 10, evenly by logarithm, and up to 10 times as wide.
            let low = 10_f64.powf(4.0 * random.unit() - 3.0);
            let high = low * 10_f64.powf(random.unit());
            let ratio = Interval { median: (low * high).sqrt(), low, high };
            let (kept, why) = judge(ratio, 6, &thresholds);
            let judged = widened(ratio, thresholds.between_runs);
            for threshold in [thresholds.holds, thresholds.collapses] {
                let spanned = judged.low < threshold && judged.high >= threshold;
                assert!(
                    !spanned || kept == Kept::CannotBeTold,
                    "{ratio:?} spans {threshold} and is {kept:?}"
                );
            }
            let label = |value: f64| match value {
                _ if value >= thresholds.holds => Kept::Holds,
                _ if value >= thresholds.collapses => Kept::Degrades,
                _ => Kept::Collapses,
            };
            assert!(kept == Kept::CannotBeTold || kept == label(ratio.median), "{ratio:?} is {kept:?}");
            assert_eq!(why.is_some(), kept == Kept::CannotBeTold);
            seen[kept as usize] += 1;
        }
        assert!(seen.iter().all(|&count| count > 300), "every label is met: {seen:?}");
    }

    #[test]
    fn few_rounds_tell_nothing_however_clear_they_look() {
        let ratio = Interval { median: 1e-4, low: 1e-4, high: 1e-4 };
        let (kept, why) = judge(ratio, 3, &Thresholds::default());
        assert_eq!(kept, Kept::CannotBeTold);
        assert!(why.unwrap().contains("5 rounds are needed"));
        assert_eq!(judge(ratio, 5, &Thresholds::default()).0, Kept::Collapses);
    }
}
