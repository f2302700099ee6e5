//! Events that the queued and paravirtual locks count, under the names that the Linux kernel gives them.

use super::axis::{Axis, trimmed};
use super::fairness::contested;
use super::markers::{self, Mark};
use super::style::{Looks, Style};
use super::{Figure, Key, Plot, Table};
use crate::Error;
use crate::format::{counted, overcommit, significant};
use crate::record::{Cell, Results, Status};

const TITLE: &str = "Lock events under their kernel names";
/// The kernel's `lock_event_counts`, as far as locks here count them.
const NAMES: [&str; 13] = [
    "lock_pending",
    "lock_slowpath",
    "lock_no_node",
    "rqspinlock_lock_timeout",
    "rqspinlock_deadlock",
    "pv_lock_stealing",
    "pv_wait_head",
    "pv_wait_node",
    "pv_wait_early",
    "pv_wait_again",
    "pv_kick_unlock",
    "pv_kick_wake",
    "pv_spurious_wakeup",
];

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
    let title = format!("{TITLE}, {}, {}", setting.axes().told_env(), overcommit(k));
    let description = format!(
        "{} of event for {}. The table below has every value.",
        counted(names.len(), "kind"),
        counted(locks.len(), "lock")
    );
    let row = |name: &&str| {
        let marks = locks.iter().filter_map(|(cell, style)| {
            let value = per_million(cell, name)?;
            let lock = cell.axes.lock.clone();
            let told = format!("{lock}: {} {name}", significant(value));
            Some(Mark { lock, value, style: *style, told })
        });
        ((*name).to_owned(), marks.collect())
    };
    let rows: Vec<(String, Vec<Mark>)> = names.iter().map(row).collect();
    let svg = markers::rows("lock-events", &title, &description, x, &rows)?;
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
        env: Some(setting.axes().env.clone()),
        reading: "Events are counted at the same places as in the kernel (CONFIG_LOCK_EVENT_COUNTS), so that they can be \
                  compared with counts of a real guest. Where pv_kick_wake is below the sum of pv_wait_head and \
                  pv_wait_node, some halts ended without a kick. pv_spurious_wakeup counts waiters that woke and did not \
                  get the lock."
            .into(),
        svg,
        linear: None,
        legend: locks.iter().map(|(cell, style)| Key::of_lock(&cell.axes.lock, *style)).collect(),
        open: false,
        data: Table { columns, rows: rows.collect() },
    }))
}

/// Events per million acquisitions; none if the event did not happen.
fn per_million(cell: &Cell, name: &str) -> Option<f64> {
    let events = *cell.counters.get(name)?;
    (events > 0 && cell.counted_operations > 0).then(|| events as f64 * 1e6 / cell.counted_operations as f64)
}
