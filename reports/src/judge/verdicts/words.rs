//! Verdicts in words. They claim what was seen: one saturated lock, on this machine, up to a step of overcommit.

use super::{Step, Verdict, reach};
use crate::format::{counted, overcommit, percent, printable, significant};
use crate::record::{Kept, Results, Served, Thresholds};
use crate::statistics::MIN_ROUNDS;

impl Kept {
    /// The label in a word or three.
    pub fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Degrades => "degrades",
            Self::Collapses => "collapses",
            Self::CannotBeTold => "cannot be told",
        }
    }
}

impl Served {
    /// The label in a word or three.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fair => "fair",
            Self::Unfair => "unfair",
            Self::Starving => "starving",
            Self::CannotBeTold => "cannot be told",
        }
    }
}

/// The verb for so many locks.
pub fn verb(label: Kept, count: usize) -> &'static str {
    match (label, count) {
        (Kept::Holds, 1) => "holds",
        (Kept::Holds, _) => "hold",
        (Kept::Degrades, 1) => "degrades",
        (Kept::Degrades, _) => "degrade",
        (Kept::Collapses, 1) => "collapses",
        (Kept::Collapses, _) => "collapse",
        (Kept::CannotBeTold, _) => "cannot be told",
    }
}

/// The label that the first sentence counts first, with its count: `7 of 11 collapse`.
pub fn leading(step: &Step<'_>) -> String {
    let counts = LABELS.into_iter().map(|label| (label, step.count(label)));
    let first = counts.into_iter().find(|(_, count)| *count > 0);
    first.map_or_else(String::new, |(label, count)| {
        format!("{count} of {} {}", step.verdicts.len(), verb(label, count))
    })
}

/// Labels in the order in which the first sentence counts them.
pub const LABELS: [Kept; 4] = [Kept::Collapses, Kept::Degrades, Kept::Holds, Kept::CannotBeTold];

/// The first sentence of a report: `At 2 vCPUs per CPU 8 of 12 locks collapse here, 1 degrades, 2 hold, 1 cannot be told.`
pub fn headline(step: &Step<'_>) -> String {
    let all = step.verdicts.len();
    let schedule =
        step.schedule().map_or_else(String::new, |schedule| format!(", {},", printable(&schedule)));
    let per = format!("At {} vCPUs per CPU{schedule}", overcommit(step.overcommit).trim_end_matches('x'));
    let mut parts =
        LABELS.into_iter().map(|label| (label, step.count(label))).filter(|(_, count)| *count > 0);
    let Some((label, count)) = parts.next().filter(|(label, _)| *label != Kept::CannotBeTold) else {
        let why = untold_alike(step).map_or_else(String::new, |why| format!(": {why}"));
        return match step.verdicts.as_slice() {
            [only] => {
                format!("{per} it cannot be told whether {} holds{why}.", printable(&only.cell.axes.lock))
            }
            _ => format!("{per} it cannot be told of any of {all} locks whether it holds{why}."),
        };
    };
    if let [only] = step.verdicts.as_slice() {
        return format!("{per} {} {} here.", printable(&only.cell.axes.lock), label.word());
    }
    let rest: String = parts.map(|(label, count)| format!(", {count} {}", verb(label, count))).collect();
    format!("{per} {count} of {all} locks {} here{rest}.", verb(label, count))
}

/// Why it cannot be told of some locks whether they hold, where the reason is the same for all of them.
pub fn untold_alike<'a>(step: &Step<'a>) -> Option<&'a str> {
    let mut reasons = step.verdicts.iter().filter_map(|verdict| verdict.of.rate_untold.as_deref());
    let first = reasons.next()?;
    reasons.all(|other| other == first).then_some(first)
}

