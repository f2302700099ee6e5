//! S5 and S8: shapes that depend on the host.

use super::shape::{Finding, Outcome, Shape, at_least, told};
use super::steps::gain;
use super::thresholds::{EARLY_WAIT_HURTS, EARLY_WAITS_NEEDED};
use crate::derive::setting::{counterpart, main_setting};
use crate::format::{counted, overcommit, range, ratio, significant};
use crate::judge::comparison::compare;
use crate::record::params::EARLY_WAIT;
use crate::record::{Cell, Results, Status};

/// The parameter with which a lock waits early whatever the hint says.
const ALWAYS_EARLY: (&str, &str) = (EARLY_WAIT, "always");

/// S5: the gain is larger where the host gives no help.
pub(super) fn help(results: &Results) -> Shape {
    let at_two = |env: &str| gain(results, &main_setting(results, env)?, 2.0);
    let findings = at_two("emulated").zip(at_two("kvm")).map(|(alone, helped)| {
        let shown = |name: &str, gain: &Result<crate::record::Interval, Outcome>| match gain {
            Ok(times) => format!("{} ({}) times {name}", ratio(times.median), range(*times, ratio)),
            Err(_) => format!("unknown {name}"),
        };
        let measured = format!(
            "pv-ticket to ticket at 2x: {}, {}",
            shown("emulated, which never helps", &alone),
            shown("in kvm", &helped)
        );
        Finding::new(measured, helps(results, alone, helped))
    });
    Shape {
        id: "S5",
        claim: "the gain is larger where the host gives no help (no pause-loop exits)",
        source: "kernel commit 545ac138 and its discussion; Ouyang & Lange, VEE'13",
        published: "with pause-loop exits a PV ticket gains +16.6 % at the second step; without, preemptable tickets gain \
                    5.3 times on average, 7.9 with a PV VMM",
        rule: "where kvm has pause-loop exits that see ring 3 (AMD's pause filter), the gain in emulated lies above the gain in kvm".into(),
        halves: &[],
        findings: findings.into_iter().collect(),
        needs: "needs pv-ticket beside ticket at 2x both emulated and in kvm".into(),
    }
}

fn helps(
    results: &Results,
    alone: Result<crate::record::Interval, Outcome>,
    helped: Result<crate::record::Interval, Outcome>,
) -> Outcome {
    if let Err(why) = pause_loop_exits(results) {
        return Outcome::CannotBeTold(why);
    }
    match (alone, helped) {
        (Err(outcome), _) | (_, Err(outcome)) => outcome,
        (Ok(alone), Ok(helped)) if alone.low > helped.high => Outcome::Reproduced,
        (Ok(alone), Ok(helped)) if alone.high < helped.low => {
            Outcome::NotReproduced("the gain is larger where the host helps".into())
        }
        _ => Outcome::CannotBeTold("the two intervals overlap".into()),
    }
}

/// Whether this host's KVM takes the pCPU from a vCPU that spins in ring 3, where lockbench's vCPUs run; else why not.
/// AMD's pause filter counts in every ring; Intel's pause-loop exits look at ring 0 alone, and so never see lockbench.
fn pause_loop_exits(results: &Results) -> Result<(), String> {
    let costs = results.machine.kvm_costs.as_ref();
    let parameter = |wanted: &str| {
        let found = costs?.parameters.iter().find(|(name, _)| name.ends_with(wanted));
        Some(found?.1.trim().parse::<u64>().unwrap_or(0))
    };
    let kind = if results.machine.kvm.is_empty() { "unknown" } else { &results.machine.kvm };
    match (parameter(".pause_filter_count"), parameter(".ple_gap")) {
        (Some(1..), _) => Ok(()),
        (Some(0), _) => Err("pause-loop exits are switched off here, so no host helps".into()),
        (None, Some(_)) => Err("pause-loop exits of Intel's processors look at ring 0 alone, and lockbench's vCPUs spin in ring 3, \
                                so the host does not help them"
            .into()),
        (None, None) => Err(format!(
            "no pause-loop exits are known of this kvm (kind: {kind}), so there is no host that helps to compare with"
        )),
    }
}

/// S8: the negative control: waiting much too early hurts.
pub(super) fn early_wait(results: &Results) -> Shape {
    let (name, value) = ALWAYS_EARLY;
    let findings = results.cells.iter().filter(|cell| {
        let axes = &cell.axes;
        axes.lock == "pv-queued"
            && axes.env == "kvm"
            && axes.overcommit >= 3.0 - 1e-9
            && cell.status == Status::Ok
    });
    let findings = findings
        .filter(|cell| cell.axes.params.get(name).is_some_and(|set| set == value))
        .filter_map(|early| {
            let usual = counterpart(results, early, |axes| {
                axes.params.remove(name);
            })?;
            let (measured, outcome) = match told(&compare(results, usual, early)) {
                Ok(times) => (
                    format!(
                        "pv-queued in kvm at {} is {} ({}) times as fast without waiting early",
                        overcommit(early.axes.overcommit),
                        ratio(times.median),
                        range(times, ratio)
                    ),
                    at_least(times, EARLY_WAIT_HURTS, "waiting early hurts less than that"),
                ),
                Err(outcome) => ("pv-queued in kvm with and without waiting early".into(), outcome),
            };
            let how_often = early_waits(early);
            let measured = format!("{measured}; with it, {}", how_often.as_ref().map_or(UNCOUNTED, |(_, said)| said));
            let outcome = match how_often {
                None => Outcome::CannotBeTold(UNCOUNTED.into()),
                Some((each, said)) if each < EARLY_WAITS_NEEDED => Outcome::CannotBeTold(format!(
                    "{said}, and at least {} is needed to show anything: a vCPU that takes the lock before it queues does not wait early",
                    as_words(EARLY_WAITS_NEEDED)
                )),
                Some(_) => outcome,
            };
            Some(Finding::new(measured, outcome))
        });
    Shape {
        id: "S8",
        claim: "negative control: waiting much too early hurts at 3x",
        source: "stable list, 9 September 2019",
        published: "PV queued lock, 3 VMs: 1,700–1,800 rec/s, 13,000–14,000 once waiting early on a wrong hint was \
                    reverted: 7.7 times",
        rule: format!(
            "with early-wait=always, which is a hint that is always wrong, the rate is at least {} times as low; this is told \
             only where there is at least {}. A sweep of the spin threshold does not test this: shorter spinning may pay",
            ratio(EARLY_WAIT_HURTS),
            as_words(EARLY_WAITS_NEEDED)
        ),
        halves: &[],
        findings: findings.collect(),
        needs: "needs pv-queued in kvm at 3x with early-wait=always and without".into(),
    }
}

