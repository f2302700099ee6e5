//! Rates and ratios over rounds, with intervals that allow for the error of counting.

use std::collections::{BTreeMap, BTreeSet};

use super::{Apart, MIN_ROUNDS, Spans, Trips, interval, largest_class, median, two_sided};
use crate::record::Interval;

/// What rates and ratios need of a window. Callers must leave out windows that `moved`.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Number of the round.
    pub round: u32,
    /// Number of acquisitions.
    pub operations: u64,
    /// Length, in nanoseconds.
    pub window_ns: u64,
    /// Round trips between its pCPUs; none where it ran on one.
    pub trips: Trips,
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
/// Each end is widened by one acquisition a window, for six windows that saw two acquisitions each agree by the coarseness of
/// counting. With a million acquisitions that does not show.
pub fn rate_interval(windows: &[Window]) -> Option<Interval> {
    let low: Vec<f64> = windows.iter().map(|w| w.rate_of((w.operations as f64 - 1.0).max(0.0))).collect();
    let high: Vec<f64> = windows.iter().map(|w| w.rate_of(w.operations as f64 + 1.0)).collect();
    let rates: Vec<f64> = windows.iter().map(Window::rate).collect();
    Some(Interval { median: median(&rates)?, low: interval(&low)?.low, high: interval(&high)?.high })
}

/// A ratio taken round by round inside one distance class.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paired {
    /// Rate of the first over that of the second; none where it cannot be told.
    pub ratio: Option<Interval>,
    /// Number of rounds used.
    pub rounds: usize,
    /// Shortest and longest round trips between the pCPUs in the windows used.
    pub spans: Spans,
    /// Why rounds, or the ratio, are missing; none if nothing is missing.
    pub missing: Option<String>,
    /// The ratio over the rounds of all distance classes together, and the number of these rounds. Each round's own ratio is
    /// still inside one class.
    pub every_class: Option<(Interval, usize)>,
    /// Shortest and longest round trips over the rounds of all distance classes.
    pub all_spans: Spans,
    /// Probability that chance alone takes the ratios so far from 1 (Student's t on their logarithms), for callers that test
    /// many ratios at once. None with fewer than three rounds.
    pub chance: Option<f64>,
    /// That probability over the rounds of all distance classes.
    pub all_chance: Option<f64>,
}

impl Paired {
    /// The ratio and its number of rounds. Each round's own ratio is inside one distance class, so where no class has enough rounds
    /// those of all classes are used.
    pub fn of_enough_rounds(&self) -> (Option<Interval>, usize) {
        match self.every_class {
            Some((ratio, rounds)) if self.rounds < MIN_ROUNDS => (Some(ratio), rounds),
            _ => (self.ratio, self.rounds),
        }
    }
}

/// Ratio of the rates of `first` to those of `second`, paired by round, inside the largest distance class of rounds.
///
/// A round counts only if its two windows were taken with the pCPUs equally far apart. Like a rate, each end leaves
/// room for one acquisition more or less in each window.
pub fn ratios(first: &[Window], second: &[Window]) -> Paired {
    let (both, apart) = matched(first, second);
    let joint = joint(&both);
    let mut paired = of_pairs(&in_class(&both, &joint));
    let all = of_pairs(&both);
    paired.every_class = all.ratio.map(|ratio| (ratio, both.len()));
    if paired.missing.is_none() {
        let left_out = paired.rounds < both.len();
        paired.missing = match apart {
            Some(apart) => Some(apart.told("in one", "in the other")),
            None if left_out => {
                Spans::of(joint.iter()).wide().map(|wide| wide.told("in some rounds", "in others"))
            }
            None if both.is_empty() => Some(no_pair()),
            None => None,
        };
    }
    paired.all_spans = all.spans;
    paired.all_chance = all.chance;
    paired
}

/// Ratio of the rates of `first` to those of `second`, paired by round, where the two run on different pCPUs and the distance of
/// these is part of what is compared. Each side uses the largest distance class of its own windows, so that a move of the
/// pCPUs between rounds is not taken for a difference.
pub fn ratios_across(first: &[Window], second: &[Window]) -> Paired {
    let (one, first_moved) = own_class(first);
    let (other, second_moved) = own_class(second);
    let by_round = by_round(&other);
    let mut used = BTreeSet::new();
    let both: Vec<Pair> = one
        .into_iter()
        .filter_map(|window| Some((*by_round.get(&window.round)?, window)))
        .filter(|(_, window)| used.insert(window.round))
        .map(|(other, window)| (window, other.clone()))
        .collect();
    // The two sides have different distances, so there are no spans of the comparison.
    let mut paired = Paired { spans: Spans::default(), ..of_pairs(&both) };
    let missing = first_moved.or(second_moved).or_else(|| both.is_empty().then(no_pair));
    paired.missing = paired.missing.or(missing);
    paired
}

