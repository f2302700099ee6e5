//! Counts windows that were measured and give no value, so that a metric that cannot be told does not look unchanged.

use crate::derive::digest::{CellDigest, Metric};

/// Counts of the windows of one side and metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Windows with a value.
    told: usize,
    /// Windows without a value.
    untold: usize,
}

impl Tally {
    /// The counts over all runs of a side.
    pub(super) fn of<'a>(runs: impl IntoIterator<Item = &'a CellDigest>, metric: Metric) -> Self {
        runs.into_iter().fold(Self::default(), |sum, cell| Self {
            told: sum.told + cell.windows(metric).len(),
            untold: sum.untold + cell.untold(metric) as usize,
        })
    }

    /// Whether half or more of the windows have no value: those that have one are then not typical.
    fn mostly_untold(self) -> bool {
        self.untold > 0 && self.untold >= self.told
    }
}

/// Which verdicts both sides' windows allow on a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Neither side has a value.
    Nowhere,
    /// One side has no value, for this reason.
    Missing(String),
    /// Half or more of a side's windows have no value, for this reason: only *worse* may be called.
    Partly(String),
    /// Any verdict.
    Well,
}

/// Compares the counts of both sides.
pub(super) fn told(metric: Metric, base: Tally, new: Tally) -> Told {
    if base.told == 0 && new.told == 0 {
        return Told::Nowhere;
    }
    // NEW first: that is the side that is judged.
    for (side, tally) in [("NEW", new), ("BASE", base)] {
        if tally.told == 0 && tally.untold == 0 {
            return Told::Missing(format!("not measured in {side}"));
        }
        if tally.mostly_untold() {
            let why = match metric {
                Metric::Rate => "no rate could be taken",
                Metric::Fairness => "too few acquisitions were counted for shares",
                Metric::Tail => "waits that had not ended reach the p99",
            };
            let all = tally.told + tally.untold;
            let reason = format!("in {} of {all} windows of {side} {why}", tally.untold);
            return if tally.told == 0 || base.told == 0 {
                Told::Missing(reason)
            } else {
                Told::Partly(reason)
            };
        }
    }
    Told::Well
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(base: (usize, usize), new: (usize, usize)) -> Told {
        let tally = |(told, untold)| Tally { told, untold };
        told(Metric::Tail, tally(base), tally(new))
    }

    #[test]
    fn a_side_without_values_is_a_reason() {
        assert_eq!(said((0, 0), (0, 0)), Told::Nowhere);
        assert_eq!(said((0, 6), (0, 6)), Told::Nowhere);
        assert_eq!(said((6, 0), (6, 0)), Told::Well);
        assert_eq!(said((6, 2), (5, 4)), Told::Well);
        assert_eq!(said((6, 0), (0, 0)), Told::Missing("not measured in NEW".into()));
        assert_eq!(said((0, 0), (6, 0)), Told::Missing("not measured in BASE".into()));
        let unended =
            |side: &str, k: &str| format!("in {k} windows of {side} waits that had not ended reach the p99");
        assert_eq!(said((6, 0), (0, 6)), Told::Missing(unended("NEW", "6 of 6")));
        assert_eq!(said((0, 6), (6, 0)), Told::Missing(unended("BASE", "6 of 6")));
        assert_eq!(said((0, 6), (3, 2)), Told::Missing(unended("BASE", "6 of 6")));
        assert_eq!(said((6, 0), (3, 3)), Told::Partly(unended("NEW", "3 of 6")));
        assert_eq!(said((3, 3), (6, 0)), Told::Partly(unended("BASE", "3 of 6")));
    }
}
