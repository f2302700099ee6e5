//! Columns of the status.

use super::{Column, Told, Tone, Unit};
use crate::judge::comparison::word;
use crate::record::{Cell, Exclusion, FAILED_ACQUISITIONS, Status};

pub(super) static STATUS: Column =
    Column::new("status", Unit::Text, "`ok`, `crashed`, `hung`, `broken` or `skipped`", |row| {
        let told = Told::new(word(row.cell.status)).with_why(all_notes(row.cell).join("; "));
        badged(told, row.cell.status)
    })
    .headed("Status")
    .on_terminal(|row| (row.cell.status != Status::Ok).then(|| word(row.cell.status).into()));

/// Adds a badge that says so where the status is not `ok`.
pub(super) fn badged(told: Told, status: Status) -> Told {
    match status {
        Status::Ok => told,
        Status::Skipped => told.with_badge(word(status), Tone::Unsure),
        Status::Broken | Status::Hung | Status::Crashed => told.with_badge(word(status), Tone::Bad),
    }
}

pub(super) static REASON: Column = Column::new("reason", Unit::Text, "why the status is not `ok`", |row| {
    Told::new(row.cell.reason.as_deref().unwrap_or_default())
});

pub(super) static EXCLUSION: Column =
    Column::new("exclusion", Unit::Text, "mutual exclusion: `held`, `violated` or `unchecked`", |row| {
        Told::new(exclusion(row.cell.exclusion))
    });

pub(super) static NOTES: Column =
    Column::new("notes", Unit::Text, "sentences that qualify the figures", |row| {
        Told::new(row.cell.notes.join("; ").as_str())
    });

pub(super) static FAILED: Column = Column::new(
    "failed_acquisitions",
    Unit::Count,
    "acquisitions that the lock gave up, by a timeout or at a deadlock, in all windows; no rate counts them",
    |row| Told::new(row.cell.counters.get(FAILED_ACQUISITIONS).copied()),
);

fn exclusion(exclusion: Exclusion) -> &'static str {
    match exclusion {
        Exclusion::Held => "held",
        Exclusion::Violated => "violated",
        Exclusion::Unchecked => "unchecked",
    }
}

/// Everything that a reader of the status should know.
fn all_notes(cell: &Cell) -> Vec<String> {
    let checked = (cell.status == Status::Ok).then(|| format!("exclusion {}", exclusion(cell.exclusion)));
    checked.into_iter().chain(cell.reason.clone()).chain(cell.notes.iter().cloned()).collect()
}
