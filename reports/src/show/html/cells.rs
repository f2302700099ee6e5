//! The table of every cell.

use super::view::{Column, Table, TableEntry, class, shown, sorted_by};
use crate::record::Results;
use crate::show::columns::{self, COLUMNS, Row, Value, rows};

/// How the address of a cell's row begins; the cell's place in the plan follows.
pub(super) const CELL: &str = "cell";

pub(super) fn table(results: &Results) -> Table {
    let mut columns: Vec<(&columns::Column, &str)> =
        COLUMNS.iter().filter_map(|column| Some((*column, column.heading?))).collect();
    columns.sort_by_key(|(column, _)| !column.first);
    let rows = rows(results, |row| columns.iter().map(|(column, _)| entry(column, row)).collect());
    let mut table = Table::new("Every cell: rate, ratios, fairness, acquire times and status", &[], rows);
    let headed = columns.iter();
    table.columns = headed
        .map(|(column, heading)| Column { name: (*heading).into(), number: column.unit.is_number() })
        .collect();
    table.with_links(CELL)
}

fn entry(column: &columns::Column, row: &Row<'_>) -> TableEntry {
    let told = (column.of)(row);
    // A badge that shows the value itself needs no text beside it.
    let text = if told.badge.is_some_and(|(word, _)| told.value == word.into()) {
        String::new()
    } else {
        shown(&told.shown())
    };
    let number = column.unit.is_number();
    let entry = TableEntry {
        text,
        number,
        value: match told.value {
            Value::Number(value) if number => Some(sorted_by(value)),
            Value::Count(count) if number => Some(count.to_string()),
            _ => None,
        },
        badge: told.badge.map(|(word, _)| word.into()),
        class: told.badge.map(|(_, tone)| class(tone)),
        ..TableEntry::default()
    };
    entry.with_note(&told.note).with_why(&told.why)
}
