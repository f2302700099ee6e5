//! S9: whether the holder or the waiter next in line is preempted more often.

use super::shape::{Finding, Outcome, Shape, at_least, at_most};
use super::steps::virtualized;
use super::thresholds::{DWARFS, HANDOVERS_NEEDED, VANISHES, least_granted_off};
use crate::derive::setting::Setting;
use crate::derive::timeline::uncounted;
use crate::format::{count, overcommit, percent, range};
use crate::record::{Cell, CellCauses, Results};
use crate::statistics::share_interval;

const HALVES: [&str; 2] = ["in a FIFO lock it dwarfs", "with test-and-set it vanishes"];

/// S9: in a FIFO lock waiter preemption dwarfs holder preemption; with test-and-set it vanishes.
pub(super) fn dwarf(results: &Results) -> Shape {
    let findings = virtualized(results).flat_map(|setting| {
        let why = uncounted(&results.machine, &setting.axes().env);
        let finding = |half, lock: &str, judge: fn(&Cell, &CellCauses) -> (String, Outcome)| {
            let (cell, causes) = traced(&setting, lock)?;
            let why = causes.no_preemptions.as_deref().or(why);
            let (measured, outcome) =
                why.map_or_else(|| judge(cell, causes), |why| untold(cell, causes, why));
            Some(Finding::of(half, measured, outcome))
        };
        let [dwarfs, vanishes] = HALVES;
        let halves = [finding(dwarfs, "ticket", fifo), finding(vanishes, "tas", unfair)];
        halves.into_iter().flatten().collect::<Vec<_>>()
    });
    Shape {
        id: "S9",
        claim: "in a FIFO lock waiter preemption dwarfs holder preemption; with test-and-set it vanishes",
        source: "Friebel, Xen Summit 2008; Ouyang & Lange, VEE'13; the arithmetic of a queue under overcommit",
        published: "at least 1 - 1/k of the handovers meet a vCPU that is not running, against section length / timeslice \
                    of the holders; a kernel build beside a CPU hog spins 7.6 % of its time, alone 0.2 %",
        rule: format!(
            "ticket: the part of handovers to a vCPU that is not running lies at or above 1 - 1/k, and there are at least \
             {DWARFS} waiter preemptions to one of a holder; tas: the part lies at or below {}; both are needed",
            percent(VANISHES)
        ),
        halves: &HALVES,
        findings: findings.collect(),
        needs: "needs traced windows of ticket and tas at 2x, emulated or kvm".into(),
    }
}

/// The traced cell of a lock at 2x, or at the smallest step above 1x that was traced.
fn traced<'a>(setting: &Setting<'a>, lock: &str) -> Option<(&'a Cell, &'a CellCauses)> {
    let mut factors = setting.above_one();
    factors.sort_by_key(|k| !crate::derive::setting::same(*k, 2.0));
    factors
        .into_iter()
        .filter_map(|k| setting.at(lock, k))
        .find_map(|cell| Some((cell, cell.causes.as_ref()?)))
}

/// The finding where preemptions could not be counted, for counts of 0 then mean nothing.
fn untold(cell: &Cell, causes: &CellCauses, why: &str) -> (String, Outcome) {
    let (axes, handovers) = (&cell.axes, count(causes.handovers));
    let measured =
        format!("{}, {}, {}: {handovers} handovers", axes.lock, axes.told_env(), overcommit(axes.overcommit));
    let outcome =
        Outcome::CannotBeTold(format!("preemptions could not be counted in {}: {why}", axes.told_env()));
    (measured, outcome)
}

fn part(cell: &Cell, causes: &CellCauses) -> (String, Result<crate::record::Interval, Outcome>) {
    let at = format!("{}, {}", cell.axes.told_env(), overcommit(cell.axes.overcommit));
    let few =
        || Outcome::CannotBeTold(format!("{} handovers; {HANDOVERS_NEEDED} are needed", causes.handovers));
    let share = share_interval(causes.granted_off, causes.handovers)
        .filter(|_| causes.handovers >= HANDOVERS_NEEDED)
        .ok_or_else(few);
    let figure = share.as_ref().map_or_else(
        |_| "an unknown part".into(),
        |share| format!("{} ({})", percent(share.median), range(*share, percent)),
    );
    let lock = &cell.axes.lock;
    (format!("{lock}, {at}: {figure} of the handovers went to a vCPU that was not running"), share)
}

fn fifo(cell: &Cell, causes: &CellCauses) -> (String, Outcome) {
    let (mut measured, share) = part(cell, causes);
    let holders: u64 = causes.vcpus.iter().fold(0, |sum, vcpu| sum.saturating_add(vcpu.preempted_holding));
    measured.push_str(&format!("; {} waiter preemptions, {holders} of holders", causes.granted_off));
    let least = least_granted_off(cell.axes.overcommit);
    let outcome = match share {
        Err(outcome) => outcome,
        Ok(share) => match at_least(share, least, "fewer than that") {
            Outcome::Reproduced if (causes.granted_off as f64) < DWARFS * holders as f64 => {
                Outcome::NotReproduced(format!(
                    "there are not {DWARFS} waiter preemptions to one of a holder"
                ))
            }
            outcome => outcome,
        },
    };
    (measured, outcome)
}

fn unfair(cell: &Cell, causes: &CellCauses) -> (String, Outcome) {
    let (measured, share) = part(cell, causes);
    let outcome =
        share.map_or_else(|outcome| outcome, |share| at_most(share, VANISHES, "it does not vanish"));
    (measured, outcome)
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::{Plan, outcome};
    use super::dwarf;

    #[test]
    fn both_halves() {
        let with = |ticket, tas| {
            let plan = Plan::default().traced("ticket", "emulated", 2.0, ticket);
            outcome(&plan.traced("tas", "emulated", 2.0, tas), "S9")
        };
        let vanished = [100_000, 40, 50];
        assert_eq!(with([450, 360, 2], vanished), "reproduced");
        assert_eq!(with([450, 90, 2], vanished), "not reproduced");
        assert_eq!(with([450, 360, 200], vanished), "not reproduced");
        assert_eq!(with([450, 360, 2], [100_000, 40_000, 50]), "not reproduced");
        assert_eq!(with([12, 10, 0], [12, 0, 0]), "cannot be told on this machine");
        assert_eq!(with([40, 21, 0], [60, 3, 0]), "cannot be told on this machine");
        assert_eq!(with([450, 360, 2], [12, 0, 0]), "cannot be told on this machine", "one half of two");
        let only = Plan::default().traced("tas", "emulated", 2.0, vanished);
        let said = dwarf(&only.results()).outcome().to_string();
        assert!(said.contains("in a FIFO lock it dwarfs: not measured"), "{said}");
        assert_eq!(outcome(&Plan::default(), "S9"), "cannot be told on this machine");
    }

    #[test]
    fn nothing_counts_preemptions() {
        let plan = |facility| {
            let plan = Plan::default().without(facility, "no such area");
            let plan = plan.traced("ticket", "emulated", 2.0, [450, 0, 0]);
            dwarf(&plan.traced("tas", "emulated", 2.0, [100_000, 0, 0]).results())
        };
        let shape = plan("preemption-counting");
        assert!(shape.outcome().to_string().contains("counted in emulated: no such area"), "{shape:?}");
        assert!(!shape.findings[0].measured.contains("not running"), "{shape:?}");
        assert_eq!(plan("steal-time").outcome().word(), "not reproduced", "that is another environment's");
    }
}
