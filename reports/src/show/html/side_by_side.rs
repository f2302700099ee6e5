//! The table of several runs side by side: the rates of the same cells, and their ratios.

use super::view::{Column, Table, TableEntry, shown};
use crate::format::{range, rate, ratio};
use crate::judge::comparison::without_a_rate;
use crate::record::{Cell, Interval, Results};
use crate::statistics::Spans;

pub(super) fn table(runs: &[Results]) -> Table {
    let mut ids: Vec<&str> = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    for cell in runs.iter().flat_map(|run| &run.cells) {
        if known.insert(cell.axes.id.as_str()) {
            ids.push(&cell.axes.id);
        }
    }
    let find = |run: &Results| -> std::collections::BTreeMap<String, Cell> {
        run.cells.iter().map(|cell| (cell.axes.id.clone(), cell.clone())).collect()
    };
    let by_id: Vec<_> = runs.iter().map(find).collect();
    let rows = ids.iter().map(|id| {
        let of_runs: Vec<Option<&Cell>> = by_id.iter().map(|cells| cells.get(*id)).collect();
        row(id, &of_runs)
    });
    let mut table = Table::new("The same cells in each run", &[("Cell", false)], rows.collect());
    for (index, run) in runs.iter().enumerate() {
        table.columns.push(Column { name: shown(&run.run_id), number: true });
        if index > 0 {
            table.columns.push(Column { name: "Ratio to the first".into(), number: true });
        }
    }
    table
}

fn row(id: &str, runs: &[Option<&Cell>]) -> Vec<TableEntry> {
    let mut entries = vec![TableEntry::text(id)];
    for (index, cell) in runs.iter().enumerate() {
        entries.push(absolute(*cell));
        if index > 0 {
            entries.push(relative(*cell, runs[0]));
        }
    }
    entries
}

fn absolute(cell: Option<&Cell>) -> TableEntry {
    let Some(cell) = cell else { return TableEntry::number(None, rate).with_note("not in this run") };
    match cell.ops_per_second {
        Some(ops) => TableEntry::number(Some(ops.median), rate).with_note(format!("({})", range(ops, rate))),
        None => TableEntry::number(None, rate).with_note(without_a_rate(cell)),
    }
}

fn relative(cell: Option<&Cell>, first: Option<&Cell>) -> TableEntry {
    let none = TableEntry::number(None, ratio);
    let (Some(cell), Some(first)) = (cell, first) else { return none };
    let (Some(one), Some(other)) = (cell.ops_per_second, first.ops_per_second) else { return none };
    if let Some(apart) = Spans::of_cell(first).apart(&Spans::of_cell(cell)) {
        return none.with_why(format!("not enough data: {}", apart.told("in the first", "here")));
    }
    match widest(one, other) {
        Some(interval) => TableEntry::number(Some(interval.median), ratio)
            .with_note(format!("({})", range(interval, ratio))),
        None => none,
    }
}

/// Ratio of two medians, with the range of all ratios that their intervals allow.
fn widest(one: Interval, other: Interval) -> Option<Interval> {
    let interval =
        Interval { median: one.median / other.median, low: one.low / other.high, high: one.high / other.low };
    [interval.median, interval.low, interval.high].iter().all(|value| value.is_finite()).then_some(interval)
}
