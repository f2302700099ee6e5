//! What percentile plots share: times up to the 99.999th percentile, on an axis on which each step is ten times rarer.

use super::axis::{Axis, trimmed};
use super::canvas::{Frame, HEIGHT, picture};
use super::dodge::spread;
use super::group::{Group, Place};
use super::labels::{self, Label};
use super::percentile_axis::{self, QUANTILES};
use super::style::{Looks, Style};
use super::traced::main;
use super::{Figure, Plot, Table};
use crate::Error;
use crate::derive::Selection;
use crate::format::{count, duration};
use crate::record::{Causes, Cell, CellCauses, Histogram, Results, VcpuShare};
use crate::statistics::{Percentile, Waits};

/// A lock's times.
pub(super) struct Curve<'a> {
    pub(super) cell: &'a Cell,
    style: Style,
    waits: Waits,
    points: Vec<(f64, Percentile)>,
    /// The last entry of the lock's row in the table.
    note: String,
    details: Details,
}

/// What the table has besides the percentiles.
#[derive(Default)]
pub(super) struct Details {
    /// The vCPU of the longest time, and when that time ended.
    pub(super) longest: Option<(u32, u64)>,
    /// Median, 99th percentile and longest of each vCPU.
    pub(super) vcpus: Vec<[Option<f64>; 3]>,
}

impl<'a> Curve<'a> {
    /// A curve; none where there are too few samples for any percentile.
    pub(super) fn new(
        cell: &'a Cell,
        style: Style,
        waits: Waits,
        note: String,
        details: Details,
    ) -> Option<Self> {
        let points: Vec<(f64, Percentile)> = QUANTILES
            .iter()
            .filter_map(|&(quantile, _)| Some((quantile, waits.percentile(quantile)?)))
            .collect();
        (!points.is_empty()).then_some(Self { cell, style, waits, points, note, details })
    }
}

impl Curve<'_> {
    fn lock(&self) -> &str {
        &self.cell.axes.lock
    }

    fn places(&self, frame: &Frame<'_, '_>) -> Vec<Place> {
        let at =
            |(quantile, value): &(f64, Percentile)| frame.at(percentile_axis::place(*quantile), value.ns);
        self.points.iter().map(at).collect()
    }

    /// The curve with its markers, and its label.
    fn group(&self, places: &[Place], of: &str) -> (Group, Option<Label>) {
        let mut group = Group::of_lock(self.lock());
        group.line(places, self.style);
        for ((quantile, value), place) in self.points.iter().zip(places) {
            let part = trimmed(quantile * 100.0);
            let told = format!("{}, {part} % of {of}: {}", self.lock(), bounded(*value));
            group.marker(*place, self.style, value.at_least, &told);
        }
        let label = |end: &Place| Label { text: self.lock().to_owned(), end: *end, style: self.style };
        (group, places.last().map(label))
    }

    /// A row of the table for each vCPU, with medians over windows.
    fn of_vcpus(&self) -> impl Iterator<Item = Vec<String>> {
        let shown = |ns: Option<f64>| ns.map_or_else(|| "–".into(), duration);
        self.details.vcpus.iter().enumerate().take(64).map(move |(vcpu, &[p50, p99, longest])| {
            let name = format!("{}, v{vcpu}", self.cell.axes.lock);
            let mut row = vec!["–".to_owned(); 10];
            (row[0], row[1], row[3], row[7]) = (name, shown(p50), shown(p99), shown(longest));
            row
        })
    }
}

impl Details {
    /// `longest` is the vCPU of the longest time and when that ended; `of` takes median, 99th percentile and longest from a vCPU.
    pub(super) fn of(
        causes: &CellCauses,
        longest: Option<(u32, u64)>,
        of: impl Fn(&VcpuShare) -> (Option<f64>, Option<f64>, u64),
    ) -> Self {
        let vcpus = causes.vcpus.iter().map(of).map(|(p50, p99, max_ns)| [p50, p99, Some(max_ns as f64)]);
        Self { longest, vcpus: vcpus.collect() }
    }
}

/// What a percentile plot is made of.
pub(super) struct Percentiles<'a> {
    pub(super) id: &'a str,
    pub(super) title: String,
    pub(super) reading: &'a str,
    /// What the percentiles are of: `waits`.
    pub(super) of: &'a str,
    pub(super) y_title: &'a str,
    /// Heading of the notes.
    pub(super) note: &'a str,
    pub(super) curves: Vec<Curve<'a>>,
}

