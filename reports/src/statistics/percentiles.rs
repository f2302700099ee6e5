//! Percentiles of waits, some of which were still going on when the window closed.

use crate::record::Histogram;

/// A percentile in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percentile {
    /// The value: upper bound of its bucket, or how long an unfinished wait had lasted.
    pub ns: f64,
    /// Whether unfinished waits reach it, so that it is a lower bound.
    pub at_least: bool,
}

/// Samples that a percentile needs, so that ten lie beyond it: 1,000 for 0.99, 10,000 for 0.999.
pub fn samples_needed(quantile: f64) -> f64 {
    if quantile < 1.0 { (10.0 / (1.0 - quantile)).round() } else { 1.0 }
}

/// Waits of several windows, added up.
#[derive(Clone, Debug, Default)]
pub struct Waits {
    /// `(ns, count)` of finished waits, ascending.
    finished: Vec<(u64, u64)>,
    /// `(ns, count)` of all waits, ascending; an unfinished wait counts with the time that it had lasted.
    all: Vec<(u64, u64)>,
    /// Number of finished waits.
    pub samples: u64,
    unfinished: u64,
    longest_finished: u64,
    longest_unfinished: u64,
}

impl Waits {
    /// Adds up histograms.
    pub fn of<'a>(histograms: impl IntoIterator<Item = &'a Histogram>) -> Self {
        let mut waits = Self::default();
        for histogram in histograms {
            // A bucket's upper bound may exceed the longest wait in it.
            let cap = if histogram.max_ns > 0 { histogram.max_ns } else { u64::MAX };
            for &(upper, count) in &histogram.buckets {
                waits.finished.push((upper.min(cap), count));
                waits.samples = waits.samples.saturating_add(count);
            }
            waits.unfinished = waits.unfinished.saturating_add(histogram.censored.len() as u64);
            waits.all.extend(histogram.censored.iter().map(|&ns| (ns, 1)));
            waits.longest_finished = waits.longest_finished.max(histogram.max_ns);
            waits.longest_unfinished =
                histogram.censored.iter().copied().fold(waits.longest_unfinished, u64::max);
        }
        waits.all.extend_from_slice(&waits.finished);
        waits.finished.sort_unstable();
        waits.all.sort_unstable();
        waits
    }

    /// The wait that a fraction `quantile` (0 to 1) of all waits did not exceed; `None` with fewer than [`samples_needed`].
    ///
    /// It is exact if it does not depend on how long the unfinished waits went on, otherwise a lower bound.
    pub fn percentile(&self, quantile: f64) -> Option<Percentile> {
        let total = self.samples.saturating_add(self.unfinished);
        if total == 0 || !(0.0..=1.0).contains(&quantile) || (total as f64) < samples_needed(quantile) {
            return None;
        }
        let rank = ((quantile * total as f64).ceil() as u64).clamp(1, total);
        let least = at_rank(&self.all, rank)?;
        let most = at_rank(&self.finished, rank);
        Some(Percentile { ns: least as f64, at_least: most != Some(least) })
    }

    /// The longest wait, finished or not.
    pub fn max(&self) -> Option<Percentile> {
        let ns = self.longest_finished.max(self.longest_unfinished);
        let any = self.samples > 0 || self.unfinished > 0;
        any.then_some(Percentile {
            ns: ns as f64,
            at_least: self.longest_unfinished >= ns && self.unfinished > 0,
        })
    }
}

fn at_rank(sorted: &[(u64, u64)], rank: u64) -> Option<u64> {
    let mut seen = 0_u64;
    sorted.iter().find_map(|&(ns, count)| {
        seen = seen.saturating_add(count);
        (seen >= rank).then_some(ns)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(buckets: &[(u64, u64)], censored: &[u64]) -> Histogram {
        let max_ns = buckets.last().map_or(0, |bucket| bucket.0);
        Histogram { buckets: buckets.to_vec(), censored: censored.to_vec(), max_ns }
    }

    fn exact(ns: f64) -> Option<Percentile> {
        Some(Percentile { ns, at_least: false })
    }

    #[test]
    fn known_values() {
        let waits = Waits::of([&histogram(&[(10, 500), (20, 400), (30, 90), (40, 10)], &[])]);
        assert_eq!(waits.percentile(0.5), exact(10.0));
        assert_eq!(waits.percentile(0.9), exact(20.0));
        assert_eq!(waits.percentile(0.99), exact(30.0));
        assert_eq!(waits.percentile(0.999), None, "wants 10,000");
        assert_eq!(waits.max(), exact(40.0));
    }

    #[test]
    fn sample_counts_wanted() {
        assert_eq!(samples_needed(0.5), 20.0);
        assert_eq!(samples_needed(0.99), 1_000.0);
        assert_eq!(samples_needed(0.999), 10_000.0);
        assert_eq!(Waits::of([&histogram(&[(10, 999)], &[])]).percentile(0.99), None);
        assert!(Waits::of([&histogram(&[(10, 1_000)], &[])]).percentile(0.99).is_some());
    }

    #[test]
    fn unfinished_waits_make_lower_bounds_only_where_they_reach() {
        // A convoy: 60 finished, 3 still waiting after 200 ms.
        let waits = Waits::of([&histogram(&[(4_000_000, 60)], &[200_000_000; 3])]);
        assert_eq!(waits.percentile(0.5), exact(4e6));
        let max = waits.max().unwrap();
        assert_eq!((max.ns, max.at_least), (2e8, true));
        // Waits that were cut off early: where they would have ended is not known, but the median does not depend on it.
        let early = Waits::of([&histogram(&[(10, 990), (1_000, 10)], &[5; 4])]);
        assert_eq!(early.percentile(0.5), exact(10.0));
        assert!(early.percentile(0.99).unwrap().at_least);
        // Most of them unfinished.
        let starved = Waits::of([&histogram(&[(10, 5)], &[1_000; 40])]);
        let p50 = starved.percentile(0.5).unwrap();
        assert_eq!((p50.ns, p50.at_least), (1_000.0, true));
    }

    #[test]
    fn degenerate_inputs() {
        let none = Waits::of([]);
        assert_eq!((none.percentile(0.5), none.max()), (None, None));
        let waits = Waits::of([&histogram(&[(u64::MAX, u64::MAX), (u64::MAX, u64::MAX)], &[u64::MAX])]);
        assert!(waits.percentile(0.5).unwrap().ns.is_finite());
        assert_eq!(waits.percentile(f64::NAN), None);
        assert_eq!(waits.percentile(2.0), None);
    }
}
