//! The columns that tell of a cell, each defined once. The CSV, the tables of the page, the terminal and docs/results.md are
//! all made from [`COLUMNS`]; a new column is one definition in one of the files beside this one, and a line in that list.

mod acquire;
mod axes;
mod fairness;
mod quota;
mod rate;
mod schedule;
mod status;
mod value;
mod windows;

pub use value::{Told, Tone, Unit, Value};

use crate::derive::setting::{Setting, settings};
use crate::record::{Cell, Results};

/// A column: one figure of a cell.
pub struct Column {
    /// Its name in the CSV.
    pub name: &'static str,
    /// Its heading in tables of the page; none where the column is in the CSV only.
    pub heading: Option<&'static str>,
    /// Whether it is among the columns that tables of the page show first.
    pub first: bool,
    /// Its unit.
    pub unit: Unit,
    /// What the column says, for the docs.
    pub about: &'static str,
    /// The value for a cell, and how people read it.
    pub of: fn(&Row<'_>) -> Told,
    /// The short form in the terminal's table; none where that table leaves the column out.
    pub terminal: Option<fn(&Row<'_>) -> Option<String>>,
    /// Whether the column is in the CSV. Ratios to other cells are not: they can be computed from the CSV.
    pub in_csv: bool,
}

impl Column {
    /// A column of the CSV alone.
    const fn new(name: &'static str, unit: Unit, about: &'static str, of: fn(&Row<'_>) -> Told) -> Self {
        Self { name, heading: None, first: false, unit, about, of, terminal: None, in_csv: true }
    }

    /// Adds a heading, so that the column is in tables of the page too.
    const fn headed(self, heading: &'static str) -> Self {
        Self { heading: Some(heading), ..self }
    }

    /// Puts the column among those that tables of the page show first.
    const fn shown_first(self) -> Self {
        Self { first: true, ..self }
    }

    /// Puts the column into the terminal's table too.
    const fn on_terminal(self, short: fn(&Row<'_>) -> Option<String>) -> Self {
        Self { terminal: Some(short), ..self }
    }

    /// Leaves the column out of the CSV.
    const fn for_people(self) -> Self {
        Self { in_csv: false, ..self }
    }
}

/// A cell, with what is needed to compare it with others.
pub struct Row<'a> {
    /// The run.
    pub results: &'a Results,
    /// The setting that the cell belongs to.
    pub setting: Option<&'a Setting<'a>>,
    /// The cell.
    pub cell: &'a Cell,
}

/// Calls `each` with a row for each cell, in plan order.
pub fn rows<T>(results: &Results, each: impl Fn(&Row<'_>) -> T) -> Vec<T> {
    let settings = settings(results);
    let of =
        |cell| settings.iter().find(|setting| setting.cells.iter().any(|other| std::ptr::eq(*other, cell)));
    results.cells.iter().map(|cell| each(&Row { results, setting: of(cell), cell })).collect()
}

/// Every column, in the order of the CSV and of the page's tables.
pub static COLUMNS: &[&Column] = &[
    &axes::RUN,
    &axes::CELL,
    &axes::LOCK,
    &axes::BASELINE,
    &axes::ENV,
    &axes::WORKLOAD,
    &axes::SECTION,
    &axes::LINES,
    &axes::THINK,
    &axes::THINK_TIME,
    &axes::PLACEMENT,
    &axes::PINNING,
    &axes::VCPUS,
    &axes::PCPUS,
    &axes::OVERCOMMIT,
    &axes::PARAMS,
    &status::STATUS,
    &status::REASON,
    &status::EXCLUSION,
    &status::FAILED,
    &rate::RATE,
    &rate::LOW,
    &rate::HIGH,
    &rate::TO_BASELINE,
    &rate::KEPT,
    &windows::TAKEN,
    &windows::USED,
    &fairness::JAIN,
    &fairness::LEAST,
    &fairness::MOST,
    &fairness::RUN,
    &acquire::P50,
    &acquire::P90,
    &acquire::P99,
    &acquire::P999,
    &acquire::LONGEST,
    &acquire::AT_LEAST,
    &windows::ON_CPU,
    &windows::NEAREST,
    &windows::FARTHEST,
    &schedule::SLICE,
    &schedule::SLICE_P99,
    &schedule::PAUSE,
    &schedule::PAUSE_P99,
    &schedule::SWITCH,
    &schedule::OWN,
    &schedule::DEVIATION,
    &schedule::NOT_KEPT,
    &schedule::REPLAY_ERROR,
    &schedule::REPLAY_ERROR_P99,
    &schedule::LEFT_OVER,
    &quota::THROTTLED,
    &quota::PERIODS,
    &status::NOTES,
];

/// What the terminal's table tells of a cell.
pub fn on_terminal(row: &Row<'_>) -> String {
    let told: Vec<String> =
        COLUMNS.iter().filter_map(|column| column.terminal).filter_map(|short| short(row)).collect();
    told.join(" ")
}

/// The table in docs/results.md: every column of the CSV, its unit and its meaning.
pub fn documentation() -> String {
    let mut text = String::from("| column | unit | |\n|---|---|---|\n");
    for column in COLUMNS.iter().filter(|column| column.in_csv) {
        text.push_str(&format!("| `{}` | {} | {} |\n", column.name, column.unit.name(), column.about));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_docs_list_every_column_of_the_csv() {
        let docs = include_str!("../../../../docs/results.md");
        let table = documentation();
        assert!(docs.contains(&table), "docs/results.md lacks this table, or has an older one:\n{table}");
    }

    #[test]
    fn tables_of_the_page_show_eight_columns_first() {
        let first: Vec<&str> =
            COLUMNS.iter().filter(|column| column.first).filter_map(|column| column.heading).collect();
        assert_eq!(first.len(), 8, "{first:?}");
    }

    #[test]
    fn names_and_headings_are_given_once() {
        let once = |names: Vec<&str>| {
            let set: std::collections::BTreeSet<_> = names.iter().collect();
            assert_eq!(set.len(), names.len(), "{names:?}");
        };
        once(COLUMNS.iter().map(|column| column.name).collect());
        once(COLUMNS.iter().filter_map(|column| column.heading).collect());
    }
}
