//! Acquire times of a cell over its latency windows.

use super::Selection;
use crate::record::{Acquire, Purpose, Round};
use crate::statistics::{Percentile, Waits, median};

pub(super) fn acquire(rounds: &[Round]) -> Option<Acquire> {
    let windows = Selection::usable(rounds, Purpose::Latency).in_largest_class();
    let waits = waits(rounds);
    let mut at_least = Vec::new();
    let mut take = |name: &str, percentile: Option<Percentile>| {
        let percentile = percentile?;
        if percentile.at_least {
            at_least.push(name.to_owned());
        }
        Some(percentile.ns)
    };
    let max = take("max", waits.max());
    max?;
    let (p50, p90) = (take("p50", waits.percentile(0.5)), take("p90", waits.percentile(0.9)));
    let (p99, p999) = (take("p99", waits.percentile(0.99)), take("p999", waits.percentile(0.999)));
    let rates: Vec<f64> = windows.iter().map(|selected| selected.window.rate()).collect();
    Some(Acquire {
        p50,
        p90,
        p99,
        p999,
        max,
        at_least,
        samples: waits.samples,
        ops_per_second: median(&rates),
    })
}

/// The waits of all latency windows in the largest distance class.
pub(crate) fn waits(rounds: &[Round]) -> Waits {
    let windows = Selection::usable(rounds, Purpose::Latency).in_largest_class();
    Waits::of(windows.each().filter_map(|measured| measured.acquire.as_ref()))
}
