//! How far apart the pCPUs of a window were: the round trip of each pair that was timed.

use std::fmt;

use super::median;
use crate::format::distance;
use crate::record::{Cell, Measured, Pair, are_apart};

/// Which pair of pCPUs a round trip belongs to, among windows on the same pCPUs.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// The first two pCPUs, which every record has; it has a name where there are other pairs too.
    First(Option<Pair>),
    /// Another pair.
    Other(Pair),
}

impl Which {
    fn pair(self) -> Option<Pair> {
        match self {
            Self::First(pair) => pair,
            Self::Other(pair) => Some(pair),
        }
    }
}

/// First pairs are equal whatever their names, for older records do not name them.
impl PartialEq for Which {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::First(_), Self::First(_)) => true,
            (Self::Other(one), Self::Other(other)) => one.pcpus == other.pcpus,
            _ => false,
        }
    }
}

/// The round trips of a window, in nanoseconds: positive numbers, each pair once. Empty where the window ran on one pCPU.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trips(Vec<(Which, f64)>);

impl Trips {
    /// The round trips of a measured window: for each pair the geometric mean of the round trips before and after it.
    pub fn of(measured: &Measured) -> Self {
        // A damaged file may hold two negative round trips, whose product would look like a distance.
        let mean = |before: f64, after: f64| (before.max(0.0) * after.max(0.0)).sqrt();
        if measured.ping_pongs.is_empty() {
            return Self::first(measured.interconnect_ns.map(|[before, after]| mean(before, after)));
        }
        let trips = measured.ping_pongs.iter().enumerate().map(|(index, ping_pong)| {
            let pair = ping_pong.pair;
            let which = if index == 0 { Which::First(Some(pair)) } else { Which::Other(pair) };
            (which, mean(ping_pong.before_ns, ping_pong.after_ns))
        });
        trips.collect()
    }

    /// The round trip of the first pair alone, without a name: all there is on one NUMA node and in older records.
    pub fn first(ns: Option<f64>) -> Self {
        ns.map(|ns| (Which::First(None), ns)).into_iter().collect()
    }

    /// Pairs and their round trips, in the order in which they were timed.
    pub fn iter(&self) -> impl Iterator<Item = (Which, f64)> {
        self.0.iter().copied()
    }

    /// The round trip of a pair; none if the pair was not timed.
    pub fn get(&self, which: Which) -> Option<f64> {
        self.0.iter().find(|(known, _)| *known == which).map(|(_, ns)| *ns)
    }

    /// The first pair that both windows have and that was at two distances; none if the two are of one distance class.
    pub fn apart(&self, other: &Self) -> Option<Apart> {
        self.iter().find_map(|(which, one)| {
            let (named, two) = other.0.iter().find(|(known, _)| *known == which)?;
            let pair = which.pair().or(named.pair());
            are_apart(one, *two).then_some(Apart { pair, ns: [one, *two] })
        })
    }

    /// For each pair the geometric mean of its two round trips, or the only one.
    pub(super) fn joint(&self, other: &Self) -> Self {
        let mine =
            self.iter().map(|(which, ns)| (which, other.get(which).map_or(ns, |two| (ns * two).sqrt())));
        mine.chain(other.iter().filter(|(which, _)| self.get(*which).is_none())).collect()
    }

    /// The median of each pair's round trips over windows.
    pub fn medians<'a>(windows: impl Iterator<Item = &'a Self>) -> Self {
        let pairs = by_pair(windows).into_iter();
        pairs.filter_map(|(which, trips)| Some((which, median(&trips)?))).collect()
    }
}

/// Leaves out values that are no distance, and a pair that is there already.
impl FromIterator<(Which, f64)> for Trips {
    fn from_iter<I: IntoIterator<Item = (Which, f64)>>(trips: I) -> Self {
        let mut kept = Self::default();
        for (which, ns) in trips {
            if ns.is_finite() && ns > 0.0 && kept.get(which).is_none() {
                kept.0.push((which, ns));
            }
        }
        kept
    }
}

