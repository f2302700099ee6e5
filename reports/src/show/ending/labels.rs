//! The verdicts of a step in a line for each label.

use super::Paint;
use crate::format::{contended, overcommit, percent, percents, printable};
use crate::judge::verdicts::{Step, Verdict, leading, reached, tally, untold_alike};
use crate::record::{Interval, Kept, Results, Served};

/// Of so many locks that collapse, a range is told and not what each keeps: all have nearly nothing.
const ALIKE: usize = 4;

/// At most so many locks of one label are named, and the user's own beside them.
const MOST_NAMED: usize = 12;

/// Most locks whose reasons are told one by one.
const MOST_REASONS: usize = 2;

/// What the first sentence claims, and the same step in other environments:
/// `emulated, one saturated lock (short), 4 vCPUs on 2 CPUs; in kvm 7 of 11 collapse`.
pub(super) fn about(steps: &[Step<'_>], step: &Step<'_>) -> String {
    let Some(axes) = step.verdicts.first().map(|verdict| &verdict.cell.axes) else { return String::new() };
    let s = if axes.pcpus.len() == 1 { "" } else { "s" };
    let (env, contended) = (printable(&axes.env), contended(&axes.workload));
    let alike = |other: &&Step<'_>| {
        other.env != step.env && overcommit(other.overcommit) == overcommit(step.overcommit)
    };
    let others = steps.iter().filter(alike);
    let others: String =
        others.map(|other| format!("; in {} {}", printable(other.env), leading(other))).collect();
    format!("{env}, {contended}, {} vCPUs on {} CPU{s}{others}", axes.vcpus, axes.pcpus.len())
}

/// A line for each label that some lock has: the word that it begins with, the locks, and its colour.
pub(super) fn lines(
    results: &Results,
    steps: &[Step<'_>],
    step: &Step<'_>,
) -> Vec<(&'static str, String, Paint)> {
    let line = |(label, locks): (Kept, Vec<&str>)| {
        let verdicts: Vec<&Verdict<'_>> = locks
            .iter()
            .filter_map(|lock| step.verdicts.iter().find(|one| one.cell.axes.lock == *lock))
            .collect();
        let (word, paint) = match label {
            Kept::Holds => (label.word(), Paint::Good),
            Kept::Degrades => (label.word(), Paint::Middling),
            Kept::Collapses => (label.word(), Paint::Bad),
            Kept::CannotBeTold => ("untold", Paint::Plain),
        };
        let told = match label {
            Kept::Holds => by_reach(results, steps, step.env, &verdicts),
            Kept::Collapses if verdicts.len() >= ALIKE => alike(results, &verdicts),
            Kept::Degrades | Kept::Collapses => listed(results, &verdicts, true),
            Kept::CannotBeTold => format!("{}{}", listed(results, &verdicts, true), why(step)),
        };
        (word, told, paint)
    };
    tally(step).into_iter().map(line).collect()
}

/// `std-mutex 129 % (held here up to 4x); pv-byte 98.6 % (held here at 2x)`: locks that hold equally far stand together.
fn by_reach(results: &Results, steps: &[Step<'_>], env: &str, verdicts: &[&Verdict<'_>]) -> String {
    let mut groups: Vec<(String, Vec<&Verdict<'_>>)> = Vec::new();
    for verdict in verdicts {
        let reach = reached(steps, env, &verdict.cell.axes.lock).filter(|reach| reach.starts_with("held"));
        let reach = reach.map_or_else(String::new, |reach| format!(" ({reach})"));
        match groups.iter_mut().find(|(known, _)| *known == reach) {
            Some((_, group)) => group.push(verdict),
            None => groups.push((reach, vec![verdict])),
        }
    }
    let told =
        |(reach, group): &(String, Vec<&Verdict<'_>>)| format!("{}{reach}", listed(results, group, true));
    groups.iter().map(told).collect::<Vec<_>>().join("; ")
}

/// `keep 0.00638 to 0.0439 %: pv-ticket, …, mcs`.
fn alike(results: &Results, verdicts: &[&Verdict<'_>]) -> String {
    let kept: Vec<f64> = verdicts.iter().filter_map(|verdict| Some(verdict.of.kept?.median)).collect();
    let ends = kept.iter().copied().reduce(f64::min).zip(kept.iter().copied().reduce(f64::max));
    let Some((low, high)) = ends else { return listed(results, verdicts, true) };
    let all = Interval { median: low, low, high };
    format!("keep {}: {}", percents(all), listed(results, verdicts, false))
}

/// Locks with what they keep, where that is asked for; of many locks some, but always the user's own.
fn listed(results: &Results, verdicts: &[&Verdict<'_>], with_kept: bool) -> String {
    let mut named: Vec<String> = Vec::new();
    let mut left_out = 0;
    for (index, verdict) in verdicts.iter().enumerate() {
        let own = results.is_own(&verdict.cell.axes.lock);
        if index >= MOST_NAMED && !own {
            left_out += 1;
            continue;
        }
        named.push(lock(verdict, own, with_kept));
    }
    if left_out > 0 {
        named.push(format!("and {left_out} more"));
    }
    named.join(", ")
}

/// `tas 49.7 % (starves a vCPU)`, `my-lock (yours)`.
fn lock(verdict: &Verdict<'_>, own: bool, with_kept: bool) -> String {
    let kept = verdict.of.kept.filter(|_| with_kept);
    let kept = kept.map_or_else(String::new, |kept| format!(" {}", percent(kept.median)));
    let served = match verdict.of.service {
        // A lock that keeps next to nothing has little to divide.
        Served::Unfair => with_kept.then_some("unfair"),
        Served::Starving => Some("starves a vCPU"),
        Served::Fair | Served::CannotBeTold => None,
    };
    let notes: Vec<&str> = own.then_some("yours").into_iter().chain(served).collect();
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    format!("{}{kept}{notes}", printable(&verdict.cell.axes.lock))
}

/// Why it cannot be told of some locks whether they hold; nothing where it cannot of any, for then the first sentence says why.
fn why(step: &Step<'_>) -> String {
    let untold = step.count(Kept::CannotBeTold);
    if untold == step.verdicts.len() {
        return String::new();
    }
    if let Some(why) = untold_alike(step) {
        return format!("; {}", printable(why));
    }
    if untold > MOST_REASONS {
        return String::new();
    }
    let of = |verdict: &Verdict<'_>| {
        let why = verdict.of.rate_untold.as_deref()?;
        Some(format!("; {}: {}", printable(&verdict.cell.axes.lock), printable(why)))
    };
    step.verdicts.iter().filter_map(of).collect()
}
