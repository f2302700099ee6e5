//! S13: what a lock that reorders its waiters takes from some of them.

use super::shape::{Finding, Outcome, Shape, at_least, at_most, too_few};
use super::steps::virtualized;
use super::thresholds::{REORDERED, VCPUS_FOR_HALVES};
use crate::derive::Selection;
use crate::derive::setting::{Setting, same};
use crate::format::{overcommit, percent, range};
use crate::record::{Cell, Interval, Results};
use crate::statistics::{MIN_ROUNDS, interval};

const HALVES: [&str; 2] =
    ["a lock that sets waiters aside is unfair", "one that blocks on preemption is about fair"];

/// S13: a lock that reorders its waiters pays in fairness, and one that blocks when a holder is preempted hardly does.
pub(super) fn price(results: &Results) -> Shape {
    let findings = virtualized(results).flat_map(|setting| {
        let [aside, blocks] = HALVES;
        let unfair = at_two(&setting, "malthusian").map(|cell| {
            finding(aside, cell, |busier| at_least(busier, REORDERED, "its vCPUs are served more evenly"))
        });
        let fair = at_two(&setting, "flexguard").map(|cell| {
            finding(blocks, cell, |busier| at_most(busier, REORDERED, "its vCPUs are served less evenly"))
        });
        unfair.into_iter().chain(fair).collect::<Vec<_>>()
    });
    Shape {
        id: "S13",
        claim: "reordering waiters costs fairness; blocking when a holder is preempted hardly does",
        source: "FlexGuard, SOSP 2025",
        published: "unfairness, where 0.5 is fair and 1 unfair: Malthusian 0.90, shuffling 0.77, FlexGuard under 0.58",
        rule: format!(
            "at 2x the half of the vCPUs that got the lock most often had at least {0} of the acquisitions under malthusian, and at \
             most {0} under flexguard; both are needed",
            percent(REORDERED)
        ),
        halves: &HALVES,
        findings: findings.collect(),
        needs: format!(
            "needs malthusian and flexguard at 2x with an even number of vCPUs, {VCPUS_FOR_HALVES} at least, emulated or kvm"
        ),
    }
}

fn at_two<'a>(setting: &Setting<'a>, lock: &str) -> Option<&'a Cell> {
    let cell = setting.at(lock, 2.0).filter(|cell| same(cell.axes.overcommit, 2.0))?;
    (cell.axes.vcpus >= VCPUS_FOR_HALVES && cell.axes.vcpus.is_multiple_of(2)).then_some(cell)
}

/// Part of the acquisitions of a window that the busier half of its vCPUs had; none without acquisitions.
fn busier_half(operations: &[u64]) -> Option<f64> {
    let mut sorted = operations.to_vec();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    let sum = |part: &[u64]| part.iter().map(|&count| count as f64).sum::<f64>();
    let all = sum(&sorted);
    (all > 0.0).then(|| sum(&sorted[..sorted.len() / 2]) / all)
}

fn finding(half: &'static str, cell: &Cell, judge: impl Fn(Interval) -> Outcome) -> Finding {
    let (lock, env) = (&cell.axes.lock, cell.axes.told_env());
    let at = format!("{env}, {}", overcommit(cell.axes.overcommit));
    let windows: Vec<f64> =
        Selection::of_rate(cell).each().filter_map(|measured| busier_half(&measured.operations)).collect();
    let busier =
        interval(&windows).filter(|_| windows.len() >= MIN_ROUNDS).ok_or_else(|| too_few(windows.len()));
    let figure = busier.as_ref().map_or_else(
        |_| "an unknown part".into(),
        |busier| format!("{} ({})", percent(busier.median), range(*busier, percent)),
    );
    let measured = format!("{lock}, {at}: the busier half of the vCPUs had {figure} of the acquisitions");
    Finding::of(half, measured, busier.map_or_else(|outcome| outcome, judge))
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::{Plan, outcome};
    use super::busier_half;

    #[test]
    fn price() {
        let with = |aside: [f64; 4], blocks: [f64; 4]| {
            let plan = Plan::default().at("malthusian", "emulated", 2.0, 1e6).shared(aside);
            outcome(&plan.at("flexguard", "emulated", 2.0, 1e6).shared(blocks), "S13")
        };
        let (uneven, even) = ([0.6, 0.3, 0.05, 0.05], [0.26, 0.26, 0.24, 0.24]);
        assert_eq!(with(uneven, even), "reproduced");
        assert_eq!(with(even, even), "not reproduced");
        assert_eq!(with(uneven, uneven), "not reproduced");
        let alone = Plan::default().at("malthusian", "emulated", 2.0, 1e6).shared(uneven);
        assert_eq!(outcome(&alone, "S13"), "cannot be told on this machine", "one half of two");
        assert_eq!(outcome(&Plan::default(), "S13"), "cannot be told on this machine");
    }

    #[test]
    fn the_busier_half_is_half_of_equals() {
        assert_eq!(busier_half(&[5, 5, 5, 5]), Some(0.5));
        assert_eq!(busier_half(&[0, 9, 0, 1]), Some(1.0));
        assert_eq!(busier_half(&[0, 0]), None);
    }
}
