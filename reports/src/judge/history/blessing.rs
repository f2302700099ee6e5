//! Blessings: changes that were accepted.

use serde::{Deserialize, Serialize};

use crate::derive::digest::without_nul;

/// States that the change at a run is intended, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blessing {
    /// Key of the machine.
    pub machine: String,
    /// Cells that the blessing holds for: a cell's id, the name of a lock, or `*` for all.
    pub cells: String,
    /// First run after the change.
    pub run_id: String,
    /// Why the change is accepted.
    pub reason: String,
    /// When it was accepted, RFC 3339, UTC.
    pub blessed_at: String,
}

impl Blessing {
    /// Replaces NUL characters, as in a digest.
    pub fn without_nul(&mut self) {
        let texts =
            [&mut self.machine, &mut self.cells, &mut self.run_id, &mut self.reason, &mut self.blessed_at];
        texts.into_iter().for_each(without_nul);
    }

    /// Whether the blessing holds for a cell.
    pub fn covers(&self, cell: &str) -> bool {
        self.cells == "*"
            || self.cells == cell
            || cell.strip_prefix(&self.cells).is_some_and(|rest| rest.starts_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::Blessing;

    #[test]
    fn a_lock_covers_its_cells_and_no_namesake() {
        let of = |cells: &str| Blessing {
            machine: String::new(),
            cells: cells.into(),
            run_id: String::new(),
            reason: String::new(),
            blessed_at: String::new(),
        };
        assert!(of("ticket").covers("ticket/native/empty/1v:1p"));
        assert!(of("*").covers("mcs/x") && of("mcs/x").covers("mcs/x"));
        assert!(!of("ticket").covers("ticket-2/native") && !of("tick").covers("ticket/native"));
    }
}
