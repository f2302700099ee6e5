//! S11 and S12: what happens to spinning locks just past 1x, and to their cures later.

use super::shape::{Finding, Outcome, Shape, at_most, told};
use super::steps::virtualized;
use super::thresholds::{CLIFF, FAR_BEHIND, JUST_PAST, LATE};
use crate::derive::setting::{Setting, above};
use crate::format::{overcommit, percent, range, ratio};
use crate::judge::comparison::compare;
use crate::record::{Cell, Interval, Results};
use crate::statistics::Verdict;

/// A queue lock that spins, and the blocking lock that the publication sets beside it.
const SPINS: &str = "mcs";
const BLOCKS: &str = "std-mutex";
/// Cures that skip or set aside waiters by a guess, and whether they were published as good at first.
const CURES: [(&str, bool); 2] = [("mcs-tp", true), ("malthusian", false)];
const HALVES: [&str; 2] = ["just past 1x it keeps up", "later it falls far behind"];

/// S11: just past 1x a FIFO lock that spins falls off a cliff.
pub(super) fn cliff(results: &Results) -> Shape {
    let findings = virtualized(results).filter_map(|setting| {
        let env = setting.axes().told_env();
        let past = first(&setting, |cell| cell.axes.lock == SPINS)?;
        if past.axes.overcommit > JUST_PAST {
            return None;
        }
        let (k, one) = (overcommit(past.axes.overcommit), setting.at_one(past)?);
        let (measured, outcome) = match told(&compare(results, past, one)) {
            Ok(kept) => (
                format!(
                    "{SPINS} keeps {} ({}) of its 1x rate at {k}, {env}",
                    percent(kept.median),
                    range(kept, percent)
                ),
                at_most(kept, CLIFF, "it keeps more than that"),
            ),
            Err(outcome) => (format!("{SPINS} at {k} beside 1x, {env}"), outcome),
        };
        Some(Finding::new(measured, outcome))
    });
    Shape {
        id: "S11",
        claim: "just past 1x a FIFO lock that spins falls off a cliff",
        source: "FlexGuard, SOSP 2025",
        published: "sections under MCS take a fifth of the time that they take under a blocking lock with 100 threads on 104 CPUs, and \
                    four orders of magnitude more than under it from 105 threads on",
        rule: format!(
            "at the first step above 1x, {} at most, the interval lies at or below {} of the 1x rate",
            overcommit(JUST_PAST),
            percent(CLIFF)
        ),
        halves: &[],
        findings: findings.collect(),
        needs: format!(
            "needs {SPINS} at 1x and at a step up to {} on the same pCPUs, emulated or kvm",
            overcommit(JUST_PAST)
        ),
    }
}

/// S12: a cure that guesses keeps up with a blocking lock just past 1x, and falls far behind it later.
pub(super) fn late(results: &Results) -> Shape {
    let findings = virtualized(results).flat_map(|setting| {
        let of_cure = |(cure, good): (&'static str, bool)| {
            let both =
                |cell: &Cell| cell.axes.lock == cure && setting.at(BLOCKS, cell.axes.overcommit).is_some();
            let pair = |cell: &'_ Cell| {
                Some((setting.at(cure, cell.axes.overcommit)?, setting.at(BLOCKS, cell.axes.overcommit)?))
            };
            let early = first(&setting, both).and_then(pair).filter(|_| good);
            let early = early.map(|(cure, blocks)| keeps_up(results, cure, blocks));
            let late = last(&setting, both).filter(|cell| cell.axes.overcommit >= LATE).and_then(pair);
            early
                .into_iter()
                .chain(late.map(|(cure, blocks)| falls_behind(results, cure, blocks)))
                .collect::<Vec<_>>()
        };
        CURES.into_iter().flat_map(of_cure).collect::<Vec<_>>()
    });
    Shape {
        id: "S12",
        claim: "cures that guess which waiter runs keep up with a blocking lock just past 1x, and fall far behind it later",
        source: "FlexGuard, SOSP 2025",
        published: "MCS-TP is best below 120 threads on 104 CPUs, and then 100 times worse; Malthusian collapses",
        rule: format!(
            "beside {BLOCKS}, mcs-tp is judged better or the same at the first step above 1x; at the last step, {} at least, the \
             rate of mcs-tp or malthusian lies at or below {} of that of {BLOCKS}, and the rate of neither lies above it",
            overcommit(LATE),
            percent(FAR_BEHIND)
        ),
        halves: &HALVES,
        findings: findings.collect(),
        needs: format!(
            "needs mcs-tp, malthusian and {BLOCKS} at a first step above 1x and at {} or above, emulated",
            overcommit(LATE)
        ),
    }
}

/// The cell of the smallest step above 1x that is wanted.
fn first<'a>(setting: &Setting<'a>, wanted: impl Fn(&Cell) -> bool) -> Option<&'a Cell> {
    past_one(setting, wanted).min_by(|a, b| a.axes.overcommit.total_cmp(&b.axes.overcommit))
}

