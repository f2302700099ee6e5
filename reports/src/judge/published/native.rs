//! S1 and S2: shapes of native costs.

use super::shape::{Finding, Outcome, Shape, at_least, straddles, told};
use super::thresholds::{FLOOR_THAT_SHOWS_A_COST, SEVERAL, SMALL_COST};
use crate::format::{apart, percent, range, ratio};
use crate::judge::answers::uncontended;
use crate::judge::comparison::{compare, noise_floor};
use crate::record::{Cell, Results, Status};

/// S1: natively, on one vCPU, the cost of carrying paravirtual code is visible but small.
pub(super) fn carried_but_off(results: &Results) -> Shape {
    // What a native machine ran, and only in a run without it what is switched off by a load and a branch.
    let pairs = [
        (["pv-ticket-patched", "pv-ticket-off"], "ticket"),
        (["pv-queued-patched", "pv-queued-off"], "queued"),
    ];
    let findings = pairs.into_iter().filter_map(|(carriers, plain)| {
        let carrier = carriers.iter().find_map(|carrier| uncontended(results, "native", carrier))?;
        let plain = uncontended(results, "native", plain)?;
        let comparison = compare(results, plain, carrier);
        let names = format!("{} takes", carrier.axes.lock);
        let times = match told(&comparison) {
            Ok(times) => times,
            Err(outcome) => return Some(Finding::new(format!("{names} an unknown time"), outcome)),
        };
        let measured = format!(
            "{names} {} ({}) times as long as {}, native, one vCPU, empty section",
            ratio(times.median),
            range(times, ratio),
            plain.axes.lock
        );
        let outcome = match noise_floor(results, plain, carrier) {
            None => Outcome::CannotBeTold("the noise floor is unknown: no usable A/A pairs".into()),
            Some(floor) if times.high <= 1.0 + floor && floor >= FLOOR_THAT_SHOWS_A_COST => {
                Outcome::CannotBeTold(format!("hidden by a noise floor of {}", apart(floor)))
            }
            Some(floor) if times.high <= 1.0 + floor => {
                Outcome::NotReproduced(format!("no cost shows above the noise floor of {}", apart(floor)))
            }
            Some(_) if times.low > SMALL_COST => {
                Outcome::NotReproduced(format!("the cost is above {} times", ratio(SMALL_COST)))
            }
            Some(floor) if times.low <= 1.0 + floor => straddles(1.0 + floor),
            Some(_) if times.high > SMALL_COST => straddles(SMALL_COST),
            Some(_) => Outcome::Reproduced,
        };
        Some(Finding::new(measured, outcome))
    });
    Shape {
        id: "S1",
        claim: "natively, on one vCPU, paravirtual code that is carried but not used costs something, but little",
        source: "Waiman Long 2014, virtualization list msg19198; help text of CONFIG_PARAVIRT_SPINLOCKS",
        published: "one task, 5 M pairs of lock and unlock: ticket 135 → 179 ms (+33 %), queued 137 → 168 ms (+23 %); \
                    “up to 5 %” of an application (4.1.9), “minimal impact” (5.4)",
        rule: format!(
            "the interval lies above 1 by more than the noise floor and below {}; that no cost shows counts against the \
             shape only where the floor is below {}, half of the smallest published cost",
            ratio(SMALL_COST),
            percent(FLOOR_THAT_SHOWS_A_COST)
        ),
        halves: &[],
        findings: findings.collect(),
        needs: "needs pv-ticket-patched beside ticket, natively on one vCPU with an empty section".into(),
    }
}

/// S2: with a second contender a pair of lock and unlock takes several times as long.
pub(super) fn second_contender(results: &Results) -> Shape {
    let findings = ["ticket", "queued"].into_iter().filter_map(|lock| {
        let (one, two) = (empty(results, lock, 1)?, empty(results, lock, 2)?);
        let comparison = compare(results, one, two);
        let (measured, outcome) = match told(&comparison) {
            Ok(times) => (
                format!(
                    "{lock} takes {} ({}) times as long for a pair with 2 vCPUs as with 1, native, empty section",
                    ratio(times.median),
                    range(times, ratio)
                ),
                at_least(times, SEVERAL, "a second contender costs less than that"),
            ),
            Err(outcome) => (format!("{lock} with 1 and 2 vCPUs, native, empty section"), outcome),
        };
        Some(Finding::new(measured, outcome))
    });
    Shape {
        id: "S2",
        claim: "going from one to two contenders costs several times per pair",
        source: "Waiman Long 2014, virtualization list msg19198",
        published: "about 27, 104, 122 ns for a pair with 1, 2, 3 tasks: 4 times from one to two",
        rule: format!("the interval lies at or above {}", ratio(SEVERAL)),
        halves: &[],
        findings: findings.collect(),
        needs: "needs ticket natively on 1 and on 2 vCPUs, each on a pCPU of its own, with an empty section"
            .into(),
    }
}

fn empty<'a>(results: &'a Results, lock: &str, vcpus: u32) -> Option<&'a Cell> {
    results.cells.iter().find(|cell| {
        let axes = &cell.axes;
        axes.lock == lock
            && axes.env == "native"
            && axes.vcpus == vcpus
            && axes.pcpus.len() == vcpus as usize
            && axes.workload.has_empty_section()
            && axes.workload.think_ns <= 0.0
            && axes.params.is_empty()
            && cell.status == Status::Ok
    })
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::{Plan, outcome};

    fn s1(off: f64, spread: f64, floor: f64) -> &'static str {
        let plan = Plan::default()
            .spread(spread)
            .floor(floor)
            .cell("ticket", "native", "empty", 1, 1, 100e6)
            .cell("pv-ticket-off", "native", "empty", 1, 1, 100e6 / off);
        outcome(&plan, "S1")
    }

    #[test]
    fn what_natively_ran_goes_before_what_is_switched_off() {
        let plan = Plan::default()
            .floor(0.01)
            .cell("ticket", "native", "empty", 1, 1, 100e6)
            .cell("pv-ticket-off", "native", "empty", 1, 1, 50e6)
            .cell("pv-ticket-patched", "native", "empty", 1, 1, 80e6);
        assert_eq!(outcome(&plan, "S1"), "reproduced", "of 1.25 times, where 2 times would be too much");
    }

    #[test]
    fn carried_but_off() {
        assert_eq!(s1(1.2, 0.001, 0.01), "reproduced");
        assert_eq!(s1(1.0, 0.001, 0.01), "not reproduced");
        assert_eq!(s1(1.0, 0.001, 0.2), "cannot be told on this machine", "it would not have shown");
        assert_eq!(s1(1.9, 0.001, 0.2), "not reproduced");
        assert_eq!(s1(1.5, 0.03, 0.01), "cannot be told on this machine");
        assert_eq!(outcome(&Plan::default(), "S1"), "cannot be told on this machine");
    }

    #[test]
    fn second_contender() {
        let with = |two: f64, spread| {
            let plan = Plan::default()
                .spread(spread)
                .cell("ticket", "native", "empty", 1, 1, 100e6)
                .cell("ticket", "native", "empty", 2, 2, two);
            outcome(&plan, "S2")
        };
        assert_eq!(with(25e6, 0.01), "reproduced");
        assert_eq!(with(90e6, 0.01), "not reproduced");
        assert_eq!(with(50e6, 0.1), "cannot be told on this machine");
        assert_eq!(outcome(&Plan::default(), "S2"), "cannot be told on this machine");
    }
}
