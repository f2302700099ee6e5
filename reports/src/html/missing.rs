//! What is missing, and why: cells dropped from the plan, cells that failed, windows that were left out.

use super::view::{Entry, Table};
use crate::comparison::word;
use crate::record::{Results, Status};

pub(super) fn table(results: &Results) -> Table {
    let mut rows: Vec<Vec<Entry>> = Vec::new();
    let mut add = |cell: &str, what: &str, why: &str| {
        rows.push(vec![Entry::text(cell), Entry::text(what), Entry::text(why)])
    };
    for note in &results.notes {
        add("the record", "note", note);
    }
    if results.interrupted {
        add("the run", "interrupted", "it ended before its plan did; what was measured until then is here");
    }
    for dropped in &results.dropped {
        add(&dropped.cell, "not planned", &dropped.reason);
    }
    for cell in results.cells.iter().filter(|cell| cell.status != Status::Ok) {
        add(&cell.axes.id, word(cell.status), cell.reason.as_deref().unwrap_or("no reason was recorded"));
    }
    for cell in &results.cells {
        for note in cell.notes.iter().filter(|note| note.contains("left out")) {
            add(&cell.axes.id, "windows left out", note);
        }
    }
    Table::new(
        "Cells and windows that are missing",
        &[("What", false), ("State", false), ("Why", false)],
        rows,
    )
}
