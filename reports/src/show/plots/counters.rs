//! Counters per million acquisitions: preemptions by phase, halts, kicks, switches.

use plotters::style::text_anchor::HPos;

use super::axis::{Axis, trimmed};
use super::canvas::{label_room, picture};
use super::fairness::contested;
use super::style::{INK, Style, nth};
use super::{Figure, Key, Plot, Table};
use crate::Error;
use crate::format::{count, overcommit, significant};
use crate::record::{Cell, Results, Status};

const TITLE: &str = "Events per million acquisitions";
/// The counters that are drawn if they were counted; the table has all.
const DRAWN: [(&str, &str); 6] = [
    ("preempted_holding", "preempted while holding"),
    ("preempted_waiting", "preempted while waiting"),
    ("preempted_thinking", "preempted while thinking"),
    ("halt", "halts"),
    ("kick", "kicks"),
    ("involuntary_switches", "involuntary switches"),
];
const ROW: u32 = 22;

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
    let title = format!("{TITLE}, {}, {}", setting.axes().env, overcommit(k));
    let height = 72 + cells.len() as u32 * ROW;
    let left = label_room(cells.iter().map(|cell| cell.axes.lock.chars().count().min(24)).max().unwrap_or(0));
    let description =
        format!("{} kinds of event for {} locks. The table below has every value.", drawn.len(), cells.len());
    let svg = picture("counters", &title, &description, height, |pen| {
        let frame = pen.frame(x, Axis::with_ticks("", 0.0..cells.len() as f64, Vec::new()), Some(left))?;
        for (index, cell) in cells.iter().enumerate() {
            let row = cells.len() as f64 - index as f64 - 0.5;
            let (_, y) = frame.at(1.0, row);
            let label: String = cell.axes.lock.chars().take(24).collect();
            pen.text((f64::from(left) - 2.0, y), &label, INK, HPos::Right)?;
            for (name, _, style) in &drawn {
                if let Some(value) = per_million(cell, name) {
                    pen.marker(frame.at(value, row), *style, false)?;
                }
            }
        }
        Ok(())
    })?;
    Ok(Figure::Drawn(Plot {
        id: "counters".into(),
        title,
        reading: "Preemptions are those by the kernel that runs the vCPUs; preemptions by a host beneath it are not seen. In a \
                  FIFO lock under overcommit nearly every handover goes to a preempted waiter. An event that did not happen \
                  has no marker."
            .into(),
        svg,
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
