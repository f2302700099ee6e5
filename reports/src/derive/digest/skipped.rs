//! The cells that a run was to measure and did not.

use serde::{Deserialize, Serialize};

use crate::derive::reasons::reasons;
use crate::record::Results;

/// Cells that were skipped or never planned, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Why.
    pub reason: String,
    /// Ids of the cells.
    pub cells: Vec<String>,
}

/// Everything that a run skipped, each reason once.
pub(super) fn skipped(results: &Results) -> Vec<Skipped> {
    let missing =
        reasons(results).into_iter().filter(|reason| ["skipped", "not planned"].contains(&reason.state));
    let skipped = missing.map(|mut reason| {
        // An entry without a slash is no cell's id but the value of an axis that this machine cannot have.
        reason.cells.retain(|cell| cell.contains('/'));
        Skipped { reason: reason.why, cells: reason.cells }
    });
    skipped.filter(|skipped| !skipped.cells.is_empty()).collect()
}
