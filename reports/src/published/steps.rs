//! S3, S4 and S6: what grows, or does not, with the step of overcommit.

use super::shape::{Finding, Outcome, Shape, at_most, straddles, told};
use super::thresholds::{ABOUT_NOTHING, FAR_BELOW_FAIR, STEPS_FOR_A_PEAK};
use crate::comparison::compare;
use crate::format::{overcommit, percent, range, ratio};
use crate::record::{Interval, Results};
use crate::slices::{Slice, environments, main_slice};

/// The cure that was published, and what it cures.
pub(super) const CURE: (&str, &str) = ("pv-ticket", "ticket");

/// The main slices of the environments in which vCPUs are preempted.
pub(super) fn virtualized(results: &Results) -> impl Iterator<Item = Slice<'_>> {
    environments(results)
        .into_iter()
        .filter(|env| *env != "native")
        .filter_map(|env| main_slice(results, env))
}

/// Gain of the cure over the plain lock at a step, or why it is not known; none where a cell is missing.
pub(super) fn gain(results: &Results, slice: &Slice<'_>, k: f64) -> Option<Result<Interval, Outcome>> {
    let (cure, plain) = (slice.at(CURE.0, k)?, slice.at(CURE.1, k)?);
    Some(told(&compare(results, cure, plain)))
}

/// S3: at 1x the cure gains about nothing.
pub(super) fn no_gain_at_one(results: &Results) -> Shape {
    let findings = virtualized(results).filter_map(|slice| {
        let env = &slice.axes().env;
        let (measured, outcome) = match gain(results, &slice, 1.0)? {
            Ok(times) => (
                format!(
                    "pv-ticket does {} ({}) times the rate of ticket, {env}, 1x",
                    ratio(times.median),
                    range(times, ratio)
                ),
                about_nothing(times),
            ),
            Err(outcome) => (format!("pv-ticket beside ticket, {env}, 1x"), outcome),
        };
        Some(Finding { measured, outcome })
    });
    Shape {
        id: "S3",
        claim: "at 1x overcommit a paravirtual lock gains about nothing",
        source: "kernel commit 545ac138; Raghavendra K T, May 2014",
        published: "PV ticket, dbench on 32 vCPUs: 15,035 → 15,150 MB/s (+0.8 %) at 1x; bounded disorder +8 %",
        rule: format!("the interval lies between 1/{0} and {0}", ratio(ABOUT_NOTHING)),
        findings: findings.collect(),
        needs: "needs pv-ticket beside ticket at 1x, emulated or kvm".into(),
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
    let findings = virtualized(results).filter_map(|slice| {
        let env = &slice.axes().env;
        let above = slice.at("ticket", 2.0)?;
        let one = slice.at_one(above)?;
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
        Some(Finding { measured, outcome })
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
        findings: findings.collect(),
        needs: "needs ticket at 1x and 2x on the same pCPUs, emulated or kvm".into(),
    }
}

/// S6: the gain peaks; it does not grow for ever.
pub(super) fn peak(results: &Results) -> Shape {
    let findings = virtualized(results).filter_map(|slice| {
        let factors = slice.above_one();
        let gains: Vec<(f64, Result<Interval, Outcome>)> =
            factors.into_iter().filter_map(|k| Some((k, gain(results, &slice, k)?))).collect();
        let known: Vec<(f64, Interval)> =
            gains.iter().filter_map(|(k, gain)| Some((*k, gain.as_ref().ok().copied()?))).collect();
        if gains.is_empty() {
            return None;
        }
        let told: Vec<String> = known
            .iter()
            .map(|(k, times)| {
                format!("{} {} ({})", overcommit(*k), ratio(times.median), range(*times, ratio))
            })
            .collect();
        let measured = format!(
            "pv-ticket to ticket, {}: {}",
            slice.axes().env,
            if told.is_empty() { "no step known".into() } else { told.join("; ") }
        );
        Some(Finding { measured, outcome: peaks(&known) })
    });
    Shape {
        id: "S6",
        claim: "the gain of a paravirtual lock peaks; it does not grow for ever",
        source: "kernel commit 545ac138",
        published: "PV ticket over ticket at four steps: +0.8, +16.6, +14.0, +5.0 %",
        rule: format!(
            "of at least {STEPS_FOR_A_PEAK} steps above 1x, the largest gain is not at the last, and its interval lies above \
             that of the last"
        ),
        findings: findings.collect(),
        needs: "needs pv-ticket beside ticket at three steps above 1x, emulated or kvm".into(),
    }
}

fn peaks(known: &[(f64, Interval)]) -> Outcome {
    if known.len() < STEPS_FOR_A_PEAK {
        return Outcome::CannotBeTold(format!(
            "{} steps above 1x are known; {STEPS_FOR_A_PEAK} are wanted",
            known.len()
        ));
    }
    let Some(((_, last), before)) = known.split_last() else {
        return Outcome::CannotBeTold("no step".into());
    };
    let largest = before.iter().map(|(_, gain)| *gain).max_by(|a, b| a.median.total_cmp(&b.median));
    match largest {
        Some(largest) if largest.low > last.high => Outcome::Reproduced,
        Some(largest) if last.low > largest.high => {
            Outcome::NotReproduced("it is still growing at the last step".into())
        }
        _ => Outcome::CannotBeTold("the intervals of the largest gain and of the last step's overlap".into()),
    }
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
        assert_eq!(outcome(&gains(0.01, &[(1.5, 3.0), (2.0, 20.0), (4.0, 5.0)]), "S6"), "reproduced");
        assert_eq!(outcome(&gains(0.01, &[(1.5, 3.0), (2.0, 20.0), (4.0, 50.0)]), "S6"), "not reproduced");
        let flat = gains(0.1, &[(1.5, 3.0), (2.0, 5.0), (4.0, 4.9)]);
        assert_eq!(outcome(&flat, "S6"), "cannot be told on this machine");
        let few = gains(0.01, &[(1.5, 3.0), (2.0, 2.0)]);
        assert_eq!(outcome(&few, "S6"), "cannot be told on this machine");
    }
}