/// The round trips of each pair over windows, pairs in order of first appearance.
pub(super) fn by_pair<'a>(windows: impl Iterator<Item = &'a Trips>) -> Vec<(Which, Vec<f64>)> {
    let mut pairs: Vec<(Which, Vec<f64>)> = Vec::new();
    for (which, ns) in windows.flat_map(Trips::iter) {
        match pairs.iter_mut().find(|(known, _)| *known == which) {
            Some((known, trips)) => {
                // The name is taken from any window that has it.
                *known = if known.pair().is_none() { which } else { *known };
                trips.push(ns);
            }
            None => pairs.push((which, vec![ns])),
        }
    }
    pairs
}

/// A pair of pCPUs that was at two distances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Apart {
    /// The pair; none where it is the only one.
    pub pair: Option<Pair>,
    /// The two distances, in nanoseconds.
    pub ns: [f64; 2],
}

impl Apart {
    /// "pCPUs 84 ns apart in BASE, 420 ns in NEW", or with the pair's name before it.
    pub fn told(&self, here: &str, there: &str) -> String {
        let [one, two] = self.ns.map(distance);
        let who = self.pair.map_or("pCPUs".to_owned(), |pair| format!("{pair}:"));
        format!("{who} {one} apart {here}, {two} {there}")
    }
}

/// Shortest and longest round trip of each pair over windows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spans(Vec<(Which, [f64; 2])>);

impl Spans {
    /// The spans over some windows.
    pub fn of<'a>(windows: impl Iterator<Item = &'a Trips>) -> Self {
        let span = |(which, trips): (Which, Vec<f64>)| {
            Some((which, [trips.iter().copied().reduce(f64::min)?, trips.iter().copied().reduce(f64::max)?]))
        };
        Self(by_pair(windows).into_iter().filter_map(span).collect())
    }

    /// The spans over the windows that a cell's rate rests on, as its results give them.
    pub fn of_cell(cell: &Cell) -> Self {
        let named = cell.distances.iter().enumerate().map(|(index, distance)| {
            let pair = distance.pair;
            let which = if index == 0 { Which::First(Some(pair)) } else { Which::Other(pair) };
            (which, [distance.shortest_ns, distance.longest_ns])
        });
        let first = cell.interconnect_ns.filter(|_| cell.distances.is_empty());
        let all = named.chain(first.map(|span| (Which::First(None), span)));
        Self(all.filter(|(_, [low, high])| *low > 0.0 && high.is_finite() && high >= low).collect())
    }

    /// Pairs and their spans, in the order in which they were timed.
    pub fn iter(&self) -> impl Iterator<Item = (Which, [f64; 2])> {
        self.0.iter().copied()
    }

    /// The span of the first pair.
    pub fn first(&self) -> Option<[f64; 2]> {
        self.iter().find_map(|(which, span)| matches!(which, Which::First(_)).then_some(span))
    }

    /// The named pairs and their spans.
    pub fn named(&self) -> impl Iterator<Item = (Pair, [f64; 2])> {
        self.iter().filter_map(|(which, span)| Some((which.pair()?, span)))
    }

    /// The first pair whose windows were not all at one distance.
    pub fn wide(&self) -> Option<Apart> {
        let apart = self.iter().find(|(_, [low, high])| are_apart(*low, *high));
        apart.map(|(which, ns)| Apart { pair: which.pair(), ns })
    }

    /// The first pair that was not at one distance in all windows of both sides, with the shortest round trip of each side.
    pub fn apart(&self, other: &Self) -> Option<Apart> {
        self.iter().find_map(|(which, [low, high])| {
            let (named, [other_low, other_high]) = other.iter().find(|(known, _)| *known == which)?;
            let apart = are_apart(low.min(other_low), high.max(other_high));
            apart.then_some(Apart { pair: which.pair().or(named.pair()), ns: [low, other_low] })
        })
    }
}

