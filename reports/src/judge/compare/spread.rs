//! How far apart two runs lie when nothing changed.

use serde::Serialize;

use super::SPREADS;
use super::estimate::Estimate;
use crate::derive::digest::Metric;
use crate::statistics::median;

/// Cells or differences from which a spread can be told.
const FEWEST: usize = 6;

/// Spread between single runs for one metric of one class of cells in one environment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// What is measured.
    pub metric: Metric,
    /// `one-vcpu`, `contended` or `overcommitted`.
    pub class: String,
    /// Environment.
    pub env: String,
    /// Cells.
    pub cells: usize,
    /// Standard deviation of the logarithm of the ratio of two runs: 0.05 is about 5 %.
    pub sigma: f64,
    /// What it was taken from.
    pub from: &'static str,
    /// Ratio by which the whole class moved at once, where that is more than its cells differ by and there was only
    /// one earlier run to tell the machine from the code.
    pub moved_together: Option<f64>,
}

/// Spreads of all classes among the estimates.
pub(super) fn spreads(estimates: &[Estimate]) -> Vec<Spread> {
    let mut spreads: Vec<Spread> = Vec::new();
    for estimate in estimates.iter().filter(|estimate| !estimate.settled) {
        let same = |s: &Spread| {
            (s.metric, &s.class, &s.env) == (estimate.row.metric, &estimate.class, &estimate.env)
        };
        if !spreads.iter().any(same) {
            spreads.push(of_class(estimate, estimates));
        }
    }
    spreads
}

fn of_class(like: &Estimate, estimates: &[Estimate]) -> Spread {
    let of_metric = || estimates.iter().filter(|e| !e.settled && e.row.metric == like.row.metric);
    let here: Vec<&Estimate> = of_metric().filter(|e| e.class == like.class && e.env == like.env).collect();
    let class: Vec<&Estimate> = of_metric().filter(|e| e.class == like.class).collect();
    // A class with few cells in its environment borrows from its kin in the others.
    let kin = if here.len() >= FEWEST { &here } else { &class };
    let between = between(kin);
    let across = across(kin);
    let within = median(&kin.iter().map(|e| e.within).collect::<Vec<_>>()).unwrap_or(0.0);
    let floor = kin.iter().filter_map(|e| Some(of_floor(e.floor?, e.windows))).fold(0.0, f64::max);
    let known = within.max(floor);
    let (sigma, from) = match (between, across) {
        (Some(between), _) => (between.max(within), "earlier runs"),
        (None, Some((_, across))) if across > known => (across, "the cells of its class in these two runs"),
        _ if floor > within => (floor, "the A/A noise floor"),
        _ => (within, "the rounds"),
    };
    let moved_together = match (between, across) {
        (None, Some((shift, _))) if shift.abs() > SPREADS * sigma && shift.abs() > 0.02 => Some(shift.exp()),
        _ => None,
    };
    Spread {
        metric: like.row.metric,
        class: like.class.clone(),
        env: like.env.clone(),
        cells: here.len(),
        sigma,
        from,
        moved_together,
    }
}

/// A floor is the farthest of about six pairs of windows: two standard deviations. A run's value is the median of several
/// windows, which lies less far off: by sqrt(pi / 2) over the root of their number.
fn of_floor(floor: f64, windows: usize) -> f64 {
    let windows = windows.max(1) as f64;
    floor.ln_1p() / 2.0 * (std::f64::consts::FRAC_PI_2 / windows).sqrt().min(1.0)
}

/// From consecutive earlier runs.
fn between(cells: &[&Estimate]) -> Option<f64> {
    let differences: Vec<f64> = cells
        .iter()
        .flat_map(|cell| cell.base_logs.windows(2).map(|pair| (pair[1] - pair[0]).abs()))
        .collect();
    robust(differences)
}

/// From the cells of a class, most of which no change touches: how far all moved together, and how far each from that.
fn across(cells: &[&Estimate]) -> Option<(f64, f64)> {
    let ratios: Vec<f64> = cells.iter().map(|cell| cell.log_ratio).collect();
    let shift = median(&ratios).filter(|_| ratios.len() >= FEWEST)?;
    let apart = median(&ratios.iter().map(|ratio| (ratio - shift).abs()).collect::<Vec<_>>())?;
    Some((shift, 1.4826 * apart))
}

/// Standard deviation of differences whose sizes these are, by their middle or by their largest tenth, whichever says
/// more: runs differ little most of the time and much now and then.
fn robust(mut sizes: Vec<f64>) -> Option<f64> {
    if sizes.len() < FEWEST {
        return None;
    }
    sizes.sort_by(f64::total_cmp);
    let middle = 1.4826 * median(&sizes)?;
    let tail = sizes[(sizes.len() * 9 / 10).min(sizes.len() - 1)] / 1.645;
    Some(middle.max(tail))
}
