//! Ratios of native to emulated and of emulated to kvm rates, at equal numbers of vCPUs and without overcommit.

use super::Figure;
use super::axis::Axis;
use super::forest::{Forest, Row};
use super::style::nth;
use crate::Error;
use crate::derive::setting::{above, counterpart};
use crate::format::{range, rate, ratio};
use crate::judge::comparison::compare;
use crate::record::{Cell, Results, Status};

const STEPS: [(&str, &str); 2] = [("native", "emulated"), ("emulated", "kvm")];

pub(super) fn plot(results: &Results) -> Result<Figure, Error> {
    let mut rows: Vec<Told> = Vec::new();
    let mut groups = Vec::new();
    for (step, (one, other)) in STEPS.into_iter().enumerate() {
        let cells = results.cells.iter().filter(|cell| cell.axes.env == one && !above(cell.axes.overcommit));
        let before = rows.len();
        rows.extend(cells.filter_map(|cell| row(results, cell, other, groups.len())));
        if rows.len() > before {
            groups.push((format!("{one} : {other}"), nth(step)));
        }
    }
    // A label leaves out the workload that nearly all rows have, and the title tells the schedule that they have.
    let most = usual(&rows);
    let schedule = rows.iter().find(|row| row.workload == most).and_then(|row| row.schedule.clone());
    let schedule = schedule.map_or_else(String::new, |schedule| format!(", {schedule}"));
    let title = format!("Native : emulated : kvm at equal vCPUs{schedule}");
    for row in rows.iter_mut().filter(|row| row.workload != most) {
        row.row.label = format!("{} {}", row.row.label, row.workload);
    }
    let mut rows: Vec<Row> = rows.into_iter().map(|row| row.row).collect();
    // Rows of the same lock stand together.
    let order: Vec<String> = rows.iter().map(|row| row.label.clone()).collect();
    rows.sort_by_key(|row| order.iter().position(|label| *label == row.label));
    let values = rows.iter().flat_map(|row| [row.interval.low, row.interval.high]).chain([0.8, 1.25]);
    Forest {
        id: "environments",
        title: &title,
        reading: "Ratio of the rates of the same lock in two environments, paired by round. On the line at 1 they agree; \
                  right of it the environment named first is faster. Labels are lock and vCPUs.",
        axis: Axis::log10("ratio of rates (log scale)", values, super::axis::trimmed),
        line: Some(1.0),
        groups,
        rows,
        columns: &["ratio", "interval", "first", "second", "rounds", "verdict"],
        table: None,
    }
    .draw("No cell without overcommit was measured in two environments.")
}

/// A row with the workload and the schedule of its cells, and the schedule alone.
struct Told {
    workload: String,
    schedule: Option<String>,
    row: Row,
}

/// The workload that most rows have.
fn usual(rows: &[Told]) -> String {
    let count = |name: &str| rows.iter().filter(|row| row.workload == name).count();
    let most = rows.iter().max_by_key(|row| count(&row.workload));
    most.map_or_else(String::new, |row| row.workload.clone())
}

fn row(results: &Results, cell: &Cell, other: &str, group: usize) -> Option<Told> {
    let twin = counterpart(results, cell, |axes| axes.env = other.into())?;
    if cell.status != Status::Ok || twin.status != Status::Ok {
        return None;
    }
    let comparison = compare(results, cell, twin);
    let interval = comparison.ratio?;
    let shown = |cell: &Cell| cell.ops_per_second.map_or_else(String::new, |ops| rate(ops.median));
    let axes = &cell.axes;
    let row = Row {
        lock: Some(axes.lock.clone()),
        label: format!("{}, {}v", axes.lock, axes.vcpus),
        group,
        interval,
        figure: ratio(interval.median),
        details: vec![
            ratio(interval.median),
            range(interval, ratio),
            shown(cell),
            shown(twin),
            comparison.rounds.to_string(),
            comparison.verdict.to_string(),
        ],
    };
    let schedule = axes.told_schedule();
    let parts: Vec<&str> = [axes.workload.name.as_str()].into_iter().chain(schedule.as_deref()).collect();
    Some(Told { workload: parts.join(" "), schedule, row })
}
