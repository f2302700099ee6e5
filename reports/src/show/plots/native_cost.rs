//! The 2x2 of the kernel series that brought the paravirtual ticket lock: before or after it, paravirtual code compiled in or
//! not; natively and virtualized.

use super::axis::Axis;
use super::forest::{Forest, Row};
use super::style::nth;
use super::{Figure, Table};
use crate::Error;
use crate::derive::roster::of_kernel;
use crate::format::{range, significant};
use crate::judge::answers::{ns_per_pair, uncontended};
use crate::record::{Interval, KernelBuild, Results, Status};

const PLACES: [(&str, &str); 3] =
    [("native", "native"), ("emulated", "virtualized (emulated)"), ("kvm", "virtualized (kvm)")];

/// The locks of `[before without PV, before with PV, after without PV, after with PV]`, natively or in a guest; an empty name where
/// the run has no such lock.
fn locks(results: &Results, natively: bool) -> [&str; 4] {
    let runs = |build: &KernelBuild| if natively { build.native } else { build.guest };
    [(false, false), (false, true), (true, false), (true, true)].map(|(series, paravirt)| {
        let of_corner =
            |build: &KernelBuild| runs(build) && (build.series, build.paravirt) == (series, paravirt);
        of_kernel(results, of_corner).unwrap_or_default()
    })
}

pub(super) fn plot(results: &Results) -> Result<Figure, Error> {
    let mut groups = Vec::new();
    let mut rows = Vec::new();
    let columns =
        ["environment", "before, without PV", "before, with PV", "after, without PV", "after, with PV"];
    let mut table = Table { columns: columns.map(str::to_owned).to_vec(), rows: Vec::new() };
    for (env, name) in PLACES {
        let locks = locks(results, env == "native");
        let times: Vec<Option<Interval>> = locks.iter().map(|lock| pair_time(results, env, lock)).collect();
        if times.iter().all(Option::is_none) {
            continue;
        }
        let mut entries = vec![name.to_owned()];
        for (lock, time) in locks.iter().zip(&times) {
            entries
                .push(time.map_or_else(|| format!("{lock}: –"), |time| format!("{lock}: {}", shown(time))));
            rows.extend(time.map(|interval| Row {
                lock: Some((*lock).into()),
                label: (*lock).into(),
                group: groups.len(),
                interval,
                figure: format!("{} ns", significant(interval.median)),
                details: Vec::new(),
            }));
        }
        groups.push((name.to_owned(), nth(groups.len())));
        table.rows.push(entries);
    }
    let values: Vec<f64> = rows.iter().flat_map(|row| [row.interval.low, row.interval.high]).collect();
    Forest {
        id: "two-by-two",
        title: "The 2x2: before or after the series, PV compiled in or not",
        reading: "Time for one uncontended pair of lock and unlock on one vCPU with an empty section; left is better, \
                  and the axis does not begin at 0. The aim of the series was to bring “after, with PV” as close as \
                  possible to “before, without PV”; the table says which lock stands for which kernel.",
        axis: Axis::around("nanoseconds for a pair of lock and unlock", values),
        line: None,
        groups,
        rows,
        columns: &[],
        table: Some(table),
    }
    .draw("No lock was run uncontended: one vCPU, empty section.")
}

fn pair_time(results: &Results, env: &str, lock: &str) -> Option<Interval> {
    uncontended(results, env, lock).filter(|cell| cell.status == Status::Ok).and_then(ns_per_pair)
}

fn shown(time: Interval) -> String {
    format!("{} ns ({})", significant(time.median), range(time, significant))
}