const UNCOUNTED: &str = "an uncounted number of early waits";

/// Early waits per acquisition, as a number and in words; none where acquisitions were not counted. A vCPU may halt early
/// several times in one wait.
fn early_waits(cell: &Cell) -> Option<(f64, String)> {
    let of = cell.counted_operations;
    let early = cell.counters.get("pv_wait_early").copied().unwrap_or(0);
    let each = early as f64 / of as f64;
    match early {
        _ if of == 0 => None,
        0 => Some((0.0, format!("no early wait in {}", counted(of as usize, "acquisition")))),
        _ => Some((each, as_words(each))),
    }
}

fn as_words(each: f64) -> String {
    if each > 1.0 {
        format!("{} early waits per acquisition", significant(each))
    } else {
        format!("one early wait in {} acquisitions", significant((1.0 / each).round()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::{Plan, outcome};
    use super::EARLY_WAIT;

    fn gains(plan: Plan, emulated: f64, kvm: f64) -> Plan {
        [("emulated", emulated), ("kvm", kvm)].into_iter().fold(plan, |plan, (env, gain)| {
            plan.at("ticket", env, 2.0, 1e6).at("pv-ticket", env, 2.0, 1e6 * gain)
        })
    }

    #[test]
    fn help() {
        let helped = || Plan::default().spread(0.02).kvm("hardware", "kvm_amd.pause_filter_count", "3000");
        assert_eq!(outcome(&gains(helped(), 20.0, 1.2), "S5"), "reproduced");
        assert_eq!(outcome(&gains(helped(), 1.2, 20.0), "S5"), "not reproduced");
        assert_eq!(outcome(&gains(helped(), 5.0, 5.0), "S5"), "cannot be told on this machine");
        let off = Plan::default().kvm("hardware", "kvm_amd.pause_filter_count", "0");
        assert_eq!(outcome(&gains(off, 20.0, 1.2), "S5"), "cannot be told on this machine");
        let intel =
            gains(Plan::default().spread(0.02).kvm("hardware", "kvm_intel.ple_gap", "128"), 20.0, 1.2);
        let said = super::super::shapes(&intel.results())[4].outcome().to_string();
        assert!(said.contains("look at ring 0 alone"), "{said}");
        assert_eq!(outcome(&gains(Plan::default(), 20.0, 1.2), "S5"), "cannot be told on this machine");
    }

    #[test]
    fn early_wait() {
        let plan = |early: f64, spread, waits| {
            let plan = Plan::default().spread(spread).at("pv-queued", "kvm", 3.0, 1e6);
            let early = plan.at("pv-queued", "kvm", 3.0, early).param(EARLY_WAIT, "always");
            early.counted("pv_wait_early", waits)
        };
        let with = |early, spread| outcome(&plan(early, spread, 1.0), "S8");
        assert_eq!(with(0.1e6, 0.02), "reproduced");
        assert_eq!(with(1e6, 0.02), "not reproduced");
        assert_eq!(with(0.667e6, 0.1), "cannot be told on this machine");
        let said = |waits| {
            let shape = super::early_wait(&plan(1e6, 0.02, waits).results());
            (shape.outcome().to_string(), shape.findings[0].measured.clone())
        };
        let (outcome, measured) = said(0.0001);
        assert!(outcome.starts_with("cannot be told on this machine (one early wait in 10,0"), "{outcome}");
        assert!(outcome.contains("at least one early wait in 100 acquisitions is needed"), "{outcome}");
        assert!(measured.contains("with it, one early wait in 1"), "{measured}");
        let (outcome, measured) = said(0.0);
        assert!(outcome.contains("(no early wait in 6"), "{outcome}");
        assert!(measured.contains("with it, no early wait in 6"), "{measured}");
        assert!(said(3.0).1.ends_with("with it, 3.00 early waits per acquisition"), "{:?}", said(3.0));
        let alone = Plan::default().at("pv-queued", "kvm", 3.0, 1e6);
        let shapes = super::super::shapes(&alone.results());
        let said = shapes[7].outcome().to_string();
        assert!(said.contains("needs pv-queued in kvm at 3x with early-wait=always"), "{said}");
    }
}
