//! The table of what is missing and why: cells that were not planned, cells that failed, windows that were left out. Each
//! reason stands there once, with the cells that it holds for.

use super::view::{Table, TableEntry};
use crate::derive::disturbances;
use crate::derive::reasons::{Reason, reasons};
use crate::format::printable_up_to;
use crate::record::Results;

/// Longest list of cells in characters; the embedded data has all of them.
const LONGEST: usize = 20_000;

pub(super) fn table(results: &Results) -> Table {
    let mut rows: Vec<Vec<TableEntry>> = Vec::new();
    let mut add = |state: &str, why: &str, what: TableEntry| {
        rows.push(vec![TableEntry::text(state), TableEntry::text(why), what]);
    };
    for note in &results.notes {
        add("note", note, TableEntry::text("the record"));
    }
    if results.interrupted {
        let why = "the run ended before its plan was done; what was measured until then is on this page";
        add("interrupted", why, TableEntry::text("the run"));
    }
    if let Some(stopped) = &results.stopped {
        let state = format!("stopped after {} of {} rounds", stopped.rounds, results.rounds);
        add(&state, &stopped.reason, TableEntry::text("the run"));
    }
    for reason in reasons(results).into_iter().chain(left_out(results)) {
        let what = match reason.cells.as_slice() {
            [only] => TableEntry::text(only),
            several => TableEntry::folded(reason.count(), printable_up_to(&several.join(", "), LONGEST)),
        };
        add(reason.state, &reason.why, what);
    }
    let columns = [("State", false), ("Why", false), ("What", false)];
    Table::new("Cells and windows that are missing", &columns, rows).with_links("missing")
}

/// How many cells are in each state: `not planned: 12 cells; skipped: 1 cell`.
pub(super) fn told(results: &Results) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for reason in reasons(results).into_iter().chain(left_out(results)) {
        match counts.iter_mut().find(|count| count.0 == reason.state) {
            Some(count) => count.1 += reason.cells.len(),
            None => counts.push((reason.state, reason.cells.len())),
        }
    }
    let mut told: Vec<String> = counts
        .into_iter()
        .map(|(state, count)| format!("{state}: {count} {}", if count == 1 { "cell" } else { "cells" }))
        .collect();
    if results.interrupted || results.stopped.is_some() {
        told.insert(0, "The run ended before its plan was done".into());
    }
    if told.is_empty() { "Notes on the record".into() } else { told.join("; ") }
}

/// Cells of which windows were left out, by the sentence that says why, where no reason of the run says it already.
fn left_out(results: &Results) -> Vec<Reason> {
    let known = reasons(results);
    let mut found: Vec<Reason> = Vec::new();
    for cell in &results.cells {
        let told = disturbances(&cell.rounds);
        let untold = |note: &&String| {
            let known =
                known.iter().any(|reason| reason.why == **note && reason.cells.contains(&cell.axes.id));
            !known && told.iter().all(|(_, told)| told != *note)
        };
        for note in cell.notes.iter().filter(|note| note.contains("left out")).filter(untold) {
            match found.iter_mut().find(|reason| reason.why == *note) {
                Some(reason) => reason.cells.push(cell.axes.id.clone()),
                None => found.push(Reason {
                    state: "windows left out",
                    why: note.clone(),
                    cells: vec![cell.axes.id.clone()],
                }),
            }
        }
    }
    found
}
