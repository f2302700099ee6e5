//! Rates and ratios over rounds, with what the counting itself leaves open.

use super::class::{CLASS_WIDTH, usable};
use super::{interval, largest_class, median};
use crate::format::distance;
use crate::record::Interval;

/// A window, as far as rates and ratios are concerned. Windows that `moved` are not to be made into one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Number of the round.
    pub round: u32,
    /// Acquisitions.
    pub operations: u64,
    /// Length, in nanoseconds.
    pub window_ns: u64,
    /// Round trip between its pCPUs, in nanoseconds; none where it ran on one.
    pub round_trip_ns: Option<f64>,
}

impl Window {
    /// Acquisitions per second; 0 for a window without length.
    pub fn rate(&self) -> f64 {
        self.rate_of(self.operations as f64)
    }

    fn rate_of(&self, operations: f64) -> f64 {
        if self.window_ns == 0 { 0.0 } else { operations * 1e9 / self.window_ns as f64 }
    }
}

/// Median rate of the windows with its interval, in acquisitions per second.
///
/// Each end is widened by one acquisition a window: six windows that saw two acquisitions each do not agree
/// perfectly, they have hardly counted. At a million it does not show.
pub fn rate_interval(windows: &[Window]) -> Option<Interval> {
    let low: Vec<f64> = windows.iter().map(|w| w.rate_of((w.operations as f64 - 1.0).max(0.0))).collect();
    let high: Vec<f64> = windows.iter().map(|w| w.rate_of(w.operations as f64 + 1.0)).collect();
    let rates: Vec<f64> = windows.iter().map(Window::rate).collect();
    Some(Interval { median: median(&rates)?, low: interval(&low)?.low, high: interval(&high)?.high })
}

/// A ratio taken round by round inside one class.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paired {
    /// First : second; none where it cannot be told.
    pub ratio: Option<Interval>,
    /// Rounds used.
    pub rounds: usize,
    /// Shortest and longest round trip between the pCPUs in the windows used, in nanoseconds.
    pub round_trip_ns: Option<[f64; 2]>,
    /// Why rounds, or the ratio, are missing; none if nothing is.
    pub missing: Option<String>,
    /// The same over the rounds of all classes together, and how many those are: each round's ratio is inside one class.
    pub every_class: Option<(Interval, usize)>,
    /// Shortest and longest round trip over those.
    pub all_trips_ns: Option<[f64; 2]>,
}

/// Ratio of the rates of `first` to those of `second`, paired by round, inside the largest class of rounds.
///
/// A round counts only if its two windows were taken with the pCPUs equally far apart. Like a rate, each end leaves
/// room for one acquisition more or less in each window.
pub fn ratios(first: &[Window], second: &[Window]) -> Paired {
    let (both, apart) = matched(first, second);
    let trips = joint_trips(&both);
    let mut paired =
        of_pairs(&largest_class(&trips).into_iter().map(|index| both[index]).collect::<Vec<_>>());
    let all = of_pairs(&both);
    paired.every_class = all.ratio.map(|ratio| (ratio, both.len()));
    paired.all_trips_ns = all.round_trip_ns;
    if paired.missing.is_none() {
        paired.missing = match apart {
            Some((a, b)) => Some(format!("pCPUs {} apart in one, {} in the other", distance(a), distance(b))),
            None if paired.rounds < both.len() => Some(spread(&trips)),
            None if both.is_empty() => Some("no round has a usable window of both".into()),
            None => None,
        };
    }
    paired
}

/// The pairs that [`ratios`] takes its ratio from: one a round, inside the largest class of rounds.
pub fn rounds_in_class(first: &[Window], second: &[Window]) -> Vec<(Window, Window)> {
    let (both, _) = matched(first, second);
    largest_class(&joint_trips(&both)).into_iter().map(|index| both[index]).collect()
}

/// Two windows of one round.
type Pair = (Window, Window);

