//! S7: which kind of lock does best under overcommit.

use super::shape::{Finding, Outcome, Shape};
use super::steps::virtualized;
use crate::derive::setting::same;
use crate::format::{overcommit, range, ratio, significant};
use crate::judge::comparison::compare;
use crate::record::{Cell, Results};
use crate::statistics::Verdict;

/// A hybrid, a PV FIFO and a plain FIFO lock, best first.
const ORDER: [&str; 3] = ["pv-queued", "pv-ticket", "ticket"];
/// The two comparisons that the order consists of.
const HALVES: [&str; 2] = ["hybrid ≥ PV FIFO", "PV FIFO ≥ plain FIFO"];

/// S7: at 1.5x to 2x a bounded-unfair or hybrid lock does at least as well as a PV FIFO lock, and a PV FIFO lock at least as
/// well as a plain FIFO lock.
pub(super) fn order(results: &Results) -> Shape {
    let findings = virtualized(results).flat_map(|setting| {
        let factors = setting.above_one();
        let told = |k: &f64| ORDER.iter().all(|lock| setting.at(lock, *k).is_some());
        let wanted = [2.0, 1.5]
            .into_iter()
            .find_map(|k| factors.iter().copied().find(|other| same(*other, k) && told(other)));
        let cells: Vec<&Cell> =
            wanted.map(|k| ORDER.iter().filter_map(|lock| setting.at(lock, k)).collect()).unwrap_or_default();
        let pairs = cells.windows(2).zip(HALVES);
        pairs.map(|(pair, half)| finding(results, half, pair[0], pair[1])).collect::<Vec<_>>()
    });
    Shape {
        id: "S7",
        claim: "at 1.5x to 2x: bounded-unfair or hybrid ≥ PV FIFO ≥ plain FIFO, at a price in fairness",
        source: "Raghavendra K T, May 2014; kvm list msg100903",
        published: "tickets in batches of 4 over plain ones: +4, +8, +23, +49 % at 0.5x, 1x, 1.5x, 2x; natively AIM7 has ticket at 1.15 M, \
                    qspinlock at 2.03 M, test-and-set at 0.53 M jobs/min",
        rule: "each step of the order is judged better or the same in an environment, and neither is worse in any; the \
               fairness of both stands beside it"
            .into(),
        halves: &HALVES,
        findings: findings.collect(),
        needs: "needs pv-queued, pv-ticket and ticket at 2x or 1.5x, emulated or kvm".into(),
    }
}

fn finding(results: &Results, half: &'static str, better: &Cell, worse: &Cell) -> Finding {
    let comparison = compare(results, better, worse);
    let jain = |cell: &Cell| cell.fairness.jain.map_or_else(|| "unknown".into(), significant);
    let figure = comparison.ratio.map_or_else(
        || "an unknown number of".into(),
        |times| format!("{} ({})", ratio(times.median), range(times, ratio)),
    );
    let measured = format!(
        "{} does {figure} times the rate of {}, {}, {}; Jain's index {} and {}",
        better.axes.lock,
        worse.axes.lock,
        better.axes.told_env(),
        overcommit(better.axes.overcommit),
        jain(better),
        jain(worse)
    );
    let outcome = match comparison.verdict {
        Verdict::Better | Verdict::Same => Outcome::Reproduced,
        Verdict::Worse => {
            Outcome::NotReproduced(format!("{} does worse than {}", better.axes.lock, worse.axes.lock))
        }
        Verdict::NotEnoughData(reason) => Outcome::CannotBeTold(reason),
    };
    Finding::of(half, measured, outcome)
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::{Plan, outcome};

    #[test]
    fn order() {
        let with = |hybrid: f64, cure: f64, plain: f64, spread| {
            let plan = Plan::default().spread(spread).at("ticket", "emulated", 2.0, plain);
            outcome(
                &plan.at("pv-ticket", "emulated", 2.0, cure).at("pv-queued", "emulated", 2.0, hybrid),
                "S7",
            )
        };
        assert_eq!(with(2e6, 14e3, 450.0, 0.02), "reproduced");
        assert_eq!(with(2e6, 14e3, 28e3, 0.02), "not reproduced");
        assert_eq!(with(15e3, 14e3, 13e3, 0.2), "cannot be told on this machine");
        assert_eq!(with(15e3, 14e3, 450.0, 0.2), "cannot be told on this machine", "one step of two");
        assert_eq!(outcome(&Plan::default(), "S7"), "cannot be told on this machine");
    }
}
