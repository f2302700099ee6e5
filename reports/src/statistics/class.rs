//! Distance classes: windows that may be compared, because their pCPUs were about equally far apart.
//!
//! A host moves the pCPUs of a virtual machine apart and together again, which steal does not show, and a lock's rate
//! follows. So each window carries the round trips between its pCPUs, and only windows of one distance class are compared: the
//! round trips of every pair of pCPUs that was timed in both windows are about equal.

use super::trips::{Trips, Which, by_pair};
use crate::record::are_apart;

/// Indices, ascending, of the largest distance class. For each pair in turn, in the order in which pairs were timed, the largest
/// set of the remaining windows is kept whose round trips lie within [`CLASS_WIDTH`](crate::record::CLASS_WIDTH) of each other;
/// of two equally large sets the one with the shorter round trips. A window in which a pair was not timed (it ran on one pCPU,
/// or an older build took it) fits any class.
pub fn largest_class(windows: &[&Trips]) -> Vec<usize> {
    let mut chosen: Vec<usize> = (0..windows.len()).collect();
    for (which, _) in by_pair(windows.iter().copied()) {
        let (measured, mut kept): (Vec<usize>, Vec<usize>) =
            chosen.into_iter().partition(|&index| windows[index].get(which).is_some());
        kept.extend(closest(
            measured.into_iter().filter_map(|index| Some((windows[index].get(which)?, index))),
        ));
        kept.sort_unstable();
        chosen = kept;
    }
    chosen
}

/// The largest set of indices whose values lie within the width of a distance class.
fn closest(measured: impl Iterator<Item = (f64, usize)>) -> impl Iterator<Item = usize> {
    let mut measured: Vec<(f64, usize)> = measured.collect();
    measured.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut best = 0..0;
    let mut end = 0;
    for start in 0..measured.len() {
        while end < measured.len() && !are_apart(measured[end].0, measured[start].0) {
            end += 1;
        }
        if end - start > best.len() {
            best = start..end;
        }
    }
    measured.drain(..best.end).skip(best.start).map(|(_, index)| index).collect::<Vec<_>>().into_iter()
}

/// A distance class, given by the shortest round trip of each pair in its windows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Class(Vec<(Which, f64)>);

impl Class {
    /// The distance class that most of some windows belong to.
    pub fn of_most(windows: &[&Trips]) -> Self {
        let members = largest_class(windows).into_iter().map(|index| windows[index]);
        let pairs = by_pair(members).into_iter();
        Self(pairs.filter_map(|(which, trips)| Some((which, trips.into_iter().reduce(f64::min)?))).collect())
    }

    /// For two groups of windows, the distance class in which the group with fewer windows has as many as possible, found pair
    /// after pair. A pair that was never timed in one of the groups does not count.
    pub fn in_common(one: &[&Trips], other: &[&Trips]) -> Self {
        let mut class = Self::default();
        for (which, _) in by_pair(one.iter().chain(other).copied()) {
            let trips = |group: &[&Trips]| -> Vec<f64> {
                let inside = group.iter().filter(|trips| class.holds(trips));
                inside.filter_map(|trips| trips.get(which)).collect()
            };
            class.0.extend(shared(&trips(one), &trips(other)).map(|low| (which, low)));
        }
        class
    }

    /// Whether a window belongs to this distance class.
    pub fn holds(&self, trips: &Trips) -> bool {
        let within = |low: f64, ns: f64| ns >= low && !are_apart(low, ns);
        self.0.iter().all(|&(which, low)| trips.get(which).is_none_or(|ns| within(low, ns)))
    }
}

