//! The cells as CSV, one row each, for spreadsheets and data frames.

use crate::columns::{COLUMNS, Column, rows};
use crate::record::Results;

/// The cells as RFC 4180 CSV: a heading, then one row a cell in plan order; empty where there is no value. Rates in
/// acquisitions per second, times in nanoseconds.
pub fn cells(results: &Results) -> String {
    let columns: Vec<&Column> = COLUMNS.iter().filter(|column| column.in_csv).copied().collect();
    let names = columns.iter().map(|column| column.name.to_owned()).collect();
    let values = rows(results, |row| columns.iter().map(|column| (column.of)(row).value.plain()).collect());
    std::iter::once(names).chain(values).map(|fields: Vec<String>| line(&fields)).collect()
}

/// One line.
pub(crate) fn line(fields: &[String]) -> String {
    let fields: Vec<String> = fields.iter().map(|value| field(value)).collect();
    format!("{}\r\n", fields.join(","))
}

/// Quotes a field where needed. A field that a spreadsheet would take for a formula gets an apostrophe before it.
fn field(value: &str) -> String {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']) && value.parse::<f64>().is_err();
    let value = if formula { format!("'{value}") } else { value.to_owned() };
    if value.contains([',', '"', '\r', '\n']) { format!("\"{}\"", value.replace('"', "\"\"")) } else { value }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn fields_are_quoted_and_defused() {
        assert_eq!(field("plain"), "plain");
        assert_eq!(field("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
        assert_eq!(field("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(field("-1.5"), "-1.5");
    }
}
