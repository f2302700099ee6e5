//! Changes that were accepted: later runs are no longer compared with runs from before them.

use crate::derive::digest::Digest;
use crate::judge::history::Blessing;

/// An accepted change, with the time from which on runs count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What was accepted.
    pub blessing: Blessing,
    /// When the first run after the change started, RFC 3339, UTC.
    pub started_at: String,
}

impl Accepted {
    fn at(&self) -> (&str, &str) {
        (&self.started_at, &self.blessing.run_id)
    }
}

/// Whether NEW is compared with a run's value of a cell: no change of the cell was accepted between that run and NEW.
pub(super) fn counts(run: &Digest, cell: &str, new: &Digest, accepted: &[Accepted]) -> bool {
    let after = |one: &&Accepted| {
        one.at() > (run.started_at.as_str(), run.run_id.as_str()) && one.started_at <= new.started_at
    };
    !accepted.iter().filter(after).any(|one| one.blessing.covers(cell))
}
