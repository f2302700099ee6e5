//! The windows of one cell that may be set against each other: those of one class, from every run.

use crate::digest::{CellDigest, Metric, Reading};
use crate::statistics::{CLASS_WIDTH, common_class, median};

/// Windows that a run needs in a class for its median to stand for the run.
const FEWEST_WINDOWS: usize = 3;

/// The readings of one metric, in one class.
pub(super) struct Sides {
    /// Of each earlier run that has enough, oldest first.
    pub(super) base: Vec<Vec<Reading>>,
    /// Of the run that is judged.
    pub(super) new: Vec<Reading>,
}

/// Readings of both sides inside the class where both have most; a reason where one has too few.
pub(super) fn sides(metric: Metric, base: &[&CellDigest], new: &CellDigest) -> Result<Sides, String> {
    let of = |cell: &CellDigest| cell.windows(metric).to_vec();
    let base: Vec<Vec<Reading>> = base.iter().map(|cell| of(cell)).collect();
    let new = of(new);
    let trips = |windows: &[Reading]| windows.iter().map(|w| w.round_trip_ns).collect::<Vec<_>>();
    let class = common_class(&trips(&base.concat()), &trips(&new));
    let inside = |windows: &[Reading]| -> Vec<Reading> {
        let fits = |trip: f64| class.is_none_or(|[low, high]| (low..=high).contains(&trip));
        windows.iter().filter(|w| w.round_trip_ns.is_none_or(fits)).copied().collect()
    };
    let enough = |windows: &Vec<Reading>| windows.len() >= FEWEST_WINDOWS;
    let found =
        Sides { base: base.iter().map(|run| inside(run)).filter(enough).collect(), new: inside(&new) };
    if !found.base.is_empty() && enough(&found.new) {
        return match found.base.iter().flatten().chain(&found.new).find(|w| w.count < 2 || w.value <= 0.0) {
            Some(starved) => Err(format!("too few acquisitions to divide by: {} in a window", starved.count)),
            None => Ok(found),
        };
    }
    let apart = |windows: &[Reading]| median(&trips(windows).into_iter().flatten().collect::<Vec<_>>());
    Err(match (apart(&base.concat()), apart(&new)) {
        (Some(a), Some(b)) if a.max(b) > a.min(b) * CLASS_WIDTH => {
            format!("pCPUs {a:.0} ns apart in BASE, {b:.0} ns in NEW")
        }
        _ => {
            let most = base.iter().map(|run| inside(run).len()).max().unwrap_or(0);
            format!(
                "{most} windows of BASE and {} of NEW were taken with the pCPUs equally far apart; {FEWEST_WINDOWS} are wanted",
                found.new.len()
            )
        }
    })
}
