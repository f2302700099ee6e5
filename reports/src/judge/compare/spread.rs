//! How far apart two runs lie when nothing changed.

use serde::Serialize;

use super::SPREADS;
use super::estimate::Estimate;
use crate::derive::digest::Metric;
use crate::statistics::median;

/// A spread can be told from this many cells or differences on.
const FEWEST: usize = 6;

/// Spread between single runs for one metric of one noise group in one environment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The metric.
    pub metric: Metric,
    /// Noise group: `one-vcpu`, `contended` or `overcommitted`.
    pub class: String,
    /// Environment.
    pub env: String,
    /// Number of cells.
    pub cells: usize,
    /// Standard deviation of the logarithm of the ratio of two runs: 0.05 is about 5 %.
    pub sigma: f64,
    /// What the spread was taken from.
    pub from: &'static str,
    /// Ratio by which all cells of the noise group changed together, where that is more than the cells differ by and there is
    /// only one earlier run, so that a change of the machine cannot be told from one of the code.
    pub moved_together: Option<f64>,
}

/// The spreads of all noise groups among the estimates.
pub(super) fn spreads(estimates: &[Estimate]) -> Vec<Spread> {
    let mut spreads: Vec<Spread> = Vec::new();
    for estimate in estimates.iter().filter(|estimate| !estimate.settled) {
        let same = |s: &Spread| {
            (s.metric, &s.class, &s.env) == (estimate.row.metric, &estimate.group, &estimate.env)
        };
        if !spreads.iter().any(same) {
            spreads.push(of_group(estimate, estimates));
        }
    }
    spreads
}

fn of_group(like: &Estimate, estimates: &[Estimate]) -> Spread {
    let of_metric = || estimates.iter().filter(|e| !e.settled && e.row.metric == like.row.metric);
    let here: Vec<&Estimate> = of_metric().filter(|e| e.group == like.group && e.env == like.env).collect();
    let anywhere: Vec<&Estimate> = of_metric().filter(|e| e.group == like.group).collect();
    // A noise group with few cells in its environment uses those of all environments.
    let kin = if here.len() >= FEWEST { &here } else { &anywhere };
    let between = between(kin);
    let across = across(kin);
    let within = median(&kin.iter().map(|e| e.within).collect::<Vec<_>>()).unwrap_or(0.0);
    let floors: Vec<f64> = kin.iter().filter_map(|e| Some(of_floor(e.floor?, e.windows))).collect();
    let floor = median(&floors).unwrap_or(0.0);
    let known = within.max(floor);
    let (sigma, from) = match (between, across) {
        (Some(between), _) => (between.max(within), "earlier runs"),
        (None, Some((_, across))) if across > known => {
            (across, "the cells of its noise group in these two runs")
        }
        _ if floor > within => (floor, "the A/A noise floor"),
        _ => (within, "the rounds"),
    };
    let moved_together = match (between, across) {
        (None, Some((shift, _))) if shift.abs() > SPREADS * sigma && shift.abs() > 0.02 => Some(shift.exp()),
        _ => None,
    };
    Spread {
        metric: like.row.metric,
        class: like.group.clone(),
        env: like.env.clone(),
        cells: here.len(),
        sigma,
        from,
        moved_together,
    }
}

/// The spread that a noise floor stands for. A floor is the farthest of about six pairs of windows: two standard deviations. A
/// run's value is the median of several windows, whose deviation is smaller by sqrt(pi / 2) over the root of their number.
fn of_floor(floor: f64, windows: usize) -> f64 {
    let windows = windows.max(1) as f64;
    floor.ln_1p() / 2.0 * (std::f64::consts::FRAC_PI_2 / windows).sqrt().min(1.0)
}

/// The spread between consecutive earlier runs.
fn between(cells: &[&Estimate]) -> Option<f64> {
    let differences: Vec<f64> = cells
        .iter()
        .flat_map(|cell| cell.base_logs.windows(2).map(|pair| (pair[1] - pair[0]).abs()))
        .collect();
    robust(differences)
}

/// The spread among the cells of a noise group, most of which no change touches: by how much all changed together, and how far
/// each lies from that.
fn across(cells: &[&Estimate]) -> Option<(f64, f64)> {
    let ratios: Vec<f64> = cells.iter().map(|cell| cell.log_ratio).collect();
    let shift = median(&ratios).filter(|_| ratios.len() >= FEWEST)?;
    let apart = median(&ratios.iter().map(|ratio| (ratio - shift).abs()).collect::<Vec<_>>())?;
    Some((shift, 1.4826 * apart))
}

/// Standard deviation of differences with these sizes, by their median or by their largest tenth, whichever is larger: runs
/// differ little most of the time and much now and then.
fn robust(mut sizes: Vec<f64>) -> Option<f64> {
    if sizes.len() < FEWEST {
        return None;
    }
    sizes.sort_by(f64::total_cmp);
    let middle = 1.4826 * median(&sizes)?;
    let tail = sizes[(sizes.len() * 9 / 10).min(sizes.len() - 1)] / 1.645;
    Some(middle.max(tail))
}
