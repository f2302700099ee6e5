//! Acquire times on a percentile axis.

use super::axis::Axis;
use super::canvas::{HEIGHT, picture};
use super::percentile_axis::{self, QUANTILES};
use super::style::{Style, of_lock};
use super::{Figure, Key, Plot, Table};
use crate::Error;
use crate::derive::waits;
use crate::format::{count, duration, overcommit, rate};
use crate::record::{Cell, Results};
use crate::slices::{above, environments, main_slice};
use crate::statistics::{Percentile, Waits};

const TITLE: &str = "Acquire times";

struct Curve<'a> {
    cell: &'a Cell,
    style: Style,
    waits: Waits,
    points: Vec<(f64, Percentile)>,
}

pub(super) fn plot(results: &Results) -> Result<Figure, Error> {
    let Some((title, curves)) = curves(results) else {
        return Ok(Figure::missing(TITLE, "No latency windows were taken."));
    };
    let highest =
        curves.iter().flat_map(|curve| curve.points.last()).map(|point| point.0).fold(0.5, f64::max);
    let values = curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.1.ns));
    let Some(y) = Axis::log10("time to acquire (log scale)", values, axis_duration) else {
        return Ok(Figure::missing(title, "No wait was long enough to draw."));
    };
    let told: Vec<String> = curves
        .iter()
        .filter_map(|curve| {
            let (_, last) = curve.points.last()?;
            Some(format!("{} up to {}", curve.cell.axes.lock, duration(last.ns)))
        })
        .take(6)
        .collect();
    let description =
        format!("Time to acquire by percentile: {}. The table below has the figures.", told.join("; "));
    let svg = picture("latency", &title, &description, HEIGHT, |pen| {
        let frame = pen.frame(percentile_axis::axis(highest), y, None)?;
        for curve in &curves {
            let at =
                |(quantile, value): &(f64, Percentile)| frame.at(percentile_axis::place(*quantile), value.ns);
            pen.line(&curve.points.iter().map(at).collect::<Vec<_>>(), curve.style, 4)?;
            for point in &curve.points {
                pen.marker(at(point), curve.style, point.1.at_least)?;
            }
        }
        Ok(())
    })?;
    Ok(Figure::Drawn(Plot {
        id: "latency".into(),
        title,
        reading: "Each step to the right is ten times rarer. Hollow markers are lower bounds: waits still going on when \
                  the window closed reach them. A percentile is drawn only with ten waits beyond it. A closed loop: \
                  these are times of service, and nobody queues up outside."
            .into(),
        svg,
        legend: curves.iter().map(|curve| Key::new(&curve.cell.axes.lock, curve.style, true)).collect(),
        open: false,
        data: table(&curves),
    }))
}

/// Curves where overcommit is twofold, or else wherever most locks were timed.
fn curves(results: &Results) -> Option<(String, Vec<Curve<'_>>)> {
    let mut best: Option<(String, Vec<Curve<'_>>)> = None;
    for env in environments(results) {
        let Some(slice) = main_slice(results, env) else { continue };
        let mut factors = slice.above_one();
        factors.sort_by_key(|k| !crate::slices::same(*k, 2.0));
        for k in factors.into_iter().chain([1.0]) {
            let locks = slice.locks();
            let of = |(place, lock): (usize, &&str)| curve(slice.at(lock, k)?, of_lock(lock, place));
            let found: Vec<Curve<'_>> = locks.iter().enumerate().filter_map(of).collect();
            if !found.is_empty() && best.as_ref().is_none_or(|(_, best)| found.len() > best.len()) {
                let where_ = if above(k) { overcommit(k) } else { "without overcommit".into() };
                best = Some((format!("{TITLE}, {env}, {where_}"), found));
            }
        }
    }
    best
}

fn curve<'a>(cell: &'a Cell, style: Style) -> Option<Curve<'a>> {
    cell.acquire_ns.as_ref()?;
    let waits = waits(&cell.rounds);
    let points: Vec<(f64, Percentile)> =
        QUANTILES.iter().filter_map(|&(quantile, _)| Some((quantile, waits.percentile(quantile)?))).collect();
    (!points.is_empty()).then_some(Curve { cell, style, waits, points })
}

fn table(curves: &[Curve<'_>]) -> Table {
    let columns = ["lock", "p50", "p90", "p99", "p99.9", "longest", "waits", "rate while timed"];
    let rows = curves.iter().map(|curve| {
        let shown = |value: Option<Percentile>| value.map_or_else(|| "–".into(), bounded);
        let mut row = vec![curve.cell.axes.lock.clone()];
        row.extend([0.5, 0.9, 0.99, 0.999].map(|quantile| shown(curve.waits.percentile(quantile))));
        row.push(shown(curve.waits.max()));
        row.push(count(curve.waits.samples));
        let timed = curve.cell.acquire_ns.as_ref().and_then(|acquire| acquire.ops_per_second);
        row.push(timed.map_or_else(|| "–".into(), rate));
        row
    });
    Table { columns: columns.map(str::to_owned).to_vec(), rows: rows.collect() }
}

/// A percentile with its sign: `≥ 4.00 ms` where it is a lower bound.
fn bounded(value: Percentile) -> String {
    let least = if value.at_least { "≥ " } else { "" };
    format!("{least}{}", duration(value.ns))
}

/// `1 µs`, `10 ms`: an axis needs no digits.
fn axis_duration(ns: f64) -> String {
    match ns {
        value if value >= 1e9 => format!("{} s", super::axis::trimmed(ns / 1e9)),
        value if value >= 1e6 => format!("{} ms", super::axis::trimmed(ns / 1e6)),
        value if value >= 1e3 => format!("{} µs", super::axis::trimmed(ns / 1e3)),
        _ => format!("{} ns", super::axis::trimmed(ns)),
    }
}
