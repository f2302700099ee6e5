//! Sweeps over the spin threshold: cells that differ in nothing else.

use crate::derive::setting::{Setting, above, same};
use crate::record::params::SPIN_THRESHOLD;
use crate::record::{Cell, CellAxes, Results, Status};

/// Spin threshold of a cell that names none: the kernel's 2^15 iterations.
pub const DEFAULT_SPINS: u64 = 1 << 15;

/// Cells of one lock at one overcommit factor, by spin threshold in iterations, ascending; at least two.
#[derive(Clone, Debug)]
pub struct Sweep<'a> {
    /// Overcommit factor.
    pub overcommit: f64,
    /// `(iterations, cell)`.
    pub steps: Vec<(u64, &'a Cell)>,
}

/// The sweeps of a lock in the environment, workload and placement of `setting`, one for each overcommit factor.
pub fn sweeps<'a>(results: &'a Results, setting: &Setting<'_>, lock: &str) -> Vec<Sweep<'a>> {
    let shared = setting.axes();
    let mut plain = shared.params.clone();
    plain.remove(SPIN_THRESHOLD);
    let mut sweeps: Vec<Sweep<'a>> = Vec::new();
    for cell in &results.cells {
        let axes = &cell.axes;
        let mut params = axes.params.clone();
        let named = params.remove(SPIN_THRESHOLD);
        let alike = axes.lock == lock
            && axes.env == shared.env
            && axes.workload.name == shared.workload.name
            && axes.placement == shared.placement
            && axes.pinning == shared.pinning
            && params == plain
            && above(axes.overcommit)
            && cell.status == Status::Ok;
        let Some(spins) = named.map_or(Some(DEFAULT_SPINS), |text| iterations(&text)) else { continue };
        if !alike {
            continue;
        }
        match sweeps.iter_mut().find(|sweep| same(sweep.overcommit, axes.overcommit)) {
            Some(sweep) if sweep.steps.iter().any(|step| step.0 == spins) => {}
            Some(sweep) => sweep.steps.push((spins, cell)),
            None => sweeps.push(Sweep { overcommit: axes.overcommit, steps: vec![(spins, cell)] }),
        }
    }
    sweeps.retain(|sweep| sweep.steps.len() > 1);
    for sweep in &mut sweeps {
        sweep.steps.sort_by_key(|step| step.0);
    }
    sweeps.sort_by(|a, b| a.overcommit.total_cmp(&b.overcommit));
    sweeps
}

/// Spin threshold of a cell, in iterations; none where it is no number.
pub(crate) fn spins(axes: &CellAxes) -> Option<u64> {
    axes.params.get(SPIN_THRESHOLD).map_or(Some(DEFAULT_SPINS), |text| iterations(text))
}

/// `256` or `2^8` as a number of iterations.
fn iterations(text: &str) -> Option<u64> {
    match text.trim().split_once('^') {
        Some((base, exponent)) => base.trim().parse::<u64>().ok()?.checked_pow(exponent.trim().parse().ok()?),
        None => text.trim().replace(['_', ','], "").parse().ok(),
    }
}

/// A number of iterations as the literature writes it: `2^8`, or the number itself where it is no power of two.
pub fn loops(iterations: u64) -> String {
    if iterations.is_power_of_two() && iterations > 1 {
        format!("2^{}", iterations.trailing_zeros())
    } else {
        crate::format::count(iterations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_read_in_either_form() {
        assert_eq!(iterations("256"), Some(256));
        assert_eq!(iterations("2^15"), Some(32_768));
        assert_eq!(iterations("2^99"), None);
        assert_eq!(iterations("many"), None);
        assert_eq!((loops(2_048).as_str(), loops(1_000).as_str()), ("2^11", "1,000"));
    }
}
