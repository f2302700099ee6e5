//! What is said of a lock at a step of overcommit: whether it holds, degrades or collapses, and whether it is fair.
//!
//! Verdicts are absolute: they compare a lock with itself at 1x, not with another lock. They judge intervals, and where an interval
//! spans a threshold the answer is that it cannot be told.

mod grade;
mod held;
mod service;
mod steps;
mod thresholds;
mod words;

pub(crate) use held::{collapses, judge as judge_kept};
pub use service::OPEN_WAIT;
pub use steps::{Step, Verdict, main_step, ranked, reach, steps};
pub use words::{
    LABELS, headline, leading, reached, tally, tells_more, thresholds, untold_alike, verb, without_a_step,
};

use crate::derive::setting::above;
use crate::judge::laws;
use crate::record::{Cell, CellVerdict, Results, Thresholds};

/// Gives every cell above 1x its verdict, and every cell that a law speaks of the law's prediction.
pub fn judge(results: &mut Results, thresholds: Thresholds) {
    results.thresholds = Some(thresholds);
    for index in 0..results.cells.len() {
        let cell = &results.cells[index];
        let (verdict, law) = (verdict(results, cell, &thresholds), laws::check(results, cell));
        results.cells[index].verdict = verdict;
        results.cells[index].law = law;
    }
}

/// The results with their verdicts: as they are if they were judged, and by the default thresholds if not.
pub fn judged(results: &Results) -> std::borrow::Cow<'_, Results> {
    if results.thresholds.is_some() {
        return std::borrow::Cow::Borrowed(results);
    }
    let mut owned = results.clone();
    judge(&mut owned, Thresholds::default());
    std::borrow::Cow::Owned(owned)
}

/// The verdict on a cell; none at 1x and below, and none in a scenario, whose cases are compared with one another.
pub fn verdict(results: &Results, cell: &Cell, thresholds: &Thresholds) -> Option<CellVerdict> {
    if !above(cell.axes.overcommit) || cell.axes.case.is_some() {
        return None;
    }
    let held = held::held(results, cell, thresholds);
    let service = service::service(results, cell, thresholds);
    Some(CellVerdict {
        rate: held.kept,
        rate_untold: held.untold,
        kept: held.ratio,
        rounds: held.rounds as u32,
        service: service.served,
        service_untold: service.untold,
        worst_share: service.worst_share,
        wait_slices: service.wait_slices,
        longest_wait_ns: service.longest_wait.map(|wait| wait.ns),
        wait_at_least: service.longest_wait.is_some_and(|wait| wait.at_least),
    })
}
