//! Two builds in alternating rounds: what the machine does in a round it does to both.

mod driver;

use std::collections::HashSet;

use lockbench_reports::record::{Line, Round};

use crate::plan::{self, Fitted, Timing};
use crate::suite::{Progress, Session, failed_for_good};
use crate::{Error, interrupt};

pub(crate) use driver::Driver;

/// Pairs of rounds below which a duel shows nothing worth having.
pub(crate) const FEWEST_ROUNDS: u32 = 12;

/// A duel over a fitted plan.
pub(crate) struct Duel<'a> {
    /// The two builds: BASE and NEW.
    pub(crate) builds: &'a [Driver; 2],
    pub(crate) plan: &'a Fitted,
    pub(crate) timing: Timing,
    pub(crate) rounds: u32,
    pub(crate) seed: u64,
    pub(crate) session: &'a Session,
}

impl Duel<'_> {
    /// Measures everything; `record` is told the side and the round. Ctrl-C ends it early.
    pub(crate) fn run(
        &self,
        record: &mut dyn FnMut(usize, &Line) -> Result<(), Error>,
        progress: &mut Progress,
    ) -> Result<(), Error> {
        // A cell that failed on one side is of no use on the other.
        let mut given_up: HashSet<usize> = HashSet::new();
        // A build of before there were draws refuses a spec that names them: then both take those that it takes.
        let both_draw = self.builds.iter().all(Driver::draws);
        let draws = |number| if both_draw { plan::draws(self.seed, number) } else { 0 };
        for number in 0..self.rounds {
            if given_up.len() == self.plan.cells.len() {
                break;
            }
            for (place, turn) in plan::round(&self.plan.cells, &[], self.seed, number).into_iter().enumerate()
            {
                let cell = &self.plan.cells[turn.cell];
                progress.show(&cell.axes.id, number);
                let spec = cell.window(
                    &self.timing,
                    number,
                    turn.purpose,
                    draws(number),
                    self.session.counts_preemptions(cell.axes.values.env),
                );
                for side in order(number, place) {
                    if interrupt::requested() {
                        return Ok(());
                    }
                    progress.step();
                    if number > 0 && given_up.contains(&turn.cell) {
                        continue;
                    }
                    let Some(outcome) = self.builds[side].window(&spec)? else { return Ok(()) };
                    if failed_for_good(&outcome) {
                        given_up.insert(turn.cell);
                    }
                    let round =
                        Round { cell: cell.axes.id.clone(), round: number, purpose: turn.purpose, outcome };
                    record(side, &Line::Round(round))?;
                }
            }
        }
        Ok(())
    }
}

/// Who goes first: in turns from cell to cell, and the other way round in the next round.
fn order(round: u32, place: usize) -> [usize; 2] {
    if (round as usize + place).is_multiple_of(2) { [0, 1] } else { [1, 0] }
}
