//! The end of a run on a terminal: the verdict and short answers, in about fifteen lines.

use super::scenarios;
use super::wrap::wrapped;
use crate::format::{overcommit, percent, printable};
use crate::judge::briefs::briefs;
use crate::judge::verdicts::{
    Step, Verdict, headline, judged, main_step, reached, steps, tally, thresholds, untold_alike,
    without_a_step,
};
use crate::record::{Kept, Results, Served, Thresholds};

/// Width of the words that lines begin with, in characters.
const WORDS: usize = 11;

/// Short answers that the page alone gives: they need figures beside them.
const ON_THE_PAGE: [&str; 1] = ["emulation"];

/// How lines are laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Characters in a line.
    pub width: usize,
    /// Whether labels are coloured.
    pub colours: bool,
}

impl Layout {
    /// For a file, or whatever else is no terminal.
    pub const PLAIN: Self = Self { width: 100, colours: false };

    /// A word that begins a line, and the text after it.
    pub fn line(self, word: &str, text: &str, paint: Paint) -> String {
        let lines = wrapped(&format!("{} {text}", "x".repeat(WORDS - 1)), self.width, WORDS);
        let pad = " ".repeat(WORDS.saturating_sub(word.chars().count()));
        // What stood for the word had its width.
        format!("{}{pad}{}\n", self.painted(word, paint), lines.get(WORDS..).unwrap_or_default())
    }

    fn painted(self, text: &str, paint: Paint) -> String {
        match (self.colours, paint.code()) {
            (true, Some(code)) => format!("\x1b[{code}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}

/// How a word is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Not at all.
    Plain,
    /// In bold.
    Bold,
    /// As something good in itself.
    Good,
    /// As something middling.
    Middling,
    /// As something bad.
    Bad,
}

impl Paint {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("1"),
            Self::Good => Some("32"),
            Self::Middling => Some("33"),
            Self::Bad => Some("31"),
        }
    }
}

/// The verdict and the short answers. What is missing, what to do next and where the report lies is the caller's to add.
pub fn ending(results: &Results, layout: Layout) -> String {
    let results = &*judged(results);
    let steps = steps(results);
    let mut text = String::new();
    match main_step(&steps) {
        None => {
            if let Some(none) = without_a_step(results) {
                text.push_str(&format!("{}\n", wrapped(none, layout.width, 0)));
            }
        }
        Some(step) => {
            text.push_str(&format!("{}\n", bold_first(layout, &headline(step), &about(step))));
            text.push_str(&labels(layout, &steps, step));
            text.push_str(&service(layout, step));
            text.push_str(&elsewhere(layout, &steps, step));
            if results.thresholds.is_some_and(|by| by != Thresholds::default()) {
                text.push_str(&layout.line("judged by", &thresholds(results), Paint::Plain));
            }
        }
    }
    text.push_str(&scenarios::ending(results, layout));
    for brief in briefs(results).into_iter().filter(|brief| !ON_THE_PAGE.contains(&brief.word)) {
        text.push_str(&layout.line(brief.word, &brief.said.replace('`', ""), Paint::Bold));
    }
    text
}

/// A sentence in bold and one that is not, wrapped as one text.
fn bold_first(layout: Layout, bold: &str, plain: &str) -> String {
    let lines = wrapped(&format!("{bold} {plain}"), layout.width, 0);
    // Line ends stand where spaces stood, one byte for one.
    let (first, rest) = lines.split_at(bold.len().min(lines.len()));
    format!("{}{rest}", layout.painted(first, Paint::Bold))
}

/// What the sentence claims.
fn about(step: &Step<'_>) -> String {
    let Some(axes) = step.verdicts.first().map(|verdict| &verdict.cell.axes) else { return String::new() };
    let s = if axes.pcpus.len() == 1 { "" } else { "s" };
    let (env, workload) = (printable(&axes.env), printable(&axes.workload.name));
    format!("({env}, one saturated lock, {workload}, {} vCPUs on {} CPU{s})", axes.vcpus, axes.pcpus.len())
}

/// A line for each label that some lock has.
fn labels(layout: Layout, steps: &[Step<'_>], step: &Step<'_>) -> String {
    let mut text = String::new();
    for (label, locks) in tally(step) {
        let told: Vec<String> = locks.iter().map(|lock| of_lock(steps, step, lock, label)).collect();
        let told = told.join(", ");
        let (word, paint) = match label {
            Kept::Holds => (label.word(), Paint::Good),
            Kept::Degrades => (label.word(), Paint::Middling),
            Kept::Collapses => (label.word(), Paint::Bad),
            Kept::CannotBeTold => ("untold", Paint::Plain),
        };
        let why = if label == Kept::CannotBeTold { why(step) } else { String::new() };
        text.push_str(&layout.line(word, &format!("{told}{why}"), paint));
    }
    text
}

/// Most locks whose reasons are told one by one.
const MOST_REASONS: usize = 2;

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

/// `tas 96.0 % (held here up to 4x)`.
fn of_lock(steps: &[Step<'_>], step: &Step<'_>, lock: &str, label: Kept) -> String {
    let kept = of(step, lock).and_then(|verdict| verdict.of.kept);
    let kept = kept.map_or_else(String::new, |kept| format!(" {}", percent(kept.median)));
    let reach = match label {
        Kept::Holds => reached(steps, step.env, lock).filter(|reach| reach.starts_with("held")),
        Kept::Degrades | Kept::Collapses | Kept::CannotBeTold => None,
    };
    let reach = reach.map_or_else(String::new, |reach| format!(" ({reach})"));
    format!("{}{kept}{reach}", printable(lock))
}

fn of<'s, 'a>(step: &'s Step<'a>, lock: &str) -> Option<&'s Verdict<'a>> {
    step.verdicts.iter().find(|verdict| verdict.cell.axes.lock == lock)
}

/// Locks that do not serve every vCPU; nothing where all do.
fn service(layout: Layout, step: &Step<'_>) -> String {
    let mut text = String::new();
    for (label, paint) in [(Served::Unfair, Paint::Middling), (Served::Starving, Paint::Bad)] {
        let of = |verdict: &Verdict<'_>| {
            let share = verdict.of.worst_share.map_or_else(String::new, |share| {
                format!(" (worst vCPU {} of an equal share)", percent(share.median))
            });
            format!("{}{share}", printable(&verdict.cell.axes.lock))
        };
        let locks: Vec<String> =
            step.verdicts.iter().filter(|verdict| verdict.of.service == label).map(of).collect();
        if !locks.is_empty() {
            text.push_str(&layout.line(label.word(), &locks.join(", "), paint));
        }
    }
    text
}

/// The same step in other environments, and the steepest one, each in a sentence.
fn elsewhere(layout: Layout, steps: &[Step<'_>], step: &Step<'_>) -> String {
    let alike = |other: &&Step<'_>| {
        other.env != step.env && overcommit(other.overcommit) == overcommit(step.overcommit)
    };
    let told =
        steps.iter().filter(alike).map(|other| format!("{}: {}", printable(other.env), headline(other)));
    let told: Vec<String> = told.collect();
    if told.is_empty() { String::new() } else { layout.line("also", &told.join(" "), Paint::Plain) }
}
