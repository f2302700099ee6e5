//! Whether one lock collapses where vCPUs are more than pCPUs: the verdicts on all its cells, drawn together into one answer.

use crate::derive::reasons::{Reason, reasons};
use crate::derive::setting::{above, same};
use crate::format::{overcommit, percent, percents, printable_words};
use crate::judge::verdicts::collapses;
use crate::record::{Cell, CellVerdict, Kept, Results, Status, Thresholds};

/// Whether a lock collapses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// At no step of overcommit that was asked for.
    StaysUp,
    /// At one step at least.
    Collapses,
    /// It broke exclusion, crashed or hung.
    Fails,
    /// The run leaves both open.
    CannotBeTold,
}

/// The answer on one lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The answer.
    pub answer: Answer,
    /// The verdict that it rests on, in one sentence.
    pub said: String,
}

impl Check {
    fn new(answer: Answer, said: impl AsRef<str>) -> Self {
        // Names and reasons come from outside.
        Self { answer, said: printable_words(said.as_ref()) }
    }
}

/// Answers for one lock of a run that was judged. A lock collapses if it does so anywhere. It stays up if it does so nowhere, and
/// each step of overcommit was measured in some environment.
pub fn check(results: &Results, lock: &str) -> Check {
    let thresholds = results.thresholds.unwrap_or_default();
    let cells: Vec<&Cell> = results.cells.iter().filter(|cell| cell.axes.lock == lock).collect();
    if let Some(failed) = cells.iter().find(|cell| cell.status.failed()) {
        return Check::new(Answer::Fails, of_failed(failed));
    }
    let overcommitted = || cells.iter().copied().filter(|cell| above(cell.axes.overcommit));
    let measured = overcommitted().filter(|cell| cell.status != Status::Skipped);
    let judged: Vec<Judged<'_>> = measured.filter_map(|cell| Judged::of(cell, &thresholds)).collect();
    if let Some(worst) = least(judged.iter().filter(|judged| judged.collapses == Some(true))) {
        let said = format!("{lock} collapses here{}: {}", reached(&judged), worst.keeps());
        return Check::new(Answer::Collapses, said);
    }
    let untold = |why: String| {
        Check::new(Answer::CannotBeTold, format!("Whether {lock} collapses cannot be told: {why}."))
    };
    if let Some(open) = judged.iter().find(|judged| judged.collapses.is_none()) {
        let why = open.of.rate_untold.as_deref().unwrap_or("no reason was recorded");
        return untold(format!("{}, {why}", open.cell.axes.told_place()));
    }
    let seen = |cell: &Cell| judged.iter().any(|one| same(one.cell.axes.overcommit, cell.axes.overcommit));
    let unseen = overcommitted().find(|cell| !seen(cell));
    match (least(judged.iter()), unseen) {
        (Some(worst), None) => Check::new(Answer::StaysUp, stays_up(lock, &judged, worst)),
        (_, unseen) => untold(unmeasured(results, lock, unseen)),
    }
}

/// A cell above 1x with its verdict, and whether the lock collapses there.
struct Judged<'a> {
    cell: &'a Cell,
    of: &'a CellVerdict,
    collapses: Option<bool>,
}

impl<'a> Judged<'a> {
    fn of(cell: &'a Cell, thresholds: &Thresholds) -> Option<Self> {
        let of = cell.verdict.as_ref()?;
        Some(Self { cell, of, collapses: collapses(of, thresholds) })
    }

    /// What is left of the rate; endless where it is not known.
    fn kept(&self) -> f64 {
        self.of.kept.map_or(f64::INFINITY, |kept| kept.median)
    }

    /// `at 2x in emulated it keeps 0.0123 % (0.0110 to 0.0140 %) of its rate at 1x.`
    fn keeps(&self) -> String {
        let place = self.cell.axes.told_place();
        let Some(kept) = self.of.kept else { return format!("{place}.") };
        format!("{place} it keeps {} ({}) of its rate at 1x.", percent(kept.median), percents(kept))
    }
}

/// The one that keeps least.
fn least<'j, 'a: 'j>(judged: impl Iterator<Item = &'j Judged<'a>>) -> Option<&'j Judged<'a>> {
    judged.min_by(|a, b| a.kept().total_cmp(&b.kept()))
}

/// `my-lock holds here up to 4x: at 4x in kvm it keeps 97.1 % (95.0 to 99.2 %) of its rate at 1x.`
fn stays_up(lock: &str, judged: &[Judged<'_>], worst: &Judged<'_>) -> String {
    let last = judged.iter().map(|judged| judged.cell.axes.overcommit).fold(1.0, f64::max);
    let (up_to, keeps) = (overcommit(last), worst.keeps());
    let any = |label| judged.iter().any(|judged| judged.of.rate == label);
    if any(Kept::Degrades) {
        return format!("{lock} degrades here and does not collapse up to {up_to}: {keeps}");
    }
    if any(Kept::CannotBeTold) {
        return format!(
            "{lock} does not collapse here up to {up_to}, and whether it holds cannot be told: {keeps}"
        );
    }
    format!("{lock} holds here up to {up_to}: {keeps}")
}

/// ` from 2x on` where it collapses at several steps and at each from the first of them on.
fn reached(judged: &[Judged<'_>]) -> String {
    let at = |collapsed: bool| {
        let steps = judged.iter().filter(move |one| (one.collapses == Some(true)) == collapsed);
        steps.map(|one| one.cell.axes.overcommit)
    };
    let (first, last) = (at(true).fold(f64::INFINITY, f64::min), at(true).fold(0.0, f64::max));
    let throughout = last > first && at(false).all(|step| step < first);
    if throughout { format!(" from {} on", overcommit(first)) } else { String::new() }
}

fn of_failed(cell: &Cell) -> String {
    let why = cell.reason.as_deref().unwrap_or("no reason was recorded");
    let what = match cell.status {
        Status::Broken => "is broken",
        status => status.word(),
    };
    format!("{} {what} {}: {why}.", cell.axes.lock, cell.axes.told_place())
}

/// That a step of a lock was not measured, or none was, and why.
fn unmeasured(results: &Results, lock: &str, cell: Option<&Cell>) -> String {
    let (what, why) = match cell {
        Some(cell) => (format!("it was not measured {}", cell.axes.told_place()), cell.reason.clone()),
        None => {
            let whose = format!("{lock}/");
            let of_lock = |reason: &Reason| reason.cells.iter().any(|id| id.starts_with(&whose));
            let why = reasons(results).into_iter().find(of_lock).map(|reason| reason.why);
            ("it was not measured with more vCPUs than CPUs".to_owned(), why)
        }
    };
    why.map_or_else(|| what.clone(), |why| format!("{what} ({why})"))
}
