//! S10: what a page fault costs that is taken while the lock is held.

use super::shape::{Finding, Outcome, Shape, at_most, told};
use super::thresholds::{FAULT_COSTS, FAULTS_NEEDED};
use crate::derive::setting::{counterpart, same};
use crate::format::{overcommit, percent, range};
use crate::judge::comparison::compare;
use crate::record::{Cell, Results};

/// The lock of the publication is a test-and-set lock with delays; the sections without a fault last about 100 ns.
const LOCK: &str = "tas";
const PLAIN: &str = "short";

/// S10: page faults while a spinlock is held about halve the rate, or worse.
pub(super) fn fault(results: &Results) -> Shape {
    let touching = |cell: &&Cell| {
        let axes = &cell.axes;
        axes.lock == LOCK
            && axes.workload.section == "touch"
            && axes.env != "native"
            && axes.vcpus > 1
            && same(axes.overcommit, 1.0)
    };
    let findings = results.cells.iter().filter(touching).filter_map(|cell| {
        let plain = counterpart(results, cell, |axes| axes.workload.name = PLAIN.into())?;
        Some(finding(results, cell, plain))
    });
    Shape {
        id: "S10",
        claim: "page faults while a spinlock is held about halve the rate, or worse",
        source: "reports of April 2026 on PostgreSQL and Linux 7.0 (seen as excerpts, and disputed as a misconfiguration)",
        published: "98,565 → 50,751 transactions per second on 96 vCPUs, 55.6 % of the time in the spinlock; huge pages cure it",
        rule: format!(
            "at 1x with two vCPUs or more, the rate of {LOCK} with sections that take a page fault lies at or below {} of that with \
             sections of 100 ns; at least {} of the sections took one",
            percent(FAULT_COSTS),
            percent(FAULTS_NEEDED)
        ),
        halves: &[],
        findings: findings.collect(),
        needs: format!("needs {LOCK} at 1x with the sections touch and {PLAIN}, emulated or kvm"),
    }
}

fn finding(results: &Results, cell: &Cell, plain: &Cell) -> Finding {
    let at = format!("{}, {}", cell.axes.told_env(), overcommit(cell.axes.overcommit));
    let count = |name: &str| cell.counters.get(name).copied().unwrap_or(0) as f64;
    let (faulted, present) = (count("pages_faulted"), count("pages_present") + count("pages_brought"));
    let share = faulted / (faulted + present).max(1.0);
    let took = format!("{} of the sections took a page fault", percent(share));
    let (measured, outcome) = match told(&compare(results, cell, plain)) {
        Ok(kept) => (
            format!(
                "with page faults {LOCK} does {} ({}) of its rate without, {at}; {took}",
                percent(kept.median),
                range(kept, percent)
            ),
            if share < FAULTS_NEEDED {
                Outcome::CannotBeTold(format!("only {took}"))
            } else {
                at_most(kept, FAULT_COSTS, "they cost less than that")
            },
        ),
        Err(outcome) => (format!("{LOCK} with page faults beside without, {at}"), outcome),
    };
    Finding::new(measured, outcome)
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::{Plan, outcome};

    #[test]
    fn fault() {
        let with = |kept: f64, faulted: f64, spread| {
            let plan = Plan::default().spread(spread).at("tas", "emulated", 1.0, 5e6);
            let plan = plan.cell("tas", "emulated", "touch", 2, 2, 5e6 * kept);
            outcome(&plan.counted("pages_faulted", faulted).counted("pages_present", 1.0 - faulted), "S10")
        };
        assert_eq!(with(0.1, 1.0, 0.05), "reproduced");
        assert_eq!(with(0.95, 1.0, 0.05), "not reproduced");
        assert_eq!(with(0.1, 0.5, 0.05), "cannot be told on this machine", "half of the pages were there");
        assert_eq!(with(0.6, 1.0, 0.1), "cannot be told on this machine");
        let alone = Plan::default().cell("tas", "emulated", "touch", 2, 2, 1e5);
        assert_eq!(outcome(&alone, "S10"), "cannot be told on this machine");
    }
}