/// Windows of one round whose pCPUs were equally far apart; and the round trips of two that were not.
fn matched(first: &[Window], second: &[Window]) -> (Vec<Pair>, Option<(f64, f64)>) {
    let mut both: Vec<(Window, Window)> = Vec::new();
    let mut apart: Option<(f64, f64)> = None;
    let by_round = by_round(second);
    let mut used = std::collections::BTreeSet::new();
    for one in first {
        let Some(other) = by_round.get(&one.round) else { continue };
        match (one.round_trip_ns.filter(|t| usable(*t)), other.round_trip_ns.filter(|t| usable(*t))) {
            (Some(a), Some(b)) if a.max(b) > a.min(b) * CLASS_WIDTH => apart = Some((a, b)),
            _ if used.insert(one.round) => both.push((*one, *other)),
            _ => {}
        }
    }
    (both, apart)
}

fn joint_trips(pairs: &[(Window, Window)]) -> Vec<Option<f64>> {
    pairs.iter().map(|(a, b)| joint(a.round_trip_ns, b.round_trip_ns)).collect()
}

fn by_round(windows: &[Window]) -> std::collections::BTreeMap<u32, Window> {
    // The first window of a round is the one that stands beside its partner.
    windows.iter().rev().map(|window| (window.round, *window)).collect()
}

fn of_pairs(pairs: &[(Window, Window)]) -> Paired {
    let count = |w: &Window, more: f64| w.rate_of((w.operations as f64 + more).max(0.0));
    let trips: Vec<f64> = pairs
        .iter()
        .flat_map(|(a, b)| [a.round_trip_ns, b.round_trip_ns])
        .flatten()
        .filter(|t| usable(*t))
        .collect();
    let round_trip_ns = trips
        .iter()
        .copied()
        .reduce(f64::min)
        .zip(trips.iter().copied().reduce(f64::max))
        .map(|(low, high)| [low, high]);
    let mut paired = Paired { rounds: pairs.len(), round_trip_ns, ..Paired::default() };
    if let Some((_, starved)) = pairs.iter().find(|(_, b)| b.operations < 2 || b.window_ns == 0) {
        let saw = starved.operations;
        paired.missing = Some(format!("too few acquisitions to divide by: {saw} in a window"));
        return paired;
    }
    let middle: Vec<f64> = pairs.iter().map(|(a, b)| a.rate() / b.rate()).collect();
    let low: Vec<f64> = pairs.iter().map(|(a, b)| count(a, -1.0) / count(b, 1.0)).collect();
    let high: Vec<f64> = pairs.iter().map(|(a, b)| count(a, 1.0) / count(b, -1.0)).collect();
    paired.ratio = median(&middle)
        .zip(interval(&low))
        .zip(interval(&high))
        .map(|((median, low), high)| Interval { median, low: low.low, high: high.high });
    paired
}

/// Geometric mean of two round trips, or the one there is.
fn joint(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a.filter(|t| usable(*t)), b.filter(|t| usable(*t))) {
        (Some(a), Some(b)) => Some((a * b).sqrt()),
        (a, b) => a.or(b),
    }
}

