//! The stages of a duel. After the first one, the cells that are not clear take more rounds, and what was open in them is judged
//! on these new rounds alone.
//!
//! Why that is fair, although the first rounds choose which cells go on: a row is called falsely in the first stage or in the
//! second. Each stage is a test of its own at half of the level, with everything that a duel in one stage does (families, then cells
//! by step-down). Given what the first stage saw, the rounds of the second are new, so whatever was chosen by the first, the second
//! calls an unchanged row of a family with at most the probability of its own level. By Bonferroni's inequality the two
//! levels add up to that of the duel. It would not be fair to pool the rounds: those that led to the choice lie on the side that the
//! row seemed to change to. (Sample splitting: Cox 1975, "A note on data-splitting for the evaluation of significance levels".)

use std::ops::Range;

use crate::record::{Cell, Results};
use crate::statistics::FALSE_DISCOVERIES;

/// One stage: the rounds that it judges by, and the level that it may spend.
pub(super) struct Stage {
    pub(super) rounds: Range<u32>,
    pub(super) level: f64,
}

impl Stage {
    /// Whether a cell took any of its rounds, on both sides.
    pub(super) fn has(&self, (base, new): &(&Cell, &Cell)) -> bool {
        let took = |cell: &Cell| cell.rounds.iter().any(|round| self.rounds.contains(&round.round));
        took(base) && took(new)
    }
}

/// The first stage of a duel, and the second if one was planned. The level of a second stage that no cell needed is not spent.
pub(super) fn stages(base: &Results, new: &Results) -> (Stage, Option<Stage>) {
    let first = base.rounds.max(new.rounds);
    match base.second_stage.max(new.second_stage) {
        0 => (Stage { rounds: 0..first, level: FALSE_DISCOVERIES }, None),
        more => {
            let level = FALSE_DISCOVERIES / 2.0;
            let second = Stage { rounds: first..first.saturating_add(more), level };
            (Stage { rounds: 0..first, level }, Some(second))
        }
    }
}
