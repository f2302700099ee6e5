//! Columns of acquire times.

use super::{Column, Row, Told, Unit};
use crate::format::duration;
use crate::record::Acquire;

pub(super) static P50: Column =
    Column::new("acquire_p50_ns", Unit::Nanoseconds, "median acquire time", |row| {
        wait(row, "p50", |a| a.p50)
    })
    .headed("p50");

pub(super) static P90: Column =
    Column::new("acquire_p90_ns", Unit::Nanoseconds, "90th percentile of acquire times", |row| {
        wait(row, "p90", |acquire| acquire.p90)
    });

pub(super) static P99: Column =
    Column::new("acquire_p99_ns", Unit::Nanoseconds, "99th percentile; needs 1,000 samples", |row| {
        wait(row, "p99", |acquire| acquire.p99)
    })
    .headed("p99");

pub(super) static P999: Column =
    Column::new("acquire_p999_ns", Unit::Nanoseconds, "99.9th percentile; needs 10,000 samples", |row| {
        wait(row, "p999", |acquire| acquire.p999)
    });

pub(super) static LONGEST: Column =
    Column::new("acquire_max_ns", Unit::Nanoseconds, "longest wait, finished or not", |row| {
        wait(row, "max", |acquire| acquire.max)
    })
    .headed("Longest wait")
    .shown_first();

pub(super) static AT_LEAST: Column = Column::new(
    "at_least",
    Unit::Text,
    "which of these acquire times are lower bounds, because unfinished waits reach them",
    |row| {
        let names =
            row.cell.acquire_ns.as_ref().map_or_else(String::new, |acquire| acquire.at_least.join(" "));
        Told::new(names.as_str())
    },
);

fn wait(row: &Row<'_>, name: &str, pick: fn(&Acquire) -> Option<f64>) -> Told {
    let Some(acquire) = &row.cell.acquire_ns else { return Told::nothing() };
    let least = if acquire.at_least.iter().any(|bound| bound == name) { "≥ " } else { "" };
    Told::number(pick(acquire), |ns| format!("{least}{}", duration(ns)))
}
