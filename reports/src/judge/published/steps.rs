//! S3, S4 and S6: shapes over the steps of overcommit.

use super::shape::{Finding, Outcome, Shape, at_most, straddles, told};
use super::thresholds::{ABOUT_NOTHING, FAR_BELOW_FAIR, STEPS_FOR_A_PEAK};
use crate::derive::setting::{Setting, above, environments, main_setting, same};
use crate::format::{overcommit, percent, range, ratio};
use crate::judge::comparison::compare;
use crate::record::{Interval, Results};

/// The paravirtual lock of the publications, and its plain lock.
pub(super) const CURE: (&str, &str) = ("pv-ticket", "ticket");

/// The main settings of the environments in which vCPUs are preempted.
pub(super) fn virtualized(results: &Results) -> impl Iterator<Item = Setting<'_>> {
    environments(results)
        .into_iter()
        .filter(|env| *env != "native")
        .filter_map(|env| main_setting(results, env))
}

/// Gain of the cure over the plain lock at a step, or why it is not known; none where a cell is missing.
pub(super) fn gain(results: &Results, setting: &Setting<'_>, k: f64) -> Option<Result<Interval, Outcome>> {
    let (cure, plain) = (setting.at(CURE.0, k)?, setting.at(CURE.1, k)?);
    Some(told(&compare(results, cure, plain)))
}

/// Overcommit factors up to 1 of cells with several vCPUs, ascending: a single vCPU never waits.
fn up_to_one(setting: &Setting<'_>) -> Vec<f64> {
    let cells = setting.cells.iter().filter(|cell| cell.axes.vcpus > 1);
    let mut factors: Vec<f64> = cells.map(|cell| cell.axes.overcommit).filter(|k| !above(*k)).collect();
    factors.sort_by(f64::total_cmp);
    factors.dedup_by(|a, b| same(*a, *b));
    factors
}

/// S3: at or under 1x the cure gains about nothing.
pub(super) fn no_gain_at_one(results: &Results) -> Shape {
    let findings = virtualized(results).flat_map(|setting| {
        let of_step = |k: f64| {
            let at = format!("{}, {}", setting.axes().told_env(), overcommit(k));
            let (measured, outcome) = match gain(results, &setting, k)? {
                Ok(times) => (
                    format!(
                        "pv-ticket does {} ({}) times the rate of ticket, {at}",
                        ratio(times.median),
                        range(times, ratio)
                    ),
                    about_nothing(times),
                ),
                Err(outcome) => (format!("pv-ticket beside ticket, {at}"), outcome),
            };
            Some(Finding::new(measured, outcome))
        };
        up_to_one(&setting).into_iter().filter_map(of_step).collect::<Vec<_>>()
    });
    Shape {
        id: "S3",
        claim: "at or under 1x overcommit a paravirtual lock gains about nothing",
        source: "kernel commit 545ac138; Raghavendra K T, May 2014",
        published: "PV ticket, dbench on 32 vCPUs: 15,035 → 15,150 MB/s (+0.8 %) at 1x; bounded disorder +4 % at 0.5x, \
                    +8 % at 1x",
        rule: format!(
            "with two vCPUs or more, the interval lies between 1/{0} and {0} at a step up to 1x, and beyond at none",
            ratio(ABOUT_NOTHING)
        ),
        halves: &[],
        findings: findings.collect(),
        needs: "needs pv-ticket beside ticket at or under 1x, with two vCPUs or more, emulated or kvm".into(),
    }
}

fn about_nothing(times: Interval) -> Outcome {
    let least = 1.0 / ABOUT_NOTHING;
    if times.low >= least && times.high <= ABOUT_NOTHING {
        Outcome::Reproduced
    } else if times.low > ABOUT_NOTHING {
        Outcome::NotReproduced("it gains more than that".into())
    } else if times.high < least {
        Outcome::NotReproduced("it loses more than that".into())
    } else {
        straddles(if times.high > ABOUT_NOTHING { ABOUT_NOTHING } else { least })
    }
}

