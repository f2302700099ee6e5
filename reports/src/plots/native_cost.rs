//! The 2x2 of the series: before or after it, paravirtualisation compiled in or not; natively and virtualized.

use super::Figure;
use super::axis::Axis;
use super::forest::{Forest, Row};
use super::style::nth;
use crate::Error;
use crate::answers::{ns_per_pair, uncontended};
use crate::format::{duration, range, significant};
use crate::record::{Results, Status};

/// `(lock, before or after the series, with PV compiled in or not)`.
const NATIVE: [(&str, &str); 4] = [
    ("ticket", "before, without PV"),
    ("pvops-ticket", "before, with PV"),
    ("pv-ticket-bare", "after, without PV"),
    ("pv-ticket-off", "after, with PV"),
];
const VIRTUALIZED: [(&str, &str); 4] = [
    ("ticket", "before, without PV"),
    ("pv-byte", "before, with PV"),
    ("pv-ticket-bare", "after, without PV"),
    ("pv-ticket", "after, with PV"),
];

pub(super) fn plot(results: &Results) -> Result<Figure, Error> {
    let mut groups = Vec::new();
    let mut rows = Vec::new();
    for (env, name, locks) in [
        ("native", "native", NATIVE),
        ("emulated", "virtualized (emulated)", VIRTUALIZED),
        ("kvm", "virtualized (kvm)", VIRTUALIZED),
    ] {
        let of_env: Vec<Row> =
            locks.iter().filter_map(|&(lock, when)| row(results, env, lock, when, groups.len())).collect();
        if !of_env.is_empty() {
            groups.push((name.to_owned(), nth(groups.len())));
            rows.extend(of_env);
        }
    }
    let values: Vec<f64> = rows.iter().map(|row| row.interval.high).collect();
    Forest {
        id: "two-by-two",
        title: "The 2x2: before or after the series, PV compiled in or not",
        reading: "Time for one uncontended pair of lock and unlock on one vCPU with an empty section; left is better. \
                  The series set out to bring `after, with PV` as close to `before, without PV` as it could. Labels \
                  are the locks that stand for the four kernels.",
        axis: Axis::from_zero("nanoseconds for a pair of lock and unlock", values),
        line: None,
        groups,
        rows,
        columns: &["stands for", "time of a pair", "interval", "rounds"],
    }
    .draw("No lock was run uncontended: one vCPU, empty section.")
}

fn row(results: &Results, env: &str, lock: &str, when: &str, group: usize) -> Option<Row> {
    let cell = uncontended(results, env, lock).filter(|cell| cell.status == Status::Ok)?;
    let interval = ns_per_pair(cell)?;
    Some(Row {
        label: lock.into(),
        group,
        interval,
        figure: format!("{} ns", significant(interval.median)),
        details: vec![
            when.into(),
            duration(interval.median),
            range(interval, duration),
            cell.windows_used.to_string(),
        ],
    })
}