fn spread(trips: &[Option<f64>]) -> String {
    let measured: Vec<f64> = trips.iter().copied().flatten().collect();
    let low = measured.iter().copied().fold(f64::INFINITY, f64::min);
    let high = measured.iter().copied().fold(0.0, f64::max);
    format!("pCPUs {} apart in some rounds, {} in others", distance(low), distance(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(counts: &[u64], trip: f64) -> Vec<Window> {
        let window = |(round, &operations): (usize, &u64)| Window {
            round: round as u32,
            operations,
            window_ns: 1_000_000_000,
            round_trip_ns: Some(trip),
        };
        counts.iter().enumerate().map(window).collect()
    }

    #[test]
    fn a_plain_ratio() {
        let paired = ratios(&windows(&[2_000_000; 6], 80.0), &windows(&[1_000_000; 6], 90.0));
        let ratio = paired.ratio.unwrap();
        assert_eq!(paired.rounds, 6);
        assert_eq!(paired.missing, None);
        assert_eq!(ratio.median, 2.0);
        assert!(ratio.low > 1.9999 && ratio.low < 2.0 && ratio.high > 2.0 && ratio.high < 2.0001);
        assert_eq!(paired.round_trip_ns, Some([80.0, 90.0]));
    }

    #[test]
    fn a_handful_of_acquisitions_shows_in_the_interval() {
        let paired = ratios(&windows(&[1_000; 6], 80.0), &windows(&[3; 6], 80.0));
        let ratio = paired.ratio.unwrap();
        assert!(ratio.low < 251.0 && ratio.high > 499.0, "{ratio:?}");
        let rate = rate_interval(&windows(&[2; 6], 80.0)).unwrap();
        assert_eq!((rate.low, rate.median, rate.high), (1.0, 2.0, 3.0));
        let none = rate_interval(&windows(&[0; 6], 80.0)).unwrap();
        assert_eq!((none.low, none.median, none.high), (0.0, 0.0, 1.0));
    }

    #[test]
    fn windows_of_different_classes_are_not_paired() {
        let paired = ratios(&windows(&[100; 6], 84.0), &windows(&[100; 6], 420.0));
        assert_eq!((paired.ratio, paired.rounds), (None, 0));
        assert_eq!(paired.missing.unwrap(), "pCPUs 84 ns apart in one, 420 ns in the other");
    }

    #[test]
    fn rounds_of_another_class_are_left_out() {
        let mut one = windows(&[1_000; 6], 80.0);
        let mut two = windows(&[1_000; 6], 80.0);
        one[5].round_trip_ns = Some(400.0);
        two[5].round_trip_ns = Some(410.0);
        one[5].operations = 5_000;
        let paired = ratios(&one, &two);
        assert_eq!(paired.rounds, 5);
        assert!(paired.ratio.unwrap().high < 1.01);
        assert!(paired.missing.unwrap().contains("in others"));
    }

    #[test]
    fn the_rounds_of_all_classes_are_given_as_well() {
        let mut one = windows(&[9_000; 6], 80.0);
        let mut two = windows(&[1_000; 6], 80.0);
        for window in one[3..].iter_mut().chain(&mut two[3..]) {
            window.round_trip_ns = Some(400.0);
        }
        let paired = ratios(&one, &two);
        assert_eq!(paired.rounds, 3);
        assert_eq!(paired.every_class.unwrap().1, 6);
        assert_eq!(paired.all_trips_ns, Some([80.0, 400.0]));
    }

    #[test]
    fn degenerate_inputs() {
        assert_eq!(ratios(&[], &[]).ratio, None);
        assert!(ratios(&[], &[]).missing.is_some());
        let starved = ratios(&windows(&[10], 80.0), &windows(&[1], 80.0));
        assert_eq!(starved.ratio, None);
        assert_eq!(starved.missing.unwrap(), "too few acquisitions to divide by: 1 in a window");
        let mut no_length = windows(&[10], 80.0);
        no_length[0].window_ns = 0;
        assert_eq!(ratios(&windows(&[10], 80.0), &no_length).ratio, None);
        assert_eq!(rate_interval(&no_length).unwrap().high, 0.0);
        assert_eq!(rate_interval(&[]), None);
        let huge = Window { round: 0, operations: u64::MAX, window_ns: 1, round_trip_ns: None };
        assert!(rate_interval(&[huge]).unwrap().high.is_finite());
    }

    #[test]
    fn a_round_counts_once() {
        let mut twice = windows(&[1_000; 3], 80.0);
        twice.extend(windows(&[9_000; 3], 80.0));
        assert_eq!(ratios(&twice, &windows(&[1_000; 3], 80.0)).rounds, 3);
    }
}
