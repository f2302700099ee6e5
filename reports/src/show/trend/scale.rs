//! The scale that turns values into places in a picture.

use crate::judge::history::{Point, Series};

/// Height of a picture in units: enough of them for whole numbers.
pub(super) const HEIGHT: f64 = 400.0;
/// A scale spans at least 10 % up and down, so that noise does not look large.
const LEAST: f64 = 1.1;

/// A logarithmic axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Scale {
    /// A scale for all medians of a series; intervals may reach beyond it.
    pub(super) fn of(series: &Series) -> Self {
        Self::without(series, 0)
    }

    /// A scale for all medians but the farthest, one in twenty at either end, which would make the others look flat.
    pub(super) fn of_most(series: &Series) -> Self {
        Self::without(series, series.points.len() / 20)
    }

    fn without(series: &Series, farthest: usize) -> Self {
        let medians = series.points.iter().map(|point| point.median);
        let mut medians: Vec<f64> = medians.filter(|median| median.is_finite() && *median > 0.0).collect();
        medians.sort_by(f64::total_cmp);
        let low = medians.get(farthest).copied().unwrap_or(1.0);
        let high = medians.iter().rev().nth(farthest).copied().unwrap_or(1.0).max(low);
        let middle = (low.ln() + high.ln()) / 2.0;
        let half = ((high / low).ln() / 2.0 * 1.08).max(LEAST.ln());
        Self { low: (middle - half).exp(), high: (middle + half).exp() }
    }

    /// The place of a value, in whole units from the top.
    pub(super) fn y(self, value: f64) -> i64 {
        let part = (value / self.low).ln() / (self.high / self.low).ln();
        let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
        (HEIGHT * (1.0 - part)).round() as i64
    }

    /// A few round values inside the scale.
    pub(super) fn ticks(self) -> Vec<f64> {
        let span = self.high - self.low;
        let rough = 10_f64.powf((span / 4.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * rough).into_iter().find(|step| span / step <= 5.0);
        let mut ticks = Vec::new();
        if self.high / self.low < 4.0 {
            let Some(step) = step.filter(|step| *step > 0.0) else { return ticks };
            let mut tick = (self.low / step).ceil() * step;
            while tick <= self.high && ticks.len() < 12 {
                ticks.push(tick);
                tick += step;
            }
        } else {
            // Powers of ten, and where those are few, 2 and 5 times as well.
            let powers = (self.high / self.low).log10();
            let steps: &[f64] = if powers < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
            let every = (powers / 6.0).ceil().max(1.0);
            let mut power = self.low.log10().floor();
            while power <= self.high.log10() && ticks.len() < 12 {
                let here = steps.iter().map(|step| step * 10_f64.powf(power));
                ticks.extend(here.filter(|tick| (self.low..=self.high).contains(tick)));
                power += every;
            }
        }
        ticks
    }
}

/// Runs of successive nights without a missing one between them.
pub(super) fn unbroken(points: &[Point]) -> impl Iterator<Item = &[Point]> {
    points.chunk_by(|a, b| a.night + 1 == b.night)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(Scale { low: 93.0, high: 112.0 }.ticks(), [95.0, 100.0, 105.0, 110.0]);
        assert_eq!(Scale { low: 0.8, high: 4.9 }.ticks(), [1.0, 2.0]);
        assert_eq!(Scale { low: 3.0, high: 3e5 }.ticks(), [10.0, 100.0, 1e3, 1e4, 1e5]);
        for (low, high) in [(1.0, 1.21), (0.5, 7.0), (1e-9, 1e9), (5.0, 5.0)] {
            let ticks = Scale { low, high }.ticks();
            assert!(
                ticks.len() <= 12 && ticks.iter().all(|t| (low..=high).contains(t)),
                "{low} {high} {ticks:?}"
            );
        }
    }

    #[test]
    fn places_stay_in_the_picture() {
        let scale = Scale { low: 1.0, high: 10.0 };
        assert_eq!((scale.y(1.0), scale.y(10.0)), (400, 0));
        assert_eq!((scale.y(1e9), scale.y(0.0), scale.y(f64::NAN)), (0, 400, 400));
    }
}
