//! Estimates ratios from both sides' windows, before it is known how far apart runs lie when nothing changed.

use super::own_noise::OwnNoise;
use super::sides::{Sides, sides};
use super::tally::{Tally, Told, told};
use super::{OWN_SPREAD_FROM, Row};
use crate::derive::digest::{CellDigest, Digest, Metric, Reading};
use crate::judge::comparison::word;
use crate::record::{Interval, Status};
use crate::statistics::{Verdict, interval, median};

/// An interval of 95 % reaches this many standard errors to either side.
const NORMAL_95: f64 = 1.96;

/// A row that is not judged yet.
pub(super) struct Estimate {
    /// The row. Its verdict is final where `settled` is true.
    pub(super) row: Row,
    /// Whether the verdict is final already.
    pub(super) settled: bool,
    /// Why the row may only become *worse* or *not enough data*: half of a side's windows give no value.
    pub(super) untold: Option<String>,
    /// Noise group of the cell.
    pub(super) group: String,
    /// Environment of the cell.
    pub(super) env: String,
    /// A/A noise floor of the noisier run.
    pub(super) floor: Option<f64>,
    /// Logarithm of the ratio of NEW to BASE, above 0 is better.
    pub(super) log_ratio: f64,
    /// Logarithm of each earlier run's value, oldest first.
    pub(super) base_logs: Vec<f64>,
    /// The ratio with the interval that the windows alone give it: what runs differ by is not in it.
    pub(super) windows_ratio: Option<Interval>,
    /// Spread that the differences between rounds explain, as a standard deviation of the logarithm.
    pub(super) within: f64,
    /// What the cell's own windows say of its runs.
    pub(super) own: OwnNoise,
    /// Number of windows in the run that has fewest.
    pub(super) windows: usize,
}

/// Estimates for every cell and metric that both sides have, and the ids of cells that only NEW has. `counts` says which runs
/// count for a cell.
pub(super) fn all(
    base: &[Digest],
    new: &Digest,
    counts: &dyn Fn(&Digest, &str) -> bool,
) -> (Vec<Estimate>, Vec<String>) {
    let mut estimates = Vec::new();
    let mut alone = Vec::new();
    let by_id: Vec<std::collections::HashMap<&str, &CellDigest>> = base
        .iter()
        .map(|run| {
            let cells = run.cells.iter().filter(|cell| counts(run, &cell.id));
            cells.map(|cell| (cell.id.as_str(), cell)).collect()
        })
        .collect();
    for cell in &new.cells {
        let earlier: Vec<&CellDigest> =
            by_id.iter().filter_map(|run| run.get(cell.id.as_str()).copied()).collect();
        let Some(latest) = earlier.last() else {
            alone.push(cell.id.clone());
            continue;
        };
        let floor =
            base.iter().rev().find_map(|run| run.noise_of(cell)).into_iter().chain(new.noise_of(cell));
        let floor = floor.reduce(f64::max);
        if latest.status != Status::Ok || cell.status != Status::Ok {
            estimates.push(failed(latest, cell));
            continue;
        }
        let alike: Vec<&CellDigest> =
            earlier.iter().filter(|run| run.revision == cell.revision).copied().collect();
        if alike.is_empty() {
            estimates.push(of_another_revision(latest, cell));
            continue;
        }
        let earlier = alike;
        for metric in Metric::ALL {
            let (base, new) = (Tally::of(earlier.iter().copied(), metric), Tally::of([cell], metric));
            let told = told(metric, base, new);
            let mut estimate = blank(cell, metric);
            // A/A pairs compare rates, so there is a noise floor for rates only.
            estimate.floor = floor.filter(|_| metric == Metric::Rate);
            match told {
                Told::Nowhere => continue,
                Told::Missing(reason) => estimate.row.verdict = Verdict::NotEnoughData(reason),
                Told::Partly(reason) => {
                    estimate.untold = Some(reason);
                    set(&mut estimate, &earlier, cell);
                }
                Told::Well => set(&mut estimate, &earlier, cell),
            }
            estimate.settled = estimate.row.ratio.is_none();
            estimates.push(estimate);
        }
    }
    (estimates, alone)
}

/// Compares the windows of a metric with those of the earlier runs that have it.
fn set(estimate: &mut Estimate, earlier: &[&CellDigest], cell: &CellDigest) {
    let metric = estimate.row.metric;
    let measured: Vec<&CellDigest> =
        earlier.iter().filter(|cell| !cell.windows(metric).is_empty()).copied().collect();
    match sides(metric, &measured, cell) {
        Ok(sides) => fill(estimate, &sides),
        Err(verdict) => estimate.row.verdict = verdict,
    }
}

fn blank(cell: &CellDigest, metric: Metric) -> Estimate {
    Estimate {
        row: Row {
            cell: cell.id.clone(),
            lock: cell.lock.clone(),
            family: cell.family.clone(),
            metric,
            base: None,
            new: None,
            ratio: None,
            bound: None,
            p: None,
            base_runs: 0,
            verdict: Verdict::NotEnoughData("no ratio could be taken".into()),
            note: None,
            failed: None,
        },
        settled: true,
        untold: None,
        group: cell.class.clone(),
        env: cell.env.clone(),
        floor: None,
        log_ratio: 0.0,
        base_logs: Vec::new(),
        windows_ratio: None,
        within: 0.0,
        own: OwnNoise::default(),
        windows: 1,
    }
}

