//! What became of cells whose lock broke, crashed or hung: a sentence for each reason.

use crate::derive::reasons::{Reason, reasons};
use crate::format::printable_words;
use crate::record::{Cell, Results, Status};

/// A reason for which cells failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What became of the cells: `broken`, `crashed` or `hung`.
    pub word: &'static str,
    /// The locks of those cells.
    pub locks: Vec<String>,
    /// `my-lock at 2x in emulated: killed by SIGSEGV (…)`; of several cells all locks are named, and the place of the first.
    pub said: String,
}

/// Every failure of a run, the worst kind first.
pub fn failures(results: &Results) -> Vec<Failure> {
    reasons(results).iter().filter_map(|reason| failure(results, reason)).collect()
}

/// Whether a reason is a failure, which is told as one.
pub fn is_failure(reason: &Reason) -> bool {
    [Status::Broken, Status::Crashed, Status::Hung].iter().any(|status| status.word() == reason.state)
}

fn failure(results: &Results, reason: &Reason) -> Option<Failure> {
    let of_id = |id: &String| results.cells.iter().find(|cell| cell.axes.id == *id);
    let cells: Vec<&Cell> = reason.cells.iter().filter_map(of_id).collect();
    let first = cells.first().filter(|_| is_failure(reason))?;
    let mut locks: Vec<String> = Vec::new();
    for cell in &cells {
        if !locks.contains(&cell.axes.lock) {
            locks.push(cell.axes.lock.clone());
        }
    }
    let (named, place) = (locks.join(", "), first.axes.told_place());
    let of = match cells.len() {
        1 => format!("{named} {place}"),
        several => format!("{named} ({several} cells, the first {place})"),
    };
    let said = printable_words(&format!("{of}: {}.", reason.why.trim_end_matches('.')));
    Some(Failure { word: first.status.word(), locks, said })
}
