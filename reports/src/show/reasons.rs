//! What is missing from a run and why: each reason once, with the cells that it holds for.

use std::fmt::Write;

use crate::derive::{disturbances, skips};
use crate::format::printable;
use crate::judge::comparison::word;
use crate::record::{Cell, Dropped, Purpose, Results, Round, Status};

/// A reason and the cells that it holds for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// `broken`, `crashed`, `hung`, `skipped`; `not planned`; `in part` of a cell that was measured in some rounds only;
    /// `without a figure` of one whose windows are all left out; `disturbed` or `throttled` of one that has such windows.
    pub state: &'static str,
    /// Why.
    pub why: String,
    /// Ids of the cells, in plan order; or the value of an axis that none can have.
    pub cells: Vec<String>,
}

impl Reason {
    /// `12 cells`.
    pub fn count(&self) -> String {
        format!("{} cells", self.cells.len())
    }
}

/// All reasons of a run, the worst first: what failed, what was skipped, what was never planned, what is only there in part.
pub fn reasons(results: &Results) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    for cell in &results.cells {
        let id = &cell.axes.id;
        if cell.status != Status::Ok {
            let why = cell.reason.as_deref().unwrap_or("no reason was recorded");
            add(&mut reasons, word(cell.status), why, id);
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

/// Whether a cell was measured and yet has no rate, for none of its windows could be used.
fn left_out(cell: &Cell) -> bool {
    let measured = |round: &Round| round.purpose == Purpose::Rate && round.measured().is_some();
    cell.status == Status::Ok && cell.ops_per_second.is_none() && cell.rounds.iter().any(measured)
}

/// The reasons for a terminal, each followed by no more than `most` of its cells; empty where there are none.
pub fn text(reasons: &[Reason], most: usize) -> String {
    let mut text = String::new();
    for reason in reasons {
        let _ = writeln!(text, "{} ({}): {}", reason.state, reason.cells.len(), printable(&reason.why));
        for cell in reason.cells.iter().take(most) {
            let _ = writeln!(text, "  {}", printable(cell));
        }
        if reason.cells.len() > most {
            let _ = writeln!(text, "  and {} more", reason.cells.len() - most);
        }
    }
    text
}

/// Why a set of cells is missing, as part of a sentence: the reasons that hold for most of them, each with its count.
pub fn sentence<'a>(reasons: impl IntoIterator<Item = (&'a str, usize)>) -> String {
    const SHOWN: usize = 3;
    let mut reasons: Vec<(&str, usize)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, cells)| std::cmp::Reverse(*cells));
    let told = |(why, cells): &(&str, usize)| match cells {
        1 => printable(why),
        several => format!("{} ({several} cells)", printable(why)),
    };
    let mut parts: Vec<String> = reasons.iter().take(SHOWN).map(told).collect();
    if reasons.len() > SHOWN {
        parts.push(format!("and {} further reasons", reasons.len() - SHOWN));
    }
    parts.join("; ")
}
