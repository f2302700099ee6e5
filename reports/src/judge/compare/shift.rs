//! What is left of a cell's difference when all cells of its noise group shifted a little.
//!
//! On some nights a machine is a few percent faster or slower as a whole, by less than the margin. Nobody wants to hear of that, but
//! on top of it a quiet cell passes the margin, and its lock would be named for what every lock did.

use super::estimate::Estimate;
use crate::statistics::median;

/// The shift is told by this many cells of other families at least.
const FEWEST: usize = 6;

/// The logarithm of the cell's ratio without what the cells of other families changed by in the same direction, which is taken off up
/// to the margin: a larger shift is something that has to be told.
pub(super) fn left(estimate: &Estimate, all: &[Estimate], margin: f64) -> f64 {
    let kin = |e: &&Estimate| {
        !e.settled
            && (e.row.metric, &e.group) == (estimate.row.metric, &estimate.group)
            && e.row.family != estimate.row.family
    };
    let others: Vec<f64> =
        all.iter().filter(kin).map(|e| e.log_ratio * estimate.log_ratio.signum()).collect();
    let Some(shift) = median(&others).filter(|_| others.len() >= FEWEST) else { return estimate.log_ratio };
    let left = estimate.log_ratio.abs() - shift.clamp(0.0, margin.ln_1p());
    left.max(0.0).copysign(estimate.log_ratio)
}