/// What tells more of the locks of which it cannot be told whether they hold; nothing where a verdict stands on all.
pub fn tells_more(results: &Results, step: &Step<'_>) -> Option<String> {
    let untold = step.count(Kept::CannotBeTold);
    let (has, needed) = (results.rounds, MIN_ROUNDS as u32);
    let rounds = counted(has as usize, "round");
    let too_few = |verdict: &Verdict<'_>| verdict.of.rounds < needed;
    let mut open = step.verdicts.iter().filter(|verdict| verdict.of.rate == Kept::CannotBeTold);
    match untold {
        0 => None,
        _ if has >= needed && open.all(too_few) => Some(format!(
            "Of {} too few of {rounds} were usable: `lockbench doctor` says what disturbs this machine.",
            counted(untold, "lock")
        )),
        _ if has < needed => Some(format!(
            "A verdict needs {needed} rounds and this run has {has}: `lockbench suite --profile quick` takes 6 in a minute."
        )),
        _ if has < 2 * needed => Some(format!(
            "Of {} it cannot be told from {rounds}: `--rounds {}` tells more.",
            counted(untold, "lock"),
            2 * needed
        )),
        _ => None,
    }
}

/// The first sentence of a report without a step above 1x; none where scenarios have their own say of that.
pub fn without_a_step(results: &Results) -> Option<&'static str> {
    let scenarios = results.cells.iter().any(|cell| cell.axes.case.is_some());
    (!scenarios)
        .then_some("No lock was run with more vCPUs than CPUs, so nothing is said of preemption here.")
}

/// Locks by label, the labels that some lock has, best first; of each label those that keep most come first.
pub fn tally<'a>(step: &Step<'a>) -> Vec<(Kept, Vec<&'a str>)> {
    let labels = [Kept::Holds, Kept::Degrades, Kept::Collapses, Kept::CannotBeTold];
    let kept = |verdict: &Verdict<'_>| verdict.of.kept.map_or(0.0, |kept| kept.median);
    let of = |label| {
        let mut with: Vec<_> = step.verdicts.iter().filter(|verdict| verdict.of.rate == label).collect();
        with.sort_by(|a, b| kept(b).total_cmp(&kept(a)));
        (label, with.into_iter().map(|verdict| verdict.cell.axes.lock.as_str()).collect::<Vec<_>>())
    };
    labels.into_iter().map(of).filter(|(_, locks)| !locks.is_empty()).collect()
}

/// How far a lock's label reaches: `held here up to 4x`, `collapses from 2x on`. Steps between those that were run were not seen.
pub fn reached(steps: &[Step<'_>], env: &str, lock: &str) -> Option<String> {
    let (label, first, last) = reach(steps, env, lock)?;
    let alone = first >= last;
    Some(match label {
        Kept::Holds if alone => format!("held here at {}", overcommit(first)),
        Kept::Holds => format!("held here up to {}", overcommit(last)),
        Kept::Degrades | Kept::Collapses if alone => format!("{} at {}", label.word(), overcommit(first)),
        Kept::Degrades | Kept::Collapses => {
            format!("{} at {} to {}", label.word(), overcommit(first), overcommit(last))
        }
        Kept::CannotBeTold => format!("cannot be told at {}", overcommit(first)),
    })
}

/// The thresholds that verdicts were given by, in one sentence.
pub fn thresholds(results: &Results) -> String {
    let Thresholds { holds, collapses, fair, starving, long_wait, starving_wait, between_runs } =
        results.thresholds.unwrap_or_default();
    format!(
        "Holds: keeps at least {} of its rate at 1x on the same pCPUs; collapses: less than {}. Fair: the worst-served vCPU gets at \
         least {} of an equal share, and none waits longer than {} turns of the queue; starving: less than {}, or longer than {} \
         turns. Intervals are widened by {} for what two runs differ by; where one spans a threshold it cannot be told.",
        percent(holds),
        percent(collapses),
        percent(fair),
        significant(long_wait),
        percent(starving),
        significant(starving_wait),
        percent(between_runs)
    )
}
