//! How the user's own locks fare among the others.

use super::Brief;
use crate::format::{percent, printable, range};
use crate::judge::verdicts::{Step, Verdict, ranked};
use crate::record::{Kept, Results};

/// The question, for one lock of the user's own and for several.
const QUESTIONS: [&str; 2] = ["How does your own lock do?", "How do your own locks do?"];

/// At most this many are told one by one; the table has all of them.
const MOST: usize = 3;

/// None where the step has no lock of the user's own.
pub(super) fn brief(results: &Results, step: &Step<'_>) -> Option<Brief> {
    let all = ranked(step);
    let own: Vec<(usize, &Verdict<'_>)> = all
        .iter()
        .enumerate()
        .filter(|(_, verdict)| results.is_own(&verdict.cell.axes.lock))
        .map(|(index, verdict)| (index + 1, *verdict))
        .collect();
    if own.is_empty() {
        return None;
    }
    let told: Vec<String> =
        own.iter().take(MOST).map(|(place, verdict)| told(*place, all.len(), verdict)).collect();
    let more = match own.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let small: Vec<String> = own.iter().take(MOST).filter_map(|(_, verdict)| small(verdict)).collect();
    let question = QUESTIONS[usize::from(own.len() > 1)];
    Some(Brief::new("yours", question, format!("{}{more}.", told.join("; ")), small.join("; ")))
}

/// `my-lock collapses, keeps 0.00745 %, number 9 of 12`.
fn told(place: usize, of: usize, verdict: &Verdict<'_>) -> String {
    let lock = printable(&verdict.cell.axes.lock);
    let kept = verdict.of.kept.map_or_else(String::new, |kept| format!(", keeps {}", percent(kept.median)));
    let label = match verdict.of.rate {
        Kept::CannotBeTold => "cannot be told",
        label => label.word(),
    };
    format!("{lock} {label}{kept}, number {place} of {of}")
}

/// Its interval and rounds.
fn small(verdict: &Verdict<'_>) -> Option<String> {
    let lock = printable(&verdict.cell.axes.lock);
    let kept = verdict.of.kept?;
    let s = if verdict.of.rounds == 1 { "" } else { "s" };
    Some(format!("{lock} {}, {} round{s}", range(kept, percent), verdict.of.rounds))
}