/// The largest distance class of windows; and if that is not all of them, how far the pCPUs moved.
fn own_class(windows: &[Window]) -> (Vec<Window>, Option<String>) {
    let trips: Vec<&Trips> = windows.iter().map(|window| &window.trips).collect();
    let class: Vec<Window> = largest_class(&trips).into_iter().map(|index| windows[index].clone()).collect();
    let left_out = class.len() < windows.len();
    let wide = Spans::of(trips.into_iter()).wide().filter(|_| left_out);
    (class, wide.map(|wide| wide.told("in some rounds", "in others")))
}

/// Why there is no ratio of two cells that were never usable in the same round.
pub const NO_PAIR: &str = "no round has usable windows of both";

fn no_pair() -> String {
    NO_PAIR.into()
}

/// The pairs that [`ratios`] takes its ratio from: one a round, inside the largest distance class of rounds.
pub fn rounds_in_class(first: &[Window], second: &[Window]) -> Vec<(Window, Window)> {
    let (both, _) = matched(first, second);
    in_class(&both, &joint(&both))
}

/// One pair a round whose two windows were taken with the pCPUs equally far apart, whatever that distance was: enough to test
/// whether the two differ at all.
pub fn rounds_at_one_distance(first: &[Window], second: &[Window]) -> Vec<(Window, Window)> {
    matched(first, second).0
}

/// Two windows of one round.
type Pair = (Window, Window);

/// Pairs of windows of one round whose pCPUs were equally far apart; and, of the last round that was left out, the pair of pCPUs
/// that was at two distances.
fn matched(first: &[Window], second: &[Window]) -> (Vec<Pair>, Option<Apart>) {
    let mut both: Vec<Pair> = Vec::new();
    let mut apart: Option<Apart> = None;
    let by_round = by_round(second);
    let mut used = BTreeSet::new();
    for one in first {
        let Some(other) = by_round.get(&one.round) else { continue };
        match one.trips.apart(&other.trips) {
            Some(found) => apart = Some(found),
            None if used.insert(one.round) => both.push((one.clone(), (*other).clone())),
            None => {}
        }
    }
    (both, apart)
}

/// How far apart the pCPUs were in both windows of each round.
fn joint(pairs: &[Pair]) -> Vec<Trips> {
    pairs.iter().map(|(a, b)| a.trips.joint(&b.trips)).collect()
}

/// The pairs in the largest distance class of rounds.
fn in_class(pairs: &[Pair], joint: &[Trips]) -> Vec<Pair> {
    let class = largest_class(&joint.iter().collect::<Vec<_>>());
    class.into_iter().map(|index| pairs[index].clone()).collect()
}

fn by_round(windows: &[Window]) -> BTreeMap<u32, &Window> {
    // Where a round has several windows, the first is the one that ran back to back with its partner.
    windows.iter().rev().map(|window| (window.round, window)).collect()
}

