//! A cell's readings, window by window.

use serde::{Deserialize, Serialize};

use super::stored::Stored;
use crate::derive::{Selection, noise_group};
use crate::record::{Cell, FIRST_REVISION, Interval, Measured, Purpose, Status};
use crate::size::{self, Words};
use crate::statistics::{Trips, Waits, interval, jain, largest_class};

/// What is judged of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Acquisitions per second; more is better.
    Rate,
    /// Jain's index of the vCPUs' shares; more is better.
    Fairness,
    /// 99th percentile of the acquire time, in nanoseconds; less is better.
    Tail,
}

impl Metric {
    /// All metrics, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Rate, Self::Fairness, Self::Tail];

    /// The metric's name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Fairness => "fairness",
            Self::Tail => "tail",
        }
    }

    /// A value of this metric as people read it.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Rate => crate::format::rate(value),
            Self::Fairness => format!("{value:.3}"),
            Self::Tail => crate::format::duration(value),
        }
    }

    /// A change in words, from the ratio of its goodness: `31 % slower`.
    pub fn size(self, ratio: Interval) -> String {
        size::size(ratio, &self.words())
    }

    fn words(self) -> Words {
        let (comparative, factor, inverse) = match self {
            Self::Rate => (["faster", "slower"], ["as fast", "as slow"], false),
            Self::Fairness => (["fairer", "less fair"], ["as fair", "less fair"], false),
            Self::Tail => (["shorter waits", "longer waits"], ["as short waits", "as long waits"], true),
        };
        Words { comparative, factor, inverse }
    }

    /// A value as a number that grows when things get better, for ratios.
    pub fn goodness(self, value: f64) -> f64 {
        if self == Self::Tail { 1.0 / value } else { value }
    }
}

/// One window's value.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The value.
    pub value: f64,
    /// Round trips between its pCPUs; none where it ran on one.
    pub trips: Trips,
    /// Number of acquisitions that the value rests on.
    pub count: u64,
}

/// One metric of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Measure {
    /// The metric.
    pub metric: Metric,
    /// Median over the windows of the largest distance class, for those who read the history without lockbench.
    pub median: f64,
    /// Lower end of the median's interval.
    pub low: f64,
    /// Upper end of the median's interval.
    pub high: f64,
    /// The windows; those that moved are left out.
    pub windows: Vec<Reading>,
    /// Windows that were measured and give no value: too few acquisitions, or a percentile that unfinished waits reach.
    pub untold: u32,
}

/// One cell of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellDigest {
    /// Its id.
    pub id: String,
    /// Its lock.
    pub lock: String,
    /// The lock that the cell's family is named after: the baseline of its lock, or the lock itself.
    pub family: String,
    /// Its environment.
    pub env: String,
    /// Noise group: `one-vcpu`, `contended` or `overcommitted`.
    pub class: String,
    /// Whether waiters of its lock halt there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub halts: bool,
    /// What became of it.
    pub status: Status,
    /// Why, unless `ok`.
    #[serde(default)]
    pub reason: Option<String>,
    /// Revision of its lock, which is raised when the lock's machine code changes on purpose.
    #[serde(default = "first_revision", skip_serializing_if = "is_first")]
    pub revision: u32,
    /// What was measured of it.
    #[serde(default)]
    pub measures: Vec<Measure>,
}

fn first_revision() -> u32 {
    FIRST_REVISION
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_first(revision: &u32) -> bool {
    *revision == FIRST_REVISION
}

impl CellDigest {
    /// Digests a cell whose lock is of that revision, and halts there or not.
    pub(crate) fn of(cell: &Cell, revision: u32, halts: bool) -> Self {
        let axes = &cell.axes;
        let measures = Metric::ALL
            .into_iter()
            .filter_map(|metric| {
                let windows: Vec<Reading> =
                    readings(cell, metric).into_iter().map(|(_, reading)| reading).collect();
                let untold =
                    selection(cell, metric).map_or(0, |all| all.len()).saturating_sub(windows.len()) as u32;
                measure(metric, windows, untold)
            })
            .collect();
        Self {
            id: axes.id.clone(),
            lock: axes.lock.clone(),
            family: axes.baseline.clone().unwrap_or_else(|| axes.lock.clone()),
            env: axes.env.clone(),
            class: noise_group(axes).to_owned(),
            halts,
            status: cell.status,
            reason: cell.reason.clone(),
            revision,
            measures,
        }
    }

    /// Whether another digest of the cell agrees with this one in the metrics that both know.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        let of = |metric| other.measures.iter().find(|measure| measure.metric == metric);
        (&self.id, self.status) == (&other.id, other.status)
            && self.measures.iter().all(|own| of(own.metric).is_none_or(|other| own.windows == other.windows))
    }

    /// The metrics that at least one window gives a value of.
    pub fn told(&self) -> impl Iterator<Item = &Measure> {
        self.measures.iter().filter(|measure| !measure.windows.is_empty())
    }

    /// Windows of a metric that were measured and give no value.
    pub fn untold(&self, metric: Metric) -> u32 {
        self.measures.iter().find(|m| m.metric == metric).map_or(0, |m| m.untold)
    }

    /// The windows of a metric; empty if it was not measured.
    pub fn windows(&self, metric: Metric) -> &[Reading] {
        self.measures.iter().find(|m| m.metric == metric).map_or(&[], |m| &m.windows)
    }
}

/// A window's p99 in nanoseconds; none if unfinished waits reach it, for then it is a lower bound and cannot be compared.
fn tail(measured: &Measured) -> Option<f64> {
    let p99 = Waits::of(measured.acquire.as_ref()).percentile(0.99)?;
    (!p99.at_least && p99.ns > 0.0).then_some(p99.ns)
}

/// The windows that a metric can be read from; none for a cell that failed.
fn selection(cell: &Cell, metric: Metric) -> Option<Selection<'_>> {
    let purpose = if metric == Metric::Tail { Purpose::Latency } else { Purpose::Rate };
    let asked = cell.status == Status::Ok && (metric != Metric::Fairness || cell.axes.vcpus > 1);
    asked.then(|| Selection::comparable(&cell.rounds, purpose))
}

/// Every window's reading of a metric, with the number of its round.
pub(crate) fn readings(cell: &Cell, metric: Metric) -> Vec<(u32, Reading)> {
    let Some(selection) = selection(cell, metric) else { return Vec::new() };
    let read = selection.iter().filter_map(|selected| {
        let window = &selected.window;
        let value = match metric {
            Metric::Rate => (window.window_ns > 0).then(|| window.rate()),
            Metric::Fairness => jain(&selected.measured.operations),
            Metric::Tail => tail(selected.measured),
        };
        let value = rounded(value.filter(|value| value.is_finite())?);
        let trips = window.trips.iter().map(|(which, ns)| (which, rounded(ns))).collect();
        Some((window.round, Reading { value, trips, count: window.operations }))
    });
    read.collect()
}

fn measure(metric: Metric, windows: Vec<Reading>, untold: u32) -> Option<Measure> {
    if windows.is_empty() && untold > 0 {
        return Some(Measure { metric, median: 0.0, low: 0.0, high: 0.0, windows, untold });
    }
    let trips: Vec<&Trips> = windows.iter().map(|reading| &reading.trips).collect();
    let values: Vec<f64> = largest_class(&trips).into_iter().map(|index| windows[index].value).collect();
    let Interval { median, low, high } = interval(&values)?;
    Some(Measure { metric, median, low, high, windows, untold })
}

/// Six significant digits: more is noise, and a history holds a million of them.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}
