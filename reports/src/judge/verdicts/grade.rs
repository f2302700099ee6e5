//! Where an interval lies among thresholds.

use crate::record::Interval;

/// The best and the worst grade that an interval allows: 0 is good, 1 is middling, 2 is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grades {
    pub(super) best: u8,
    pub(super) worst: u8,
}

impl Grades {
    /// Any grade: nothing is known.
    pub(super) const ANY: Self = Self { best: 0, worst: 2 };

    /// Grades of a value that is good at or above `good` and bad below `bad`.
    pub(super) fn of_large(interval: Interval, good: f64, bad: f64) -> Self {
        let of = |value: f64| if value >= good { 0 } else { 1 + u8::from(value < bad) };
        Self { best: of(interval.high), worst: of(interval.low) }
    }

    /// Grades of a value that is good up to `good` and bad above `bad`.
    pub(super) fn of_small(interval: Interval, good: f64, bad: f64) -> Self {
        let of = |value: f64| if value <= good { 0 } else { 1 + u8::from(value > bad) };
        Self { best: of(interval.low), worst: of(interval.high) }
    }

    /// The grade, where only one is possible.
    pub(super) fn told(self) -> Option<u8> {
        (self.best == self.worst).then_some(self.best)
    }

    /// The grades of something that is as bad as the worse of two.
    pub(super) fn worse_of(self, other: Self) -> Self {
        Self { best: self.best.max(other.best), worst: self.worst.max(other.worst) }
    }
}

/// The interval with room for what two runs differ by, of values that are not negative.
pub(super) fn widened(interval: Interval, by: f64) -> Interval {
    Interval { low: interval.low / (1.0 + by), high: interval.high * (1.0 + by), ..interval }
}
