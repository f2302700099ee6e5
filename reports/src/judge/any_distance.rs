//! Metrics that do not depend on how far apart the pCPUs are, so that windows of all distances are compared.

use crate::derive::OVERCOMMITTED;
use crate::derive::digest::Metric;
use crate::statistics::{Trips, timeslice_bound};

/// Whether the scheduler sets a metric of the cells of a noise group, given the rates and round trips of a cell's windows: always
/// the shares of overcommitted vCPUs, and their rate and acquire times where the timeslice is what an acquisition waits for.
pub(super) fn set_by_scheduler<'a>(
    metric: Metric,
    group: &str,
    rates: &[f64],
    trips: impl Iterator<Item = &'a Trips>,
) -> bool {
    group == OVERCOMMITTED
        && (metric == Metric::Fairness || !rates.is_empty() && timeslice_bound(rates, trips))
}
