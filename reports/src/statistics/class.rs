//! Windows that may be compared: those taken while the pCPUs were about equally far apart.
//!
//! A host shifts the pCPUs beneath us apart and together again, unseen by steal; a lock's rate follows. So each
//! window carries the round trip between its pCPUs, and only windows of one class are set against each other.

/// Round trips within this factor belong to one class.
pub const CLASS_WIDTH: f64 = 1.5;

/// Whether two round trips belong to different classes.
pub fn are_apart(one: f64, other: f64) -> bool {
    one.max(other) > one.min(other) * CLASS_WIDTH
}

/// Indices, ascending, of the largest set whose round trips (in ns) lie within [`CLASS_WIDTH`] of each other; of two
/// equally large sets the one with the shorter round trips. Entries without a round trip (one pCPU, or none
/// measured) fit in with any.
pub fn largest_class(round_trips: &[Option<f64>]) -> Vec<usize> {
    let mut measured: Vec<(f64, usize)> = round_trips
        .iter()
        .enumerate()
        .filter_map(|(index, trip)| trip.filter(|trip| usable(*trip)).map(|trip| (trip, index)))
        .collect();
    measured.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut best = 0..0;
    let mut end = 0;
    for start in 0..measured.len() {
        while end < measured.len() && measured[end].0 <= measured[start].0 * CLASS_WIDTH {
            end += 1;
        }
        if end - start > best.len() {
            best = start..end;
        }
    }
    let mut chosen: Vec<usize> = measured[best].iter().map(|&(_, index)| index).collect();
    chosen.extend((0..round_trips.len()).filter(|&index| !round_trips[index].is_some_and(usable)));
    chosen.sort_unstable();
    chosen
}

/// For two groups of windows the range of round trips, one class wide, in which the smaller of the two has most;
/// `None` where either has no round trip at all, for then every window fits.
pub fn common_class(one: &[Option<f64>], other: &[Option<f64>]) -> Option<[f64; 2]> {
    let trips = |group: &[Option<f64>]| -> Vec<f64> {
        group.iter().copied().flatten().filter(|trip| usable(*trip)).collect()
    };
    let (one, other) = (trips(one), trips(other));
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let mut starts: Vec<f64> = one.iter().chain(&other).copied().collect();
    starts.sort_by(f64::total_cmp);
    let inside = |group: &[f64], low: f64| {
        group.iter().filter(|trip| (low..=low * CLASS_WIDTH).contains(*trip)).count()
    };
    let score = |low: f64| {
        let (a, b) = (inside(&one, low), inside(&other, low));
        (a.min(b), a + b)
    };
    let best = starts.into_iter().reduce(|best, low| if score(low) > score(best) { low } else { best })?;
    Some([best, best * CLASS_WIDTH])
}

/// Whether a round trip can be set against another at all.
pub(super) fn usable(trip: f64) -> bool {
    trip.is_finite() && trip > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_the_larger_mode() {
        let trips = [84.0, 420.0, 90.0, 400.0, 84.0, 100.0].map(Some);
        assert_eq!(largest_class(&trips), [0, 2, 4, 5]);
    }

    #[test]
    fn the_closer_of_two_equal_modes() {
        assert_eq!(largest_class(&[400.0, 84.0, 410.0, 85.0].map(Some)), [1, 3]);
    }

    #[test]
    fn two_groups_meet_where_both_have_windows() {
        let one = [84.0, 90.0, 400.0, 410.0, 420.0].map(Some);
        assert_eq!(common_class(&one, &[80.0, 85.0, 86.0].map(Some)), Some([80.0, 120.0]));
        assert_eq!(common_class(&one, &[415.0].map(Some)).unwrap()[0], 400.0);
        assert_eq!(common_class(&one, &[None]), None);
    }

    #[test]
    fn no_chain_reaches_beyond_the_width() {
        // Each lies within 1.5x of the next, the ends do not.
        assert_eq!(largest_class(&[100.0, 140.0, 190.0, 145.0].map(Some)), [0, 1, 3]);
    }

    #[test]
    fn entries_without_a_round_trip_fit_in() {
        assert_eq!(largest_class(&[None, None]), [0, 1]);
        assert_eq!(largest_class(&[None, Some(80.0), Some(500.0), Some(f64::NAN), Some(0.0)]), [0, 1, 3, 4]);
        assert!(largest_class(&[]).is_empty());
    }
}
