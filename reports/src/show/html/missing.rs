//! The table of what is missing and why: cells that were not planned, cells that failed, windows that were left out. Each
//! reason stands there once.

use super::view::{Table, TableEntry};
use crate::derive::disturbances;
use crate::derive::reasons::reasons;
use crate::format::printable_up_to;
use crate::record::Results;

/// Longest list of cells in characters; the embedded data has all of them.
const LONGEST: usize = 20_000;

pub(super) fn table(results: &Results) -> Table {
    let mut rows: Vec<Vec<TableEntry>> = Vec::new();
    let mut add = |what: &str, state: &str, why: TableEntry| {
        rows.push(vec![TableEntry::text(what), TableEntry::text(state), why]);
    };
    for note in &results.notes {
        add("the record", "note", TableEntry::text(note));
    }
    if results.interrupted {
        let why = "the run ended before its plan was done; what was measured until then is on this page";
        add("the run", "interrupted", TableEntry::text(why));
    }
    if let Some(stopped) = &results.stopped {
        let state = format!("stopped after {} of {} rounds", stopped.rounds, results.rounds);
        add("the run", &state, TableEntry::text(&stopped.reason));
    }
    for reason in reasons(results) {
        let why = TableEntry::text(&reason.why);
        match reason.cells.as_slice() {
            [only] => add(only, reason.state, why),
            several => {
                let cells = Some(printable_up_to(&several.join(", "), LONGEST));
                add(&reason.count(), reason.state, TableEntry { why: cells, ..why });
            }
        }
    }
    for cell in &results.cells {
        let told = disturbances(&cell.rounds);
        let untold = |note: &&String| told.iter().all(|(_, told)| told != *note);
        for note in cell.notes.iter().filter(|note| note.contains("left out")).filter(untold) {
            add(&cell.axes.id, "windows left out", TableEntry::text(note));
        }
    }
    Table::new(
        "Cells and windows that are missing",
        &[("What", false), ("State", false), ("Why", false)],
        rows,
    )
}
