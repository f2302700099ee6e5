//! The noise floor: how far two measurements of the same cell lay apart.

use super::Selection;
use crate::record::{Carried, CellAxes, NoiseFloor, Purpose, Results, Round};
use crate::statistics::{Window, ratios};

/// Fewer pairs than this show no spread.
const PAIRS_NEEDED: usize = 3;

/// The noise group of cells with more vCPUs than pCPUs.
pub const OVERCOMMITTED: &str = "overcommitted";

/// The noise group of a cell: `one-vcpu`, `contended` or `overcommitted`.
pub fn noise_group(axes: &CellAxes) -> &'static str {
    if axes.overcommit > 1.0 + 1e-9 {
        OVERCOMMITTED
    } else if axes.vcpus <= 1 {
        "one-vcpu"
    } else {
        "contended"
    }
}

/// Whether waiters of a cell's lock halt there: paravirtual code that is on, under a hypervisor. The rate of such a lock
/// varies for other reasons than that of a lock whose waiters spin.
pub(crate) fn halts(results: &Results, axes: &CellAxes) -> bool {
    axes.env != "native" && results.lock(&axes.lock).is_some_and(|lock| lock.paravirt == Carried::On)
}

/// What decides how much alike two cells of a noise group are.
#[derive(Clone, Copy)]
pub(crate) struct Kind<'a> {
    pub(crate) halts: bool,
    pub(crate) env: &'a str,
    pub(crate) lock: &'a str,
}

/// The floor for a cell among those of the A/A pairs of its noise group: of the pairs that are most like the cell (the
/// environment counts more than whether the lock halts, and that more than the lock) the largest.
pub(crate) fn nearest_floor<'a>(cell: Kind<'_>, pairs: impl Iterator<Item = (Kind<'a>, f64)>) -> Option<f64> {
    let alike = |pair: Kind<'_>| (pair.env == cell.env, pair.halts == cell.halts, pair.lock == cell.lock);
    let ranked = pairs.filter(|(_, floor)| floor.is_finite()).map(|(pair, floor)| (alike(pair), floor));
    ranked.max_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))).map(|(_, floor)| floor)
}

/// The noise floor from a cell's twin windows; none if it has none.
pub(super) fn floor(axes: &CellAxes, rounds: &[Round]) -> Option<NoiseFloor> {
    if !rounds.iter().any(|round| round.purpose == Purpose::Twin) {
        return None;
    }
    let first = Selection::comparable(rounds, Purpose::Rate).windows();
    let second = Selection::comparable(rounds, Purpose::Twin).windows();
    let paired = ratios(&second, &first);
    // Where no distance class has enough rounds the floor is that of all rounds together: wider, and so on the safe side.
    let (ratio, rounds) = paired.of_enough_rounds();
    let ratio = ratio.filter(|_| rounds >= PAIRS_NEEDED);
    // A floor of 5 % means that the second measurement of a cell was between 1/1.05 and 1.05 of the first.
    let floor = ratio.filter(|r| r.low > 0.0).map(|r| (r.high.max(1.0 / r.low) - 1.0).max(0.0));
    Some(NoiseFloor {
        class: noise_group(axes).to_owned(),
        cell: axes.id.clone(),
        ratio,
        floor: floor.filter(|floor| floor.is_finite()),
        rounds: rounds as u32,
        pairs: pairs(&first, &second),
    })
}

fn pairs(first: &[Window], second: &[Window]) -> Vec<[f64; 2]> {
    first
        .iter()
        .filter_map(|one| {
            let other = second.iter().find(|other| other.round == one.round)?;
            Some([one.rate(), other.rate()])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn kind(halts: bool, env: &'static str, lock: &'static str) -> Kind<'static> {
        Kind { halts, env, lock }
    }

    #[test]
    fn a_cell_clears_the_floor_of_the_pairs_that_are_most_like_it() {
        let pairs = [
            (kind(false, "native", "ticket"), 0.02),
            (kind(false, "emulated", "ticket"), 0.3),
            (kind(false, "emulated", "mcs"), 0.1),
            (kind(true, "emulated", "pv-ticket"), 60.0),
            (kind(true, "emulated", "pv-queued"), 0.05),
            (kind(false, "kvm", "ticket"), 0.4),
        ];
        let floor = |cell| nearest_floor(cell, pairs.into_iter());
        assert_eq!(floor(kind(true, "emulated", "pv-ticket")), Some(60.0));
        assert_eq!(
            floor(kind(true, "emulated", "pv-queued")),
            Some(0.05),
            "its own, not that of another that halts"
        );
        assert_eq!(floor(kind(true, "emulated", "pv-byte")), Some(60.0), "the largest of those that halt");
        assert_eq!(
            floor(kind(false, "emulated", "queued")),
            Some(0.3),
            "a lock that halts is no measure of it"
        );
        assert_eq!(floor(kind(true, "kvm", "pv-queued")), Some(0.4), "no pair halts there");
        assert_eq!(floor(kind(true, "elsewhere", "pv-queued")), Some(0.05), "no pair ran there");
        assert_eq!(nearest_floor(kind(false, "native", "mcs"), [].into_iter()), None);
    }
}
