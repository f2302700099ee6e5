//! Counters of every cell, per million acquisitions.

use std::collections::BTreeSet;

use super::view::{Column, Table, TableEntry};
use crate::format::{count, overcommit, significant};
use crate::record::{Cell, Results};

/// The table has at most this many columns; the embedded data has all.
const MOST_COLUMNS: usize = 40;

pub(super) fn table(results: &Results) -> Table {
    let counted: Vec<&Cell> = results
        .cells
        .iter()
        .filter(|cell| cell.counted_operations > 0 && cell.counters.values().any(|count| *count > 0))
        .collect();
    let names: BTreeSet<&String> = counted
        .iter()
        .flat_map(|cell| cell.counters.iter().filter(|(_, count)| **count > 0).map(|(name, _)| name))
        .collect();
    // What most cells counted comes first.
    let cells =
        |name: &String| counted.iter().filter(|cell| cell.counters.get(name).is_some_and(|n| *n > 0)).count();
    let mut names: Vec<&String> = names.into_iter().collect();
    names.sort_by_key(|name| std::cmp::Reverse(cells(name)));
    names.truncate(MOST_COLUMNS);
    let rows = counted.iter().map(|cell| row(cell, &names)).collect();
    let fixed = [
        ("Lock", false),
        ("Environment", false),
        ("Workload", false),
        ("Overcommit", true),
        ("Acquisitions", true),
    ];
    let mut table = Table::new("Events per million acquisitions, of every cell", &fixed, rows);
    table.columns.extend(
        names.iter().map(|name| Column { name: super::view::shown(&name.replace('_', " ")), number: true }),
    );
    table.with_links("counted")
}

fn row(cell: &Cell, names: &[&String]) -> Vec<TableEntry> {
    let axes = &cell.axes;
    let mut row = vec![
        TableEntry::text(&axes.lock),
        TableEntry::text(&axes.env),
        TableEntry::text(&axes.workload.name).with_note(axes.told_params().join(", ")),
        TableEntry::number(Some(axes.overcommit), overcommit),
        TableEntry::number(Some(cell.counted_operations as f64), |_| count(cell.counted_operations)),
    ];
    row.extend(names.iter().map(|name| {
        let events = cell.counters.get(*name).copied();
        TableEntry::number(
            events.map(|events| events as f64 * 1e6 / cell.counted_operations as f64),
            significant,
        )
    }));
    row
}
