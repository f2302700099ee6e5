//! How far apart a cell's pCPUs are, measured before its window and after it.

use std::time::Instant;

use lockbench_reports::record::{Measured, Pair, PingPong};

use crate::measure::ping_pong;

/// The round trips of a cell's pairs at one moment.
pub(super) struct Distances {
    /// Round trips in the pairs' order, in nanoseconds; none where a thread could not be pinned.
    round_trips_ns: Vec<Option<f64>>,
    /// Time that the ping-pongs took.
    pub(super) took_ns: u64,
}

impl Distances {
    pub(super) fn look(pairs: &[Pair]) -> Self {
        let began = Instant::now();
        let round_trips_ns = ping_pong::round_trips_ns(pairs);
        Self { round_trips_ns, took_ns: began.elapsed().as_nanos() as u64 }
    }
}

/// Enters into a window's record how far apart its pCPUs were, and whether any pair moved.
///
/// Readers expect the first pair as the first entry, so if its round trip is missing nothing is entered.
pub(super) fn enter(measured: &mut Measured, pairs: &[Pair], before: &Distances, after: &Distances) {
    let looked = pairs.iter().zip(&before.round_trips_ns).zip(&after.round_trips_ns);
    let looked = looked
        .map(|((&pair, &before), &after)| Some(PingPong { pair, before_ns: before?, after_ns: after? }));
    let looked: Vec<Option<PingPong>> = looked.collect();
    let Some(Some(first)) = looked.first() else { return };
    measured.interconnect_ns = Some([first.before_ns, first.after_ns]);
    measured.moved = looked.iter().flatten().any(PingPong::moved);
    if !super::spec::is_usual(pairs) {
        measured.ping_pongs = looked.into_iter().flatten().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distances(round_trips_ns: &[Option<f64>]) -> Distances {
        Distances { round_trips_ns: round_trips_ns.to_vec(), took_ns: 0 }
    }

    fn entered(pairs: &[Pair], before: &[Option<f64>], after: &[Option<f64>]) -> Measured {
        let mut measured = Measured::default();
        enter(&mut measured, pairs, &distances(before), &distances(after));
        measured
    }

    const INSIDE: Pair = Pair { pcpus: [0, 1], nodes: [0, 0] };
    const ACROSS: Pair = Pair { pcpus: [0, 6], nodes: [0, 3] };

    #[test]
    fn one_pair_on_one_node_is_recorded_as_ever() {
        let measured = entered(&[INSIDE], &[Some(84.0)], &[Some(90.0)]);
        assert_eq!((measured.interconnect_ns, measured.moved), (Some([84.0, 90.0]), false));
        assert!(measured.ping_pongs.is_empty());
        assert!(entered(&[INSIDE], &[Some(84.0)], &[Some(420.0)]).moved);
        assert_eq!(entered(&[INSIDE], &[Some(84.0)], &[None]), Measured::default());
        assert_eq!(entered(&[], &[], &[]), Measured::default());
    }

    #[test]
    fn a_window_has_moved_where_any_of_its_pairs_has() {
        let still = entered(&[INSIDE, ACROSS], &[Some(84.0), Some(300.0)], &[Some(90.0), Some(310.0)]);
        assert!(!still.moved);
        let moved = entered(&[INSIDE, ACROSS], &[Some(84.0), Some(300.0)], &[Some(90.0), Some(500.0)]);
        assert!(moved.moved);
        assert_eq!(moved.interconnect_ns, Some([84.0, 90.0]), "that of the first pair");
        let across = PingPong { pair: ACROSS, before_ns: 300.0, after_ns: 500.0 };
        assert_eq!(moved.ping_pongs[1], across);
    }

    #[test]
    fn a_pair_that_could_not_be_pinned_is_left_out() {
        let part = entered(&[INSIDE, ACROSS], &[Some(84.0), None], &[Some(90.0), Some(310.0)]);
        assert_eq!(part.ping_pongs.len(), 1);
        let none = entered(&[INSIDE, ACROSS], &[None, Some(300.0)], &[Some(90.0), Some(310.0)]);
        assert_eq!(none, Measured::default());
    }

    #[test]
    fn one_pair_across_two_nodes_names_them() {
        assert_eq!(entered(&[ACROSS], &[Some(300.0)], &[Some(310.0)]).ping_pongs.len(), 1);
    }
}
