//! Two builds in alternating windows, so that whatever disturbs a round disturbs both.

mod driver;

use std::collections::HashSet;
use std::time::Duration;

use lockbench_reports::record::{Header, Line, Round};

use crate::cell::WindowSpec;
use crate::plan;
use crate::suite::{Progress, Run, failed_for_good};
use crate::{Error, interrupt};

pub(crate) use driver::Driver;

/// Fewest pairs of rounds of a duel: fewer would hardly ever reach a verdict.
pub(crate) const FEWEST_ROUNDS: u32 = 12;

/// Time that a build's process takes besides its window, to look at the machine once more.
const STARTING: Duration = Duration::from_millis(100);

/// A duel over the plan of a run.
pub(crate) struct Duel<'a> {
    /// The two builds: BASE and NEW.
    pub(crate) builds: &'a [Driver; 2],
    /// What either build is to measure.
    pub(crate) run: &'a Run,
    /// How long that should take.
    pub(crate) estimate: Duration,
}

impl<'a> Duel<'a> {
    /// A duel over the cells that a suite of the profile would measure. Its number of rounds is that of `run`'s header;
    /// `suite_rounds` is the number for which the plan's time was estimated.
    pub(crate) fn new(builds: &'a [Driver; 2], run: &'a Run, suite_rounds: u32) -> Self {
        let estimate = run.plan.estimate * 2 * run.header.rounds / suite_rounds;
        let estimate = estimate + STARTING * (2 * run.windows()) as u32;
        Self { builds, run, estimate }
    }

    /// Measures everything; `record` is told the side and the round. Ctrl-C ends it early.
    pub(crate) fn measure(
        &self,
        record: &mut dyn FnMut(usize, &Line) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Run { plan, header: Header { seed, rounds, .. }, .. } = self.run;
        let progress = Progress::new(2 * self.run.windows(), self.estimate);
        // Cells that failed on one side: a comparison needs both, so they are not tried again on either.
        let mut given_up: HashSet<usize> = HashSet::new();
        // A build from before `draws` was added refuses a spec that names them: then neither build gets any.
        let both_draw = self.builds.iter().all(Driver::draws);
        for number in 0..*rounds {
            if given_up.len() == plan.cells.len() {
                break;
            }
            for (place, step) in plan::round(&plan.cells, &plan.twins, *seed, number).into_iter().enumerate()
            {
                let cell = &plan.cells[step.cell];
                progress.show(&cell.axes.id, number);
                let spec = self.run.spec(cell, step, number);
                let spec = if both_draw { spec } else { WindowSpec { draws: 0, ..spec } };
                for side in order(number, place) {
                    if interrupt::requested() {
                        return Ok(());
                    }
                    progress.step();
                    if number > 0 && given_up.contains(&step.cell) {
                        continue;
                    }
                    let Some(outcome) = self.builds[side].window(&spec)? else { return Ok(()) };
                    if failed_for_good(&outcome) {
                        given_up.insert(step.cell);
                    }
                    let round =
                        Round { cell: cell.axes.id.clone(), round: number, purpose: step.purpose, outcome };
                    record(side, &Line::Round(round))?;
                }
            }
        }
        Ok(())
    }
}

/// Which side goes first: it changes from cell to cell, and is reversed in the next round.
fn order(round: u32, place: usize) -> [usize; 2] {
    if (round as usize + place).is_multiple_of(2) { [0, 1] } else { [1, 0] }
}