/// "pCPUs 84 ns to 97 ns apart", or "pCPUs 84 ns to 97 ns apart in a NUMA node, 300 ns to 310 ns across two"; an empty text
/// where there is no pair.
impl fmt::Display for Spans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over = |wanted: &dyn Fn(Which) -> bool| {
            let spans = || self.iter().filter(|(which, _)| wanted(*which)).map(|(_, span)| span);
            let low = spans().map(|span| span[0]).reduce(f64::min)?;
            Some(format!(
                "{} to {}",
                distance(low),
                distance(spans().map(|span| span[1]).fold(low, f64::max))
            ))
        };
        let across = |which: Which| which.pair().is_some_and(|pair| !pair.in_one_node());
        match (over(&|which| !across(which)), over(&across)) {
            (None, None) => Ok(()),
            (Some(inside), None) => write!(f, "pCPUs {inside} apart"),
            (None, Some(across)) => write!(f, "pCPUs {across} apart across two NUMA nodes"),
            (Some(inside), Some(across)) => {
                write!(f, "pCPUs {inside} apart in a NUMA node, {across} across two")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::PingPong;

    const INSIDE: Pair = Pair { pcpus: [0, 1], nodes: [0, 0] };
    const ACROSS: Pair = Pair { pcpus: [0, 6], nodes: [0, 3] };

    fn window(inside: f64, across: f64) -> Trips {
        let ping_pong = |pair, ns| PingPong { pair, before_ns: ns, after_ns: ns };
        let ping_pongs = vec![ping_pong(INSIDE, inside), ping_pong(ACROSS, across)];
        Trips::of(&Measured { interconnect_ns: Some([inside, inside]), ping_pongs, ..Measured::default() })
    }

    #[test]
    fn an_older_record_has_the_first_pair() {
        let older = Trips::of(&Measured { interconnect_ns: Some([80.0, 90.0]), ..Measured::default() });
        assert_eq!(older, Trips::first(Some((80.0_f64 * 90.0).sqrt())));
        // It says nothing of the pair across, and agrees on the pair that both have.
        assert_eq!(older.apart(&window(84.0, 900.0)), None);
        let moved = window(420.0, 300.0);
        assert_eq!(older.apart(&moved).unwrap().pair, Some(INSIDE));
        assert_eq!(
            older.apart(&moved).unwrap().told("in BASE", "in NEW"),
            "CPUs 0 and 1 in node 0: 85 ns apart in BASE, 420 ns in NEW"
        );
        assert_eq!(Trips::of(&Measured::default()), Trips::default());
    }

    #[test]
    fn the_pair_that_differs_is_named() {
        let apart = window(84.0, 300.0).apart(&window(90.0, 900.0)).unwrap();
        let told = apart.told("in one", "in the other");
        assert_eq!(told, "CPUs 0 and 6 across nodes 0 and 3: 300 ns apart in one, 900 ns in the other");
        assert_eq!(window(84.0, 300.0).apart(&window(90.0, 310.0)), None);
        let one_node = Trips::first(Some(84.0)).apart(&Trips::first(Some(420.0))).unwrap();
        assert_eq!(one_node.told("in one", "in the other"), "pCPUs 84 ns apart in one, 420 ns in the other");
    }

    #[test]
    fn spans_tell_nodes_from_links() {
        let spans = |windows: &[Trips]| Spans::of(windows.iter());
        let two = spans(&[window(84.0, 300.0), window(97.0, 310.0)]);
        assert_eq!(two.to_string(), "pCPUs 84 ns to 97 ns apart in a NUMA node, 300 ns to 310 ns across two");
        assert_eq!((two.first(), two.wide()), (Some([84.0, 97.0]), None));
        let wide = spans(&[window(84.0, 300.0), window(84.0, 900.0)]);
        assert_eq!(wide.wide().unwrap().pair, Some(ACROSS));
        assert_eq!(two.apart(&wide).unwrap().ns, [300.0, 300.0]);
        assert_eq!(spans(&[Trips::first(Some(84.0))]).to_string(), "pCPUs 84 ns to 84 ns apart");
        assert_eq!(spans(&[Trips::default()]).to_string(), "");
    }

    #[test]
    fn what_is_no_distance_is_left_out() {
        for hostile in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
            assert_eq!(window(hostile, 300.0).iter().count(), 1);
            assert_eq!(Trips::first(Some(hostile)), Trips::default());
        }
        let twice = [(Which::Other(ACROSS), 300.0), (Which::Other(ACROSS), 900.0)];
        assert_eq!(twice.into_iter().collect::<Trips>().iter().count(), 1);
    }
}