/// S4: above 1x a plain FIFO lock loses far more than its fair share.
pub(super) fn collapse(results: &Results) -> Shape {
    let findings = virtualized(results).filter_map(|setting| {
        let env = setting.axes().told_env();
        let above = setting.at("ticket", 2.0)?;
        let one = setting.at_one(above)?;
        let (measured, outcome) = match told(&compare(results, above, one)) {
            Ok(kept) => (
                format!(
                    "ticket keeps {} ({}) of its 1x rate at 2x, {env}",
                    percent(kept.median),
                    range(kept, percent)
                ),
                at_most(kept, FAR_BELOW_FAIR, "it keeps more than that"),
            ),
            Err(outcome) => (format!("ticket at 2x beside 1x, {env}"), outcome),
        };
        Some(Finding::new(measured, outcome))
    });
    Shape {
        id: "S4",
        claim: "above 1x plain FIFO locks lose far more than their fair share",
        source: "kernel commit 545ac138",
        published: "plain ticket, dbench at four steps of overcommit (their labels, 1x to 4x, recalled and not checked): 15,035, \
                    1,470, 849, 653 MB/s: a tenth at the second step, where half would be fair",
        rule: format!(
            "at 2x the interval lies at or below {} of the 1x rate; fair is 100 %",
            percent(FAR_BELOW_FAIR)
        ),
        halves: &[],
        findings: findings.collect(),
        needs: "needs ticket at 1x and 2x on the same pCPUs, emulated or kvm".into(),
    }
}

/// S6: the gain has a peak; it does not grow for ever.
pub(super) fn peak(results: &Results) -> Shape {
    let findings = virtualized(results).filter_map(|setting| {
        let above_one = setting.above_one();
        let gains: Vec<(f64, Result<Interval, Outcome>)> = [1.0]
            .into_iter()
            .chain(above_one)
            .filter_map(|k| Some((k, gain(results, &setting, k)?)))
            .collect();
        if !gains.iter().any(|(k, _)| above(*k)) {
            return None;
        }
        let known: Vec<(f64, Interval)> =
            gains.iter().filter_map(|(k, gain)| Some((*k, gain.as_ref().ok().copied()?))).collect();
        let told: Vec<String> = known
            .iter()
            .map(|(k, times)| {
                format!("{} {} ({})", overcommit(*k), ratio(times.median), range(*times, ratio))
            })
            .collect();
        let measured = format!(
            "pv-ticket to ticket, {}: {}",
            setting.axes().told_env(),
            if told.is_empty() { "no step known".into() } else { told.join("; ") }
        );
        Some(Finding::new(measured, peaks(&known)))
    });
    Shape {
        id: "S6",
        claim: "the gain of a paravirtual lock peaks; it does not grow for ever",
        source: "kernel commit 545ac138",
        published: "PV ticket over ticket at four steps: +0.8, +16.6, +14.0, +5.0 %",
        rule: format!(
            "of at least {STEPS_FOR_A_PEAK} steps from 1x on, the largest gain is at one above 1x, its interval lies above \
             that of a step before it and of one after it, and no gain grows again once it fell; a gain that grows at \
             every step speaks against it"
        ),
        halves: &[],
        findings: findings.collect(),
        needs: "needs pv-ticket beside ticket at three steps from 1x on, emulated or kvm".into(),
    }
}

