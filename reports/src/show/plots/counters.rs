//! Counters per million acquisitions: preemptions by phase, halts, kicks, switches.

use super::axis::{Axis, trimmed};
use super::fairness::contested;
use super::markers::{self, Mark};
use super::style::{Style, nth};
use super::{Figure, Key, Plot, Table};
use crate::Error;
use crate::format::{count, counted, overcommit, significant};
use crate::record::{Cell, Results, Status};

const TITLE: &str = "Events per million acquisitions";
/// The counters that are drawn if they were counted; the table has all.
const DRAWN: [(&str, &str); 8] = [
    ("preempted_holding", "preempted while holding"),
    ("preempted_waiting", "preempted while waiting"),
    ("preempted_thinking", "preempted while thinking"),
    ("halt", "halts"),
    ("kick", "kicks"),
    ("yield", "yields"),
    ("slice_extended", "timeslices extended"),
    ("involuntary_switches", "involuntary switches"),
];

pub(super) fn plot(results: &Results) -> Result<Figure, Error> {
    let Some((setting, k)) = contested(results) else { return Ok(missing()) };
    let cells: Vec<&Cell> = setting
        .locks()
        .into_iter()
        .filter_map(|lock| setting.at(lock, k))
        .filter(|cell| cell.status == Status::Ok && cell.counted_operations > 0)
        .take(40)
        .collect();
    let drawn: Vec<(&str, &str, Style)> = DRAWN
        .iter()
        .filter(|(name, _)| cells.iter().any(|cell| cell.counters.get(*name).is_some_and(|count| *count > 0)))
        .enumerate()
        .map(|(place, &(name, shown))| (name, shown, nth(place)))
        .collect();
    let values = cells.iter().flat_map(|cell| drawn.iter().filter_map(|(name, ..)| per_million(cell, name)));
    let Some(x) = Axis::log10("events per million acquisitions (log scale)", values, trimmed) else {
        return Ok(missing());
    };
    let title = format!("{TITLE}, {}, {}", setting.axes().told_env(), overcommit(k));
    let description = format!(
        "{} of event for {}. The table below has every value.",
        counted(drawn.len(), "kind"),
        counted(cells.len(), "lock")
    );
    let row = |cell: &&Cell| {
        let marks = drawn.iter().filter_map(|(name, shown, style)| {
            let value = per_million(cell, name)?;
            let lock = cell.axes.lock.clone();
            let told = format!("{lock}: {} {shown}", significant(value));
            Some(Mark { lock, value, style: *style, told })
        });
        (cell.axes.lock.clone(), marks.collect())
    };
    let rows: Vec<(String, Vec<Mark>)> = cells.iter().map(row).collect();
    let svg = markers::rows("counters", &title, &description, x, &rows)?;
    Ok(Figure::Drawn(Plot {
        id: "counters".into(),
        title,
        env: Some(setting.axes().env.clone()),
        reading: "Preemptions are those by the kernel that runs the vCPUs; preemptions by a host beneath it are not seen. In a \
                  FIFO lock under overcommit nearly every handover goes to a preempted waiter. An event that did not happen \
                  has no marker."
            .into(),
        svg,
        linear: None,
        legend: drawn.iter().map(|(_, shown, style)| Key::new(*shown, *style, false)).collect(),
        open: false,
        data: table(&cells),
    }))
}

fn missing() -> Figure {
    Figure::missing(TITLE, "Nothing was counted.")
}

/// Events per million acquisitions; none if the event did not happen.
fn per_million(cell: &Cell, name: &str) -> Option<f64> {
    let events = *cell.counters.get(name)?;
    (events > 0 && cell.counted_operations > 0).then(|| events as f64 * 1e6 / cell.counted_operations as f64)
}

/// Whether the lock counts this event. A lock's event that is not in the record did not happen; an event that the kernel counts
/// and that is not in the record is unknown.
fn of_lock(name: &str) -> bool {
    !(name.ends_with("_switches") || name.ends_with("_faults") || name.starts_with("preempted_"))
}

fn table(cells: &[&Cell]) -> Table {
    let mut names: Vec<&String> = cells.iter().flat_map(|cell| cell.counters.keys()).collect();
    names.sort();
    names.dedup();
    let mut columns = vec!["lock".to_owned(), "acquisitions".to_owned()];
    columns.extend(names.iter().map(|name| name.replace('_', " ")));
    let rows = cells.iter().map(|cell| {
        let mut row = vec![cell.axes.lock.clone(), count(cell.counted_operations)];
        row.extend(names.iter().map(|name| match per_million(cell, name) {
            Some(events) => significant(events),
            None if cell.counters.contains_key(*name) || of_lock(name) => "0".into(),
            None => "–".into(),
        }));
        row
    });
    Table { columns, rows: rows.collect() }
}
