//! Whether a lock helps that knows of its hypervisor, and whether a spin threshold does.

use super::{Brief, elsewhere, place};
use crate::derive::roster::{halting, plain_of};
use crate::derive::setting::{environments, main_setting};
use crate::derive::sweep::{DEFAULT_SPINS, Sweep, loops, sweeps};
use crate::format::{percent, printable, range};
use crate::judge::verdicts::Step;
use crate::record::{Cell, Kept, Results};

const QUESTION: &str = "Does halting help, and which threshold?";

/// The thresholds of at most this many locks are told.
const MOST: usize = 2;

pub(super) fn brief(results: &Results, step: Option<&Step<'_>>) -> Brief {
    let mut said: Vec<String> = Vec::new();
    let mut short: Vec<String> = Vec::new();
    let mut small: Vec<String> = Vec::new();
    let names: Vec<&str> = halting(results).collect();
    if let Some(step) = step {
        let mut cures: Vec<_> =
            step.verdicts.iter().filter(|verdict| names.contains(&verdict.cell.axes.lock.as_str())).collect();
        let kept = |cell: &Cell| cell.verdict.as_ref().and_then(|verdict| verdict.kept);
        cures.sort_by(|a, b| median(kept(b.cell)).total_cmp(&median(kept(a.cell))));
        let best = cures.iter().find_map(|verdict| Some((verdict, kept(verdict.cell)?)));
        if let Some((best, interval)) = best {
            let lock = printable(&best.cell.axes.lock);
            let plain = plain_beside(results, step, &best.cell.axes.lock);
            let beside = plain.map_or_else(String::new, |(name, kept)| {
                format!(", where {} keeps {}", printable(name), percent(kept))
            });
            let kept = percent(interval.median);
            let plain = plain.map_or_else(String::new, |(name, kept)| {
                format!(" ({}: {})", printable(name), percent(kept))
            });
            short.push(match best.of.rate {
                Kept::CannotBeTold => format!("The best, {lock}, cannot be told; it keeps {kept}{plain}."),
                label => format!("The best, {lock}, {} and keeps {kept}{plain}.", label.word()),
            });
            said.push(match best.of.rate {
                Kept::CannotBeTold => {
                    format!(
                        "Of the best, {lock}, it cannot be told whether it holds; it keeps {kept}{beside}."
                    )
                }
                label => format!("The best, {lock}, {} and keeps {kept}{beside}.", label.word()),
            });
            let range = range(interval, percent);
            small.push(format!("{}; {range}, {}", place(best.cell), rounds(best.of.rounds)));
        } else if let Some(untold) = cures.first() {
            said.push(format!("What {} keeps cannot be told.", printable(&untold.cell.axes.lock)));
            short.clone_from(&said);
            small.extend(untold.of.rate_untold.as_deref().map(printable));
        }
    }
    let swept = names
        .iter()
        .filter_map(|lock| longest(results, lock).and_then(|sweep| threshold(lock, step, &sweep)));
    for swept in swept.take(MOST) {
        said.push(swept.said);
        short.push(swept.short);
        small.push(swept.small);
    }
    if said.is_empty() {
        said.push("No lock that halts its waiters was run at this step.".into());
        short.clone_from(&said);
    }
    Brief::new("threshold", QUESTION, said.join(" "), small.join(". ")).in_short(Some(short.join(" ")))
}

fn median(kept: Option<crate::record::Interval>) -> f64 {
    kept.map_or(f64::NEG_INFINITY, |kept| kept.median)
}

/// What the plain lock of one that halts its waiters keeps at the same step.
fn plain_beside<'a>(results: &'a Results, step: &Step<'a>, lock: &str) -> Option<(&'a str, f64)> {
    let plain = plain_of(results, lock)?;
    let beside = step.verdicts.iter().find(|verdict| verdict.cell.axes.lock == plain)?;
    Some((plain, beside.of.kept?.median))
}

/// The sweep of a lock's spin threshold with the most steps.
fn longest<'a>(results: &'a Results, lock: &str) -> Option<Sweep<'a>> {
    let of_env = |env| main_setting(results, env).map(|setting| sweeps(results, &setting, lock));
    let all = environments(results).into_iter().filter_map(of_env).flatten();
    all.reduce(|best, next| if next.steps.len() > best.steps.len() { next } else { best })
}

/// Whether a setting of the threshold rescues a lock: in a sentence, in few words, and the figures behind it.
struct Swept {
    said: String,
    short: String,
    small: String,
}

fn threshold<'s>(lock: &str, step: Option<&Step<'_>>, sweep: &Sweep<'s>) -> Option<Swept> {
    let of = |step: &(u64, &'s Cell)| {
        let verdict = step.1.verdict.clone()?;
        Some((step.0, verdict.kept?, verdict, step.1))
    };
    let steps: Vec<_> = sweep.steps.iter().filter_map(of).collect();
    let best = steps.iter().max_by(|a, b| a.1.median.total_cmp(&b.1.median))?;
    let default = steps.iter().find(|step| step.0 == DEFAULT_SPINS && step.0 != best.0);
    let (first, last) = (steps.first()?.0, steps.last()?.0);
    let name = format!("{}{}", printable(lock), elsewhere(best.3, step));
    let beside = default.map_or_else(String::new, |step| {
        format!("; the kernel's {}: {}", loops(step.0), percent(step.1.median))
    });
    let setting = format!("{} ({} loops{beside})", percent(best.1.median), loops(best.0));
    let said = match best.2.rate {
        Kept::Collapses => format!("No spin threshold rescues {name}: best {setting}."),
        Kept::Degrades => format!("The best spin threshold keeps {name} at {setting}."),
        Kept::Holds => format!("With the best spin threshold {name} holds, at {setting}."),
        Kept::CannotBeTold => {
            format!("Whether a spin threshold rescues {name} cannot be told: best {setting}.")
        }
    };
    let setting = format!("{} at {} loops", percent(best.1.median), loops(best.0));
    let short = match best.2.rate {
        Kept::Collapses => format!("No threshold rescues {name}: best {setting}."),
        Kept::Degrades => format!("The best threshold keeps {name} at {setting}."),
        Kept::Holds => format!("With the best threshold {name} holds, {setting}."),
        Kept::CannotBeTold => format!("Whether a threshold rescues {name} cannot be told: best {setting}."),
    };
    let small = format!(
        "{}, {} to {} loops; best {}, {}",
        printable(lock),
        loops(first),
        loops(last),
        range(best.1, percent),
        rounds(best.2.rounds)
    );
    Some(Swept { said, short, small })
}

fn rounds(rounds: u32) -> String {
    let s = if rounds == 1 { "" } else { "s" };
    format!("{rounds} round{s}")
}