/// Judges gains by ascending step.
fn peaks(known: &[(f64, Interval)]) -> Outcome {
    if known.len() < STEPS_FOR_A_PEAK {
        return Outcome::CannotBeTold(format!(
            "{STEPS_FOR_A_PEAK} steps from 1x on are needed, and {} known",
            match known.len() {
                1 => "1 is".to_owned(),
                few => format!("{few} are"),
            }
        ));
    }
    let greater = |one: &(f64, Interval), other: &(f64, Interval)| one.1.low > other.1.high;
    let (last, largest) = (
        known.len() - 1,
        (0..known.len()).max_by(|a, b| known[*a].1.median.total_cmp(&known[*b].1.median)).unwrap_or(0),
    );
    if known.windows(2).all(|pair| greater(&pair[1], &pair[0])) {
        let at = overcommit(known[last].0);
        return Outcome::NotReproduced(format!("it grows at every step measured, up to {at}"));
    }
    let (top, at) = (&known[largest], overcommit(known[largest].0));
    let lower_before = known[..largest].iter().any(|step| greater(top, step));
    let lower_after = known[largest + 1..].iter().any(|step| greater(top, step));
    let again = (0..known.len()).find(|&low| {
        let beyond = |steps: &[(f64, Interval)]| steps.iter().any(|step| greater(step, &known[low]));
        beyond(&known[..low]) && beyond(&known[low + 1..])
    });
    let untold = if largest == last {
        format!("the largest gain is at the last step measured, {at}")
    } else if largest == 0 {
        format!("the largest gain is at the first step measured, {at}")
    } else if top.1.low <= 1.0 {
        format!("the largest gain, at {at}, cannot be told from none")
    } else if !lower_before {
        format!("the gain at {at} cannot be told from those before it")
    } else if !lower_after {
        format!("the gain at {at} cannot be told from those after it")
    } else if let Some(low) = again {
        format!("it falls up to {} and grows again", overcommit(known[low].0))
    } else {
        return Outcome::Reproduced;
    };
    Outcome::CannotBeTold(untold)
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::{Plan, outcome};

    fn gains(spread: f64, gains: &[(f64, f64)]) -> Plan {
        gains.iter().fold(Plan::default().spread(spread), |plan, &(k, gain)| {
            plan.at("ticket", "emulated", k, 1e6).at("pv-ticket", "emulated", k, 1e6 * gain)
        })
    }

    #[test]
    fn no_gain_at_one() {
        assert_eq!(outcome(&gains(0.01, &[(1.0, 1.01)]), "S3"), "reproduced");
        assert_eq!(outcome(&gains(0.01, &[(1.0, 1.4)]), "S3"), "not reproduced");
        assert_eq!(outcome(&gains(0.01, &[(1.0, 0.7)]), "S3"), "not reproduced");
        assert_eq!(outcome(&gains(0.1, &[(1.0, 1.0)]), "S3"), "cannot be told on this machine");
        let alone = gains(0.01, &[(0.5, 1.01)]);
        assert_eq!(outcome(&alone, "S3"), "cannot be told on this machine", "one vCPU");
        let half = |gain: f64| {
            let plan = gains(0.01, &[(1.0, 1.01)]).cell("ticket", "emulated", "short", 2, 4, 1e6);
            outcome(&plan.cell("pv-ticket", "emulated", "short", 2, 4, 1e6 * gain), "S3")
        };
        assert_eq!((half(1.01), half(1.4)), ("reproduced", "not reproduced"));
        assert_eq!(outcome(&Plan::default(), "S3"), "cannot be told on this machine");
    }

    #[test]
    fn collapse() {
        let kept = |kept: f64, spread| {
            let plan = Plan::default().spread(spread);
            outcome(&plan.at("ticket", "kvm", 1.0, 6e6).at("ticket", "kvm", 2.0, 6e6 * kept), "S4")
        };
        assert_eq!(kept(0.0001, 0.1), "reproduced");
        assert_eq!(kept(0.9, 0.1), "not reproduced");
        assert_eq!(kept(0.5, 0.1), "cannot be told on this machine");
        assert_eq!(outcome(&Plan::default(), "S4"), "cannot be told on this machine");
    }

    #[test]
    fn peak() {
        let said = |spread, steps: &[(f64, f64)]| outcome(&gains(spread, steps), "S6");
        let (shown, not, untold) = ("reproduced", "not reproduced", "cannot be told on this machine");
        assert_eq!(said(0.01, &[(1.5, 3.0), (2.0, 20.0), (4.0, 5.0)]), shown);
        assert_eq!(
            said(0.01, &[(1.0, 1.0), (1.5, 20.0), (2.0, 5.0), (4.0, 4.0)]),
            shown,
            "1x is the left side"
        );
        assert_eq!(said(0.01, &[(1.5, 3.0), (2.0, 20.0), (4.0, 50.0)]), not);
        assert_eq!(said(0.01, &[(1.5, 20.0), (2.0, 10.0), (4.0, 5.0)]), untold, "nothing lower before it");
        assert_eq!(said(0.01, &[(1.0, 1.0), (1.5, 20.0), (2.0, 5.0), (4.0, 10.0)]), untold, "it grows again");
        assert_eq!(
            said(0.01, &[(1.0, 1.0), (1.5, 5.0), (2.0, 4.9), (4.0, 9.0)]),
            untold,
            "largest at the last"
        );
        assert_eq!(said(0.01, &[(1.0, 0.3), (1.5, 0.6), (2.0, 0.4)]), untold, "no gain at all");
        assert_eq!(said(0.1, &[(1.5, 3.0), (2.0, 5.0), (4.0, 4.9)]), untold);
        assert_eq!(said(0.01, &[(1.5, 3.0), (2.0, 2.0)]), untold);
    }
}
