//! The order of a round: blocks shuffled by the seed, cells of a block back to back.

use lockbench_reports::record::Purpose;

use super::PlannedCell;

/// One window to take: which cell, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) cell: usize,
    pub(crate) purpose: Purpose,
}

/// The turns of round `number`. Within a block the order is the plan's, reversed in odd rounds so that no cell always
/// follows the same other; an A/A pair's second window follows its first at once.
pub(crate) fn round(cells: &[PlannedCell], twins: &[usize], seed: u64, number: u32) -> Vec<Turn> {
    let mut blocks: Vec<(String, Vec<usize>)> = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        let name = cell.block();
        match blocks.iter_mut().find(|(known, _)| *known == name) {
            Some((_, members)) => members.push(index),
            None => blocks.push((name, vec![index])),
        }
    }
    fastrand::Rng::with_seed(seed.wrapping_add(u64::from(number))).shuffle(&mut blocks);
    let mut turns = Vec::new();
    for (_, mut members) in blocks {
        if number % 2 == 1 {
            members.reverse();
        }
        for cell in members {
            for &purpose in &cells[cell].purposes {
                turns.push(Turn { cell, purpose });
                if purpose == Purpose::Rate && twins.contains(&cell) {
                    turns.push(Turn { cell, purpose: Purpose::Twin });
                }
            }
        }
    }
    turns
}