/// A lock that broke is worse whatever the figures, and one that was mended is better.
fn failed(base: &CellDigest, new: &CellDigest) -> Estimate {
    let mut estimate = blank(new, Metric::Rate);
    let reason = |cell: &CellDigest| cell.reason.as_deref().map_or(String::new(), |why| format!(": {why}"));
    let (was, is) = (word(base.status), word(new.status));
    estimate.row.failed = Some(new.status).filter(|status| *status != Status::Ok);
    (estimate.row.verdict, estimate.row.note) = match (base.status, new.status) {
        (Status::Ok, _) => (Verdict::Worse, Some(format!("{is} in NEW{}", reason(new)))),
        (_, Status::Ok) => (Verdict::Better, Some(format!("was {was} in BASE{}", reason(base)))),
        _ => (Verdict::NotEnoughData(format!("{was} in BASE, {is} in NEW{}", reason(new))), None),
    };
    estimate
}

/// Figures of two revisions of a lock are not compared.
fn of_another_revision(base: &CellDigest, new: &CellDigest) -> Estimate {
    let mut estimate = blank(new, Metric::Rate);
    estimate.row.verdict = Verdict::NotEnoughData(format!(
        "the machine code of {} was changed on purpose (revision {} in BASE, {} in NEW), so no ratio is taken",
        new.lock, base.revision, new.revision
    ));
    estimate
}

fn fill(estimate: &mut Estimate, sides: &Sides) {
    let metric = estimate.row.metric;
    let log = |run: &Vec<Reading>| median(&values(run)).map(|value| metric.goodness(value).ln());
    let base_logs: Vec<f64> = sides.base.iter().filter_map(log).collect();
    let (Some(base), Some(new)) = (median(&base_logs), log(&sides.new)) else { return };
    let center = (new - base).exp();
    let logs = |run: &Vec<Reading>| -> Vec<f64> {
        values(run).into_iter().map(|value| metric.goodness(value).ln()).collect()
    };
    let (windows_of_base, windows_of_new) =
        (sides.base.iter().map(logs).collect::<Vec<_>>(), logs(&sides.new));
    let error = windows_error(&windows_of_base, &windows_of_new).filter(|_| center.is_finite());
    let Some(error) = error else { return };
    estimate.own = OwnNoise::of(&windows_of_base, &windows_of_new);
    let reach = (NORMAL_95 * error).exp();
    // The interval allows for one acquisition more or less in each window, which is the error of counting.
    let fewest = |runs: &mut dyn Iterator<Item = &Reading>| runs.map(|w| w.count).min().unwrap_or(1) as f64;
    let (a, b) = (fewest(&mut sides.base.iter().flatten()), fewest(&mut sides.new.iter()));
    let slack = (1.0 + 1.0 / b) * a / (a - 1.0);
    let ratio = Interval { median: center, low: center / reach / slack, high: center * reach * slack };
    estimate.row.base = median(&sides.base.iter().filter_map(|run| median(&values(run))).collect::<Vec<_>>());
    estimate.row.new = median(&values(&sides.new));
    estimate.row.ratio = Some(ratio);
    estimate.windows_ratio = Some(ratio);
    if sides.starved > 0 {
        estimate.row.note = Some(format!(
            "{} of {} windows of NEW saw fewer than two acquisitions: the ratio is an upper bound",
            sides.starved,
            sides.new.len()
        ));
    }
    estimate.row.base_runs = base_logs.len();
    estimate.within = (ratio.high / ratio.low).ln() / (2.0 * NORMAL_95);
    estimate.windows = sides.base.iter().chain([&sides.new]).map(Vec::len).min().unwrap_or(1);
    estimate.log_ratio = new - base;
    estimate.base_logs = base_logs;
}

fn values(run: &[Reading]) -> Vec<f64> {
    run.iter().map(|reading| reading.value).collect()
}

/// Standard error of the logarithm of the ratio, as far as the windows show it: of NEW's median over its windows, and of
/// BASE's over its runs or, with few runs, over the windows of each.
fn windows_error(base: &[Vec<f64>], new: &[f64]) -> Option<f64> {
    let new = error_of_median(new)?;
    let medians: Vec<f64> = base.iter().filter_map(|run| median(run)).collect();
    let base = if base.len() >= OWN_SPREAD_FROM {
        error_of_median(&medians)?
    } else {
        let errors = base.iter().filter_map(|run| error_of_median(run));
        errors.map(|error| error * error).sum::<f64>().sqrt() / base.len() as f64
    };
    Some(new.hypot(base))
}

/// Standard error of a median: its interval of 95 % reaches this many of them to either side.
fn error_of_median(values: &[f64]) -> Option<f64> {
    interval(values).map(|of| (of.high - of.low) / (2.0 * NORMAL_95))
}
