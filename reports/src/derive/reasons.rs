//! What is missing from a run and why: each reason once, with the cells that it holds for.

use super::{disturbances, skips};
use crate::format::counted;
use crate::record::{Cell, Dropped, Purpose, Results, Round, Status};

/// A reason and the cells that it holds for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// `broken`, `crashed`, `hung`, `skipped`; `not planned`; `in part` for cells that were measured in some rounds only;
    /// `without a figure` for cells whose windows are all left out; `disturbed` or `throttled` for cells that have such windows.
    pub state: &'static str,
    /// Why.
    pub why: String,
    /// Ids of the cells, in plan order; or the value of an axis that no cell can have here.
    pub cells: Vec<String>,
}

impl Reason {
    /// `12 cells`.
    pub fn count(&self) -> String {
        counted(self.cells.len(), "cell")
    }
}

/// All reasons of a run, the worst first: cells that failed, were skipped, were not planned, were measured in part.
pub fn reasons(results: &Results) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    for cell in &results.cells {
        let id = &cell.axes.id;
        if cell.status != Status::Ok {
            let why = cell.reason.as_deref().unwrap_or("no reason was recorded");
            add(&mut reasons, cell.status.word(), why, id);
            continue;
        }
        for (state, note) in disturbances(&cell.rounds) {
            add(&mut reasons, state.word(), &note, id);
        }
        skips(&cell.rounds).iter().for_each(|note| add(&mut reasons, "in part", note, id));
        if left_out(cell) {
            cell.notes.iter().for_each(|note| add(&mut reasons, "without a figure", note, id));
        }
    }
    reasons.extend(not_planned(&results.dropped));
    let order = ["broken", "crashed", "hung", "skipped", "not planned"];
    let place = |state| order.iter().position(|known| *known == state).unwrap_or(order.len());
    reasons.sort_by_key(|reason| place(reason.state));
    reasons
}

/// Why cells were dropped from a plan.
pub fn not_planned(dropped: &[Dropped]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    dropped.iter().for_each(|dropped| add(&mut reasons, "not planned", &dropped.reason, &dropped.cell));
    reasons
}

fn add(reasons: &mut Vec<Reason>, state: &'static str, why: &str, cell: &str) {
    match reasons.iter_mut().find(|reason| reason.state == state && reason.why == why) {
        Some(reason) => reason.cells.push(cell.to_owned()),
        None => reasons.push(Reason { state, why: why.to_owned(), cells: vec![cell.to_owned()] }),
    }
}

/// Whether a cell was measured and has no rate, because none of its windows could be used.
fn left_out(cell: &Cell) -> bool {
    let measured = |round: &Round| round.purpose == Purpose::Rate && round.measured().is_some();
    cell.status == Status::Ok && cell.ops_per_second.is_none() && cell.rounds.iter().any(measured)
}
