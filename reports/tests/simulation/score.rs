//! What a method found and what it called wrongly.

use std::ops::AddAssign;

use super::series::{Made, Noise, Shape};

/// A change counts as found if a call is within this many nights of it. A call that is near no change is a false alarm.
const NEAR: usize = 5;

#[derive(Clone, Copy, Default)]
pub(crate) struct Score {
    pub(crate) changes: usize,
    pub(crate) found: usize,
    pub(crate) false_alarms: usize,
    pub(crate) series: usize,
}

impl AddAssign for Score {
    fn add_assign(&mut self, other: Self) {
        self.changes += other.changes;
        self.found += other.found;
        self.false_alarms += other.false_alarms;
        self.series += other.series;
    }
}

impl Score {
    /// The score of these calls over the series that are wanted.
    pub(crate) fn of(fleet: &[Made], calls: &[Vec<usize>], wanted: impl Fn(Noise, Shape) -> bool) -> Self {
        let near = |one: usize, other: usize| one.abs_diff(other) <= NEAR;
        let mut score = Self::default();
        for (made, calls) in fleet.iter().zip(calls).filter(|(made, _)| wanted(made.noise, made.shape)) {
            let found = made.changes.iter().filter(|&&at| calls.iter().any(|&call| near(at, call)));
            let wrong = calls.iter().filter(|&&call| !made.changes.iter().any(|&at| near(at, call)));
            score += Self {
                changes: made.changes.len(),
                found: found.count(),
                false_alarms: wrong.count(),
                series: 1,
            };
        }
        score
    }

    /// Part of the changes that were found, in per cent.
    pub(crate) fn recall(self) -> f64 {
        100.0 * self.found as f64 / self.changes.max(1) as f64
    }
}
