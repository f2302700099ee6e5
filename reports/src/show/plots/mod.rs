//! Plots. Each answers one question, in one file, with a function from results to SVG.
//!
//! Text in the pictures is limited to figures, axis titles and short labels. Legend, explanation and data stand beside the
//! picture as HTML, where lines wrap, text scales and screen readers can read it.

mod axis;
mod canvas;
mod counters;
mod dash;
mod dodge;
mod emulation;
mod fairness;
mod fairness_throughput;
mod forest;
mod group;
mod handover_times;
mod handovers;
mod hatch;
mod hold;
mod labels;
pub(in crate::show) mod lanes;
mod latency;
mod legend;
mod lines;
mod lock_events;
mod lock_time;
mod markers;
mod native_cost;
mod node_handovers;
mod numa_ratios;
mod overcommit;
mod palette;
mod percentile_axis;
mod percentiles;
mod preemptions;
mod ratios;
mod spin_threshold;
mod style;
mod sweeps;
mod timeline;
mod timeslice;
mod topology;
mod traced;
mod vcpus;
mod wake;

use serde::Serialize;

use crate::Error;
use crate::derive::setting::environments;
use crate::record::Results;

pub use legend::Key;
pub(crate) use style::rules;

/// A table of strings.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Table {
    /// Headings.
    pub columns: Vec<String>,
    /// Rows, each as long as the headings; the first entry heads the row.
    pub rows: Vec<Vec<String>>,
}

/// A plot with its title, explanation, legend and data.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plot {
    /// Id of the figure, unique in a page: `vcpus-emulated`.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// The environment that all its cells are of, if they are of one.
    pub env: Option<String>,
    /// How to read it, in a sentence or two.
    pub reading: String,
    /// The picture: an `svg` element with title and description, escaped already.
    pub svg: String,
    /// The same picture with a linear axis, where the axis of the first is logarithmic and a linear one shows more than a line at 0.
    pub linear: Option<String>,
    /// Lines and markers by name.
    pub legend: Vec<Key>,
    /// Whether the table of data is open from the start.
    pub open: bool,
    /// What is drawn, as figures.
    pub data: Table,
}

/// A plot, or a sentence that says why it is not there.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Figure {
    /// Drawn.
    Drawn(Plot),
    /// Left out.
    Missing {
        /// What it would have shown.
        title: String,
        /// Why it is left out.
        why: String,
    },
}

impl Figure {
    fn missing(title: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Missing { title: title.into(), why: why.into() }
    }
}

/// Every lock of a run that has a cell, with its look in all plots.
pub fn locks(results: &Results) -> Vec<Key> {
    let looks = style::Looks::of(results);
    let described = results.locks.iter().map(|lock| lock.name.as_str());
    let measured = |name: &&str| results.cells.iter().any(|cell| cell.axes.lock == *name);
    described.filter(measured).map(|name| Key::of_lock(name, looks.lock(name))).collect()
}

/// Every plot of one run, in reading order.
pub fn figures(results: &Results) -> Result<Vec<Figure>, Error> {
    let mut figures = Vec::new();
    let envs = environments(results);
    for env in &envs {
        figures.push(vcpus::plot(results, env)?);
    }
    for env in envs.iter().filter(|env| **env != "native") {
        figures.push(overcommit::plot(results, env)?);
    }
    figures.push(ratios::plot(results)?);
    figures.push(emulation::plot(results)?);
    figures.push(native_cost::plot(results)?);
    figures.push(spin_threshold::plot(results)?);
    figures.extend(sweeps::plots(results)?);
    figures.push(fairness::plot(results)?);
    figures.push(fairness_throughput::plot(results)?);
    figures.extend(lock_time::plots(results)?);
    figures.push(preemptions::plot(results)?);
    figures.push(latency::plot(results)?);
    figures.push(hold::plot(results)?);
    figures.push(handover_times::plot(results)?);
    figures.push(wake::plot(results)?);
    figures.extend(timeline::plots(results)?);
    figures.push(handovers::plot(results)?);
    figures.extend(node_handovers::plot(results)?);
    figures.extend(numa_ratios::plots(results)?);
    figures.push(counters::plot(results)?);
    figures.push(lock_events::plot(results)?);
    figures.extend(topology::plots(results));
    Ok(figures)
}