/// The lower end of the range, one distance class wide, in which the group with fewer values has as many as possible; none
/// where a group is empty.
fn shared(one: &[f64], other: &[f64]) -> Option<f64> {
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let mut starts: Vec<f64> = one.iter().chain(other).copied().collect();
    starts.sort_by(f64::total_cmp);
    let inside =
        |group: &[f64], low: f64| group.iter().filter(|&&trip| trip >= low && !are_apart(low, trip)).count();
    let score = |low: f64| {
        let (a, b) = (inside(one, low), inside(other, low));
        (a.min(b), a + b)
    };
    starts.into_iter().reduce(|best, low| if score(low) > score(best) { low } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Pair;

    fn one_pair(trips: &[Option<f64>]) -> Vec<Trips> {
        trips.iter().map(|&trip| Trips::first(trip)).collect()
    }

    fn largest(windows: &[Trips]) -> Vec<usize> {
        largest_class(&windows.iter().collect::<Vec<_>>())
    }

    fn in_common(one: &[Trips], other: &[Trips]) -> Class {
        Class::in_common(&one.iter().collect::<Vec<_>>(), &other.iter().collect::<Vec<_>>())
    }

    /// The round trips of a window in which a pair inside a node and a pair across two nodes were timed.
    fn two_pairs(inside: f64, across: f64) -> Trips {
        let pair = |far, node| Pair { pcpus: [0, far], nodes: [0, node] };
        let named = [(Which::First(Some(pair(1, 0))), inside), (Which::Other(pair(6, 3)), across)];
        named.into_iter().collect()
    }

    #[test]
    fn picks_the_larger_mode() {
        let trips = [84.0, 420.0, 90.0, 400.0, 84.0, 100.0].map(Some);
        assert_eq!(largest(&one_pair(&trips)), [0, 2, 4, 5]);
    }

    #[test]
    fn the_closer_of_two_equal_modes() {
        assert_eq!(largest(&one_pair(&[400.0, 84.0, 410.0, 85.0].map(Some))), [1, 3]);
    }

    #[test]
    fn two_groups_meet_where_both_have_windows() {
        let one = one_pair(&[84.0, 90.0, 400.0, 410.0, 420.0].map(Some));
        let near = in_common(&one, &one_pair(&[80.0, 85.0, 86.0].map(Some)));
        assert_eq!(near, Class(vec![(Which::First(None), 80.0)]));
        assert!(near.holds(&Trips::first(Some(120.0))) && !near.holds(&Trips::first(Some(121.0))));
        let far = in_common(&one, &one_pair(&[415.0].map(Some)));
        assert!(far.holds(&one[2]) && !far.holds(&one[0]));
        assert_eq!(in_common(&one, &one_pair(&[None])), Class::default(), "every window fits");
    }

    #[test]
    fn no_chain_reaches_beyond_the_width() {
        // Each lies within 1.5x of the next, the ends do not.
        assert_eq!(largest(&one_pair(&[100.0, 140.0, 190.0, 145.0].map(Some))), [0, 1, 3]);
    }

    #[test]
    fn entries_without_a_round_trip_fit_in() {
        assert_eq!(largest(&one_pair(&[None, None])), [0, 1]);
        let trips = [None, Some(80.0), Some(500.0), Some(f64::NAN), Some(0.0)];
        assert_eq!(largest(&one_pair(&trips)), [0, 1, 3, 4]);
        assert!(largest(&[]).is_empty());
    }

    #[test]
    fn a_window_in_which_one_of_two_pairs_moved_is_of_another_class() {
        let mut windows = vec![two_pairs(84.0, 300.0); 6];
        windows[1] = two_pairs(84.0, 900.0);
        windows[4] = two_pairs(420.0, 300.0);
        assert_eq!(largest(&windows), [0, 2, 3, 5]);
        let class = Class::of_most(&windows.iter().collect::<Vec<_>>());
        assert!(class.holds(&two_pairs(90.0, 310.0)));
        assert!(!class.holds(&two_pairs(90.0, 900.0)) && !class.holds(&two_pairs(420.0, 310.0)));
        assert!(!in_common(&windows, &[two_pairs(84.0, 900.0)]).holds(&windows[0]));
    }

    #[test]
    fn windows_of_older_builds_agree_on_the_pair_that_both_have() {
        let older = Trips::first(Some(84.0));
        let windows =
            [two_pairs(84.0, 300.0), older.clone(), two_pairs(90.0, 310.0), Trips::first(Some(420.0))];
        assert_eq!(largest(&windows), [0, 1, 2]);
        let class = Class::of_most(&[&windows[0]]);
        assert!(class.holds(&older) && !class.holds(&windows[3]));
    }
}
