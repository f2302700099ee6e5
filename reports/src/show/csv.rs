//! The cells as CSV, one row each, for spreadsheets and data frames.

use crate::record::Results;
use crate::rfc4180::line;
use crate::show::columns::{COLUMNS, Column, rows};

/// The cells as RFC 4180 CSV: a heading, then one row a cell in plan order; a field is empty where there is no value. Rates are
/// in acquisitions per second, times in nanoseconds.
pub fn cells(results: &Results) -> String {
    let columns: Vec<&Column> = COLUMNS.iter().filter(|column| column.in_csv).copied().collect();
    let names = columns.iter().map(|column| column.name.to_owned()).collect();
    let values = rows(results, |row| columns.iter().map(|column| (column.of)(row).value.plain()).collect());
    std::iter::once(names).chain(values).map(|fields: Vec<String>| line(&fields)).collect()
}
