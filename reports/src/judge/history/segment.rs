//! Segments: the nights of a series that are judged together.

use super::{History, Point, Series};

/// The nights of a series in which one revision of the lock was measured.
#[derive(Clone, Copy)]
pub(super) struct Segment<'a> {
    /// Index of the series.
    pub(super) index: usize,
    pub(super) series: &'a Series,
    pub(super) revision: u32,
}

/// Every segment of every series.
pub(super) fn segments(history: &History) -> impl Iterator<Item = Segment<'_>> {
    history.series.iter().enumerate().flat_map(|(index, series)| {
        let mut revisions: Vec<u32> = series.points.iter().map(|point| point.revision).collect();
        revisions.sort_unstable();
        revisions.dedup();
        revisions.into_iter().map(move |revision| Segment { index, series, revision })
    })
}

impl Segment<'_> {
    /// The nights that are judged, each with the logarithm of its median, which grows when things get better.
    pub(super) fn logs(self) -> Vec<(usize, f64)> {
        self.judged().map(|(night, median)| (night, self.series.metric.goodness(median).ln())).collect()
    }

    /// The logarithms alone, as they were measured.
    pub(super) fn measured(self) -> Vec<f64> {
        self.logs().into_iter().map(|(_, log)| log).collect()
    }

    pub(super) fn judged(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        // A night without any acquisition is the worst possible; `least` keeps it in the series.
        let at_least = |point: &Point| (point.night, point.median.max(self.series.least));
        let own = self.series.points.iter().filter(|point| point.judged && point.revision == self.revision);
        own.map(at_least).filter(|(_, median)| *median > 0.0)
    }
}
