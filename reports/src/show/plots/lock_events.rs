//! Events that the queued and paravirtual locks count, under the names that the Linux kernel gives them.

use plotters::style::text_anchor::HPos;

use super::axis::{Axis, trimmed};
use super::canvas::{label_room, picture};
use super::fairness::contested;
use super::style::{INK, Looks, Style};
use super::{Figure, Key, Plot, Table};
use crate::Error;
use crate::format::{overcommit, significant};
use crate::record::{Cell, Results, Status};

const TITLE: &str = "Lock events under their kernel names";
/// The kernel's `lock_event_counts`, as far as locks here count them.
const NAMES: [&str; 11] = [
    "lock_pending",
    "lock_slowpath",
    "lock_no_node",
    "pv_lock_stealing",
    "pv_wait_head",
    "pv_wait_node",
    "pv_wait_early",
    "pv_wait_again",
    "pv_kick_unlock",
    "pv_kick_wake",
    "pv_spurious_wakeup",
];
const ROW: u32 = 22;

pub(super) fn plot(results: &Results) -> Result<Figure, Error> {
    let nothing = || Figure::missing(TITLE, "No lock counted an event of its own.");
    let Some((setting, k)) = contested(results) else { return Ok(nothing()) };
    let looks = Looks::of(results);
    let locks: Vec<(&Cell, Style)> = setting
        .locks()
        .into_iter()
        .filter_map(|lock| Some((setting.at(lock, k)?, looks.lock(lock))))
        .filter(|(cell, _)| {
            cell.status == Status::Ok && NAMES.iter().any(|name| per_million(cell, name).is_some())
        })
        .take(20)
        .collect();
    let names: Vec<&str> = NAMES
        .into_iter()
        .filter(|name| locks.iter().any(|(cell, _)| per_million(cell, name).is_some()))
        .collect();
    let values = locks.iter().flat_map(|(cell, _)| names.iter().filter_map(|name| per_million(cell, name)));
    let Some(x) = Axis::log10("events per million acquisitions (log scale)", values, trimmed) else {
        return Ok(nothing());
    };
    let title = format!("{TITLE}, {}, {}", setting.axes().env, overcommit(k));
    let left = label_room(names.iter().map(|name| name.len()).max().unwrap_or(0));
    let description =
        format!("{} kinds of event for {} locks. The table below has every value.", names.len(), locks.len());
    let svg = picture("lock-events", &title, &description, 72 + names.len() as u32 * ROW, |pen| {
        let frame = pen.frame(x, Axis::with_ticks("", 0.0..names.len() as f64, Vec::new()), Some(left))?;
        for (index, name) in names.iter().enumerate() {
            let row = names.len() as f64 - index as f64 - 0.5;
            pen.text((f64::from(left) - 2.0, frame.at(1.0, row).1), name, INK, HPos::Right)?;
            for (cell, style) in &locks {
                if let Some(value) = per_million(cell, name) {
                    pen.marker(frame.at(value, row), *style, false)?;
                }
            }
        }
        Ok(())
    })?;
    let mut columns = vec!["event".to_owned()];
    columns.extend(locks.iter().map(|(cell, _)| cell.axes.lock.clone()));
    let rows = names.iter().map(|name| {
        let mut row = vec![(*name).to_owned()];
        row.extend(
            locks.iter().map(|(cell, _)| per_million(cell, name).map_or_else(|| "0".into(), significant)),
        );
        row
    });
    Ok(Figure::Drawn(Plot {
        id: "lock-events".into(),
        title,
        reading: "Events are counted at the same places as in the kernel (CONFIG_LOCK_EVENT_COUNTS), so that they can be \
                  compared with counts of a real guest. Where pv_kick_wake is below the sum of pv_wait_head and \
                  pv_wait_node, some halts ended without a kick. pv_spurious_wakeup counts waiters that woke and did not \
                  get the lock."
            .into(),
        svg,
        legend: locks.iter().map(|(cell, style)| Key::new(&cell.axes.lock, *style, false)).collect(),
        open: false,
        data: Table { columns, rows: rows.collect() },
    }))
}

/// Events per million acquisitions; none if the event did not happen.
fn per_million(cell: &Cell, name: &str) -> Option<f64> {
    let events = *cell.counters.get(name)?;
    (events > 0 && cell.counted_operations > 0).then(|| events as f64 * 1e6 / cell.counted_operations as f64)
}
