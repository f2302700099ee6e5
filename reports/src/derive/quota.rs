//! What a CPU quota did to a cell.

use crate::record::{Cell, QuotaUse};

impl Cell {
    /// In how many periods of its CPU quota the quota ran out, and how many periods there were, over all windows; none without a
    /// quota.
    pub fn throttled_periods(&self) -> Option<[u64; 2]> {
        let each: Vec<QuotaUse> = self.rounds.iter().filter_map(|round| round.measured()?.quota).collect();
        let sum = |of: fn(&QuotaUse) -> u64| each.iter().map(of).fold(0, u64::saturating_add);
        (!each.is_empty()).then(|| [sum(|quota| quota.throttled), sum(|quota| quota.periods)])
    }
}
