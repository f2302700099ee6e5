//! The order of a round: blocks shuffled by the seed, cells of a block back to back.

use lockbench_reports::record::Purpose;

use super::PlannedCell;

/// One window to take: of which cell, and for which purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) cell: usize,
    pub(crate) purpose: Purpose,
}

/// The windows of round `number`, in order. Within a block the order is the plan's, and reversed in odd rounds so that no
/// cell always follows the same other cell. The second window of an A/A pair stands at the end of the block that is farther
/// from the first: no other two windows that are compared within the block lie farther apart in time.
pub(crate) fn round(cells: &[PlannedCell], twins: &[usize], seed: u64, number: u32) -> Vec<Step> {
    let mut blocks: Vec<(String, Vec<usize>)> = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        let name = cell.block();
        match blocks.iter_mut().find(|(known, _)| *known == name) {
            Some((_, members)) => members.push(index),
            None => blocks.push((name, vec![index])),
        }
    }
    fastrand::Rng::with_seed(seed.wrapping_add(u64::from(number))).shuffle(&mut blocks);
    let mut steps = Vec::new();
    for (_, mut members) in blocks {
        if number % 2 == 1 {
            members.reverse();
        }
        let (mut ahead, mut behind) = (Vec::new(), Vec::new());
        let mut block = Vec::new();
        for (place, &cell) in members.iter().enumerate() {
            for &purpose in &cells[cell].purposes {
                block.push(Step { cell, purpose });
                if purpose == Purpose::Rate && twins.contains(&cell) {
                    let second = Step { cell, purpose: Purpose::Twin };
                    if 2 * place < members.len() { behind.push(second) } else { ahead.push(second) }
                }
            }
        }
        steps.extend(ahead.into_iter().chain(block).chain(behind));
    }
    steps
}

/// Seed of the vCPUs' random draws in round `number`. All windows of a round share it, so that the windows of a block, of an
/// A/A pair and of both builds of a duel are compared under the same draws.
pub(crate) fn draws(seed: u64, number: u32) -> u64 {
    fastrand::Rng::with_seed(seed ^ u64::from(number) << 32).u64(1..)
}
