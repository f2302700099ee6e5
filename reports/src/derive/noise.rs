//! The noise floor: how far two measurements of the same cell lay apart.

use super::Selection;
use crate::record::{CellAxes, NoiseFloor, Purpose, Round};
use crate::statistics::{MIN_ROUNDS, Window, ratios};

/// Fewer pairs than this show no spread.
const PAIRS_NEEDED: usize = 3;

/// The noise group of a cell: `one-vcpu`, `contended` or `overcommitted`.
pub fn noise_group(axes: &CellAxes) -> &'static str {
    if axes.overcommit > 1.0 + 1e-9 {
        "overcommitted"
    } else if axes.vcpus <= 1 {
        "one-vcpu"
    } else {
        "contended"
    }
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
    let (ratio, rounds) = match paired.every_class {
        Some((ratio, rounds)) if paired.rounds < MIN_ROUNDS => (Some(ratio), rounds),
        _ => (paired.ratio, paired.rounds),
    };
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