impl Percentiles<'_> {
    pub(super) fn draw(self, nothing: &str) -> Result<Figure, Error> {
        let highest =
            self.curves.iter().flat_map(|curve| curve.points.last()).map(|point| point.0).fold(0.5, f64::max);
        let values = self.curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.1.ns));
        let Some(y) = Axis::log10(self.y_title, values, axis_duration) else {
            return Ok(Figure::missing(self.title, nothing));
        };
        let room = labels::room(self.curves.iter().map(Curve::lock));
        let height = labels::height(self.curves.len(), HEIGHT);
        let svg = picture(self.id, &self.title, &self.description(), height, |pen| {
            let frame = pen.labelled(percentile_axis::axis(highest, self.of), y, room)?;
            let (mut groups, mut ends) = (Vec::new(), Vec::new());
            let mut places: Vec<Vec<Place>> = self.curves.iter().map(|curve| curve.places(&frame)).collect();
            spread(&mut places);
            for (curve, places) in self.curves.iter().zip(&places) {
                let (group, end) = curve.group(places, self.of);
                groups.push(group);
                ends.push(end);
            }
            labels::add(&frame, &mut groups, &ends);
            groups.into_iter().for_each(|group| pen.add(group));
            Ok(())
        })?;
        Ok(Figure::Drawn(Plot {
            id: self.id.into(),
            reading: self.reading.into(),
            svg,
            env: self.curves.first().map(|curve| curve.cell.axes.env.clone()),
            linear: None,
            legend: Vec::new(),
            open: false,
            data: self.table(),
            title: self.title,
        }))
    }

    fn description(&self) -> String {
        let told: Vec<String> = self
            .curves
            .iter()
            .filter_map(|curve| {
                let (_, last) = curve.points.last()?;
                Some(format!("{} up to {}", curve.cell.axes.lock, duration(last.ns)))
            })
            .take(6)
            .collect();
        format!("{} by percentile: {}. The table below has the figures.", self.y_title, told.join("; "))
    }

    fn table(&self) -> Table {
        let columns =
            ["lock", "p50", "p90", "p99", "p99.9", "p99.99", "p99.999", "longest", self.of, self.note];
        let rows = self.curves.iter().map(|curve| {
            let shown = |value: Option<Percentile>| value.map_or_else(|| "–".into(), bounded);
            let quantiles = [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999];
            let mut row = vec![curve.cell.axes.lock.clone()];
            row.extend(quantiles.map(|quantile| shown(curve.waits.percentile(quantile))));
            let mut longest = shown(curve.waits.max());
            if let Some((vcpu, at_ns)) = curve.details.longest {
                longest += &format!(", v{vcpu}, ended {} into its window", duration(at_ns as f64));
            }
            row.extend([longest, count(curve.waits.samples), curve.note.clone()]);
            std::iter::once(row).chain(curve.of_vcpus())
        });
        Table { columns: columns.map(str::to_owned).to_vec(), rows: rows.flatten().collect() }
    }
}

/// Curves of one histogram of the traced windows, with the environment and step that they are from.
pub(super) fn traced_curves<'a>(
    results: &'a Results,
    of: impl Fn(&Causes) -> &Histogram,
    note: impl Fn(&Cell) -> String,
    details: impl Fn(&CellCauses) -> Details,
) -> Option<(String, Vec<Curve<'a>>)> {
    let shown = main(results)?;
    let looks = Looks::of(results);
    let curve = |(cell, causes): &(&'a Cell, &CellCauses)| {
        let waits = Waits::of(Selection::traced(&cell.rounds).into_iter().map(|(_, causes)| of(causes)));
        Curve::new(cell, looks.lock(&cell.axes.lock), waits, note(cell), details(causes))
    };
    Some((shown.place(), shown.locks.iter().filter_map(curve).collect()))
}

/// A percentile with its sign: `≥ 4.00 ms` where it is a lower bound.
fn bounded(value: Percentile) -> String {
    let least = if value.at_least { "≥ " } else { "" };
    format!("{least}{}", duration(value.ns))
}

/// A duration as a label of an axis: `1 µs`, `10 ms`.
pub(super) fn axis_duration(ns: f64) -> String {
    match ns {
        value if value >= 1e9 => format!("{} s", super::axis::trimmed(ns / 1e9)),
        value if value >= 1e6 => format!("{} ms", super::axis::trimmed(ns / 1e6)),
        value if value >= 1e3 => format!("{} µs", super::axis::trimmed(ns / 1e3)),
        _ => format!("{} ns", super::axis::trimmed(ns)),
    }
}