/// The cell of the largest step above 1x that is wanted.
fn last<'a>(setting: &Setting<'a>, wanted: impl Fn(&Cell) -> bool) -> Option<&'a Cell> {
    past_one(setting, wanted).max_by(|a, b| a.axes.overcommit.total_cmp(&b.axes.overcommit))
}

fn past_one<'a, 's>(
    setting: &'s Setting<'a>,
    wanted: impl Fn(&Cell) -> bool + 's,
) -> impl Iterator<Item = &'a Cell> + 's {
    setting.cells.iter().copied().filter(move |cell| above(cell.axes.overcommit) && wanted(cell))
}

/// `mcs-tp does 1.30 (1.20 to 1.40) times the rate of std-mutex at 1.5x, emulated`.
fn words(cure: &Cell, blocks: &Cell, times: Option<Interval>) -> String {
    let figure = times.map_or_else(
        || "an unknown number of".into(),
        |times| format!("{} ({})", ratio(times.median), range(times, ratio)),
    );
    let (k, env) = (overcommit(cure.axes.overcommit), cure.axes.told_env());
    format!("{} does {figure} times the rate of {} at {k}, {env}", cure.axes.lock, blocks.axes.lock)
}

fn keeps_up(results: &Results, cure: &Cell, blocks: &Cell) -> Finding {
    let comparison = compare(results, cure, blocks);
    let outcome = match comparison.verdict {
        Verdict::Better | Verdict::Same => Outcome::Reproduced,
        Verdict::Worse => {
            Outcome::NotReproduced(format!("{} does worse than {BLOCKS} just past 1x", cure.axes.lock))
        }
        Verdict::NotEnoughData(reason) => Outcome::CannotBeTold(reason),
    };
    Finding::of(HALVES[0], words(cure, blocks, comparison.ratio), outcome)
}

fn falls_behind(results: &Results, cure: &Cell, blocks: &Cell) -> Finding {
    let comparison = compare(results, cure, blocks);
    let outcome = told(&comparison)
        .map_or_else(|outcome| outcome, |times| at_most(times, FAR_BEHIND, "it does not fall so far behind"));
    Finding::of(HALVES[1], words(cure, blocks, comparison.ratio), outcome)
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::{Plan, outcome};

    #[test]
    fn cliff() {
        let at = |k, kept: f64, spread| {
            let plan = Plan::default().spread(spread);
            outcome(&plan.at("mcs", "emulated", 1.0, 6e6).at("mcs", "emulated", k, 6e6 * kept), "S11")
        };
        assert_eq!(at(1.5, 0.0001, 0.1), "reproduced");
        assert_eq!(at(1.5, 0.4, 0.1), "not reproduced");
        assert_eq!(at(1.5, 0.01, 0.1), "cannot be told on this machine");
        assert_eq!(at(2.0, 0.0001, 0.1), "cannot be told on this machine", "2x is not just past 1x");
        assert_eq!(outcome(&Plan::default(), "S11"), "cannot be told on this machine");
    }

    #[test]
    fn late() {
        let rates = |cure: &'static str, early: f64, late: f64| {
            move |plan: Plan| {
                let plan = plan.at("std-mutex", "emulated", 1.5, 1e6).at(cure, "emulated", 1.5, 1e6 * early);
                plan.at("std-mutex", "emulated", 4.0, 1e6).at(cure, "emulated", 4.0, 1e6 * late)
            }
        };
        let plan = || Plan::default().spread(0.02);
        let (shown, not, untold) = ("reproduced", "not reproduced", "cannot be told on this machine");
        assert_eq!(outcome(&rates("mcs-tp", 1.5, 0.01)(plan()), "S12"), shown);
        assert_eq!(outcome(&rates("mcs-tp", 0.3, 0.01)(plan()), "S12"), not, "never good");
        assert_eq!(outcome(&rates("mcs-tp", 1.5, 0.9)(plan()), "S12"), not, "never bad");
        assert_eq!(outcome(&rates("mcs-tp", 1.5, 0.1)(plan().spread(0.1)), "S12"), untold);
        assert_eq!(outcome(&rates("malthusian", 0.3, 0.01)(plan()), "S12"), untold, "one half of two");
        assert_eq!(outcome(&rates("malthusian", 0.3, 0.9)(plan()), "S12"), not, "it does not collapse");
        let both = |late: f64| {
            let plan = rates("mcs-tp", 1.5, 0.01)(plan());
            let plan = plan.at("malthusian", "emulated", 1.5, 3e5);
            outcome(&plan.at("malthusian", "emulated", 4.0, 1e6 * late), "S12")
        };
        assert_eq!((both(0.01), both(0.9)), (shown, not));
        let early = plan().at("std-mutex", "emulated", 1.5, 1e6).at("mcs-tp", "emulated", 1.5, 1e6);
        assert_eq!(outcome(&early, "S12"), untold, "nothing later");
        assert_eq!(outcome(&Plan::default(), "S12"), untold);
    }
}