fn of_pairs(pairs: &[(Window, Window)]) -> Paired {
    let count = |w: &Window, more: f64| w.rate_of((w.operations as f64 + more).max(0.0));
    let spans = Spans::of(pairs.iter().flat_map(|(a, b)| [&a.trips, &b.trips]));
    let mut paired = Paired { rounds: pairs.len(), spans, chance: chance(pairs), ..Paired::default() };
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

fn chance(pairs: &[Pair]) -> Option<f64> {
    // Windows without an acquisition count as half an acquisition, for a logarithm needs a positive number.
    let some = |window: &Window| window.rate_of((window.operations as f64).max(0.5));
    let logs: Vec<f64> = pairs.iter().map(|(a, b)| (some(a) / some(b)).ln()).collect();
    let n = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / n;
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (n - 1.0);
    if logs.len() < 3 || !mean.is_finite() || !variance.is_finite() {
        return None;
    }
    // Rounds that agree to the last digit still have the rounding error of that digit.
    let error = (variance / n).sqrt().max(1e-9);
    Some(two_sided(mean / error, n - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Which;

    fn windows(counts: &[u64], trip: f64) -> Vec<Window> {
        let window = |(round, &operations): (usize, &u64)| Window {
            round: round as u32,
            operations,
            window_ns: 1_000_000_000,
            trips: Trips::first(Some(trip)),
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
        assert_eq!(paired.spans.first(), Some([80.0, 90.0]));
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
        one[5].trips = Trips::first(Some(400.0));
        two[5].trips = Trips::first(Some(410.0));
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
            window.trips = Trips::first(Some(400.0));
        }
        let paired = ratios(&one, &two);
        assert_eq!(paired.rounds, 3);
        assert_eq!(paired.every_class.unwrap().1, 6);
        assert_eq!(paired.all_spans.first(), Some([80.0, 400.0]));
    }

    #[test]
    fn rounds_in_which_the_pair_across_two_nodes_moved_are_left_out() {
        let pair = |far, node| crate::record::Pair { pcpus: [0, far], nodes: [0, node] };
        let trips = |across| -> Trips {
            [(Which::First(Some(pair(1, 0))), 84.0), (Which::Other(pair(6, 3)), across)].into_iter().collect()
        };
        let mut one = windows(&[1_000; 6], 84.0);
        let mut two = one.clone();
        one.iter_mut().chain(&mut two).for_each(|window| window.trips = trips(300.0));
        one[5].trips = trips(900.0);
        let told = "CPUs 0 and 6 across nodes 0 and 3: 900 ns apart in one, 300 ns in the other";
        assert_eq!(ratios(&one, &two).missing.unwrap(), told);
        two[5].trips = trips(900.0);
        let paired = ratios(&one, &two);
        assert_eq!((paired.rounds, paired.spans.first()), (5, Some([84.0, 84.0])));
        let told = "CPUs 0 and 6 across nodes 0 and 3: 300 ns apart in some rounds, 900 ns in others";
        assert_eq!(paired.missing.unwrap(), told);
    }

    #[test]
    fn across_pcpus_each_side_keeps_to_a_class_of_its_own() {
        let near = windows(&[2_000_000; 6], 84.0);
        let mut far = windows(&[1_000_000; 6], 420.0);
        assert_eq!(ratios(&far, &near).ratio, None);
        let paired = ratios_across(&far, &near);
        assert_eq!((paired.rounds, paired.missing.clone()), (6, None));
        assert_eq!(paired.ratio.unwrap().median, 0.5);
        // In one round the host had moved them together.
        (far[2].trips, far[2].operations) = (Trips::first(Some(90.0)), 9_000_000);
        let paired = ratios_across(&far, &near);
        assert_eq!((paired.rounds, paired.ratio.unwrap().high < 0.51), (5, true));
        assert_eq!(paired.missing.unwrap(), "pCPUs 90 ns apart in some rounds, 420 ns in others");
        assert!(ratios_across(&far, &[]).missing.is_some());
        assert_eq!(ratios_across(&[], &[]).ratio, None);
    }

    #[test]
    fn rounds_that_agree_are_no_chance_and_rounds_that_do_not_may_be() {
        let base = windows(&[1_000_000; 6], 80.0);
        let chance = |counts: &[u64]| ratios(&windows(counts, 80.0), &base).chance.unwrap();
        assert_eq!(chance(&[1_000_000; 6]), 1.0);
        assert!(chance(&[1_590_000, 1_600_000, 1_610_000, 1_600_000, 1_595_000, 1_605_000]) < 1e-6);
        let all_above = [1_060_000, 4_000_000, 1_100_000, 2_500_000, 1_200_000, 1_070_000];
        assert!((0.01..0.2).contains(&chance(&all_above)), "{}", chance(&all_above));
        assert_eq!(ratios(&windows(&[5, 5], 80.0), &windows(&[5, 5], 80.0)).chance, None);
        assert!(chance(&[0; 6]).is_finite());
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
        let huge = Window { round: 0, operations: u64::MAX, window_ns: 1, trips: Trips::default() };
        assert!(rate_interval(&[huge]).unwrap().high.is_finite());
    }

    #[test]
    fn a_round_counts_once() {
        let mut twice = windows(&[1_000; 3], 80.0);
        twice.extend(windows(&[9_000; 3], 80.0));
        assert_eq!(ratios(&twice, &windows(&[1_000; 3], 80.0)).rounds, 3);
    }
}
