//! The windows of one cell that may be compared with each other: those of one distance class, from every run. The windows of a
//! cell whose rate the timeslice sets all may, however far apart the pCPUs were.

use crate::derive::digest::{CellDigest, Metric, Reading};
use crate::format::counted;
use crate::judge::any_distance::set_by_scheduler;
use crate::statistics::{Class, Trips, Verdict};

/// A run needs this many windows in a distance class for their median to stand for the run.
const FEWEST_WINDOWS: usize = 3;

/// A window with fewer acquisitions is not divided by.
const FEWEST_ACQUISITIONS: u64 = 2;

/// The readings of one metric, in one distance class.
pub(super) struct Sides {
    /// The readings of each earlier run that has enough of them, oldest first.
    pub(super) base: Vec<Vec<Reading>>,
    /// The readings of the run that is judged; those of starved windows are at their upper bound.
    pub(super) new: Vec<Reading>,
    /// Number of starved windows of the run that is judged: those with fewer than [`FEWEST_ACQUISITIONS`].
    pub(super) starved: usize,
}

/// Readings of both sides inside the distance class in which both have most; the verdict that there is not enough data where
/// one side has too few.
pub(super) fn sides(metric: Metric, base: &[&CellDigest], new: &CellDigest) -> Result<Sides, Verdict> {
    let of = |cell: &CellDigest| cell.windows(metric).to_vec();
    let any_distance = [base, &[new]].into_iter().all(|runs| at_any_distance(metric, runs));
    let base: Vec<Vec<Reading>> = base.iter().map(|cell| of(cell)).collect();
    let new = of(new);
    let trips = |windows: &[Reading]| windows.iter().map(|w| w.trips.clone()).collect::<Vec<Trips>>();
    let (earlier, now) = (trips(&base.concat()), trips(&new));
    let class = if any_distance {
        Class::default()
    } else {
        Class::in_common(&earlier.iter().collect::<Vec<_>>(), &now.iter().collect::<Vec<_>>())
    };
    let inside = |windows: &[Reading]| -> Vec<Reading> {
        windows.iter().filter(|w| class.holds(&w.trips)).cloned().collect()
    };
    let enough = |windows: &Vec<Reading>| windows.len() >= FEWEST_WINDOWS;
    let found = Sides {
        base: base.iter().map(|run| inside(run)).filter(enough).collect(),
        new: inside(&new),
        starved: 0,
    };
    if !found.base.is_empty() && enough(&found.new) {
        return at_upper_bounds(metric, found);
    }
    let [base_trips, new_trips] = [&earlier, &now].map(|windows| Trips::medians(windows.iter()));
    Err(Verdict::NotEnoughData(match base_trips.apart(&new_trips) {
        Some(apart) => apart.told("in BASE", "in NEW"),
        None => {
            let most = base.iter().map(|run| inside(run).len()).max().unwrap_or(0);
            format!(
                "with the pCPUs equally far apart BASE has {} and NEW {}; {FEWEST_WINDOWS} are needed",
                counted(most, "window"),
                found.new.len()
            )
        }
    }))
}

/// Whether the scheduler sets the metric in all of these runs.
fn at_any_distance(metric: Metric, runs: &[&CellDigest]) -> bool {
    let windows = || runs.iter().flat_map(|run| run.windows(Metric::Rate));
    let rates: Vec<f64> = windows().map(|window| window.value).collect();
    let set = |run: &&CellDigest| {
        set_by_scheduler(metric, &run.class, &rates, windows().map(|window| &window.trips))
    };
    runs.iter().all(set)
}

/// The rates of BASE are divided by, so its windows must not be starved. A starved window of NEW shows that the lock got slower:
/// it counts with one acquisition more than it saw, so that the ratio is an upper bound and may be called worse.
fn at_upper_bounds(metric: Metric, mut sides: Sides) -> Result<Sides, Verdict> {
    let usable = |window: &Reading| window.count >= FEWEST_ACQUISITIONS && window.value > 0.0;
    let too_few = |window: &Reading| {
        let reason = format!("too few acquisitions to divide by: {} in a window", window.count);
        Verdict::NotEnoughData(reason)
    };
    if let Some(window) = sides.base.iter().flatten().find(|window| !usable(window)) {
        return Err(too_few(window));
    }
    let seconds = sides.base.iter().flatten().map(|window| window.count as f64 / window.value).next();
    for window in sides.new.iter_mut().filter(|window| !usable(window)) {
        match seconds {
            Some(seconds) if metric == Metric::Rate && window.count < FEWEST_ACQUISITIONS => {
                window.count += 1;
                window.value = window.count as f64 / seconds;
                sides.starved += 1;
            }
            _ => return Err(too_few(window)),
        }
    }
    Ok(sides)
}
