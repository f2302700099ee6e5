//! Two builds in alternating windows, so that whatever disturbs a round disturbs both.

mod driver;

use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use lockbench_reports::record::{Header, Line, Round};

use crate::cell::WindowSpec;
use crate::plan;
use crate::suite::{Progress, Run, failed_for_good};
use crate::{Error, interrupt};

pub(crate) use driver::Driver;

/// Fewest pairs of rounds of a stage: fewer would hardly ever reach a verdict.
pub(crate) const FEWEST_ROUNDS: u32 = 12;

/// Time that a build's process takes besides its window, to look at the machine once more.
const STARTING: Duration = Duration::from_millis(100);

/// A duel over the plan of a run.
pub(crate) struct Duel<'a> {
    /// The two builds: BASE and NEW.
    builds: &'a [Driver; 2],
    /// What either build is to measure.
    run: &'a Run,
    /// How long a round of all cells should take, on both sides.
    round: Duration,
    /// Cells that failed on one side: a comparison needs both, so they are not tried again on either.
    given_up: HashSet<usize>,
}

/// Some rounds of a duel.
pub(crate) struct Stage {
    /// Numbers of the rounds.
    pub(crate) rounds: Range<u32>,
    /// The cells that take them, by their index in the plan; none for all of them.
    pub(crate) cells: Option<HashSet<usize>>,
}

impl Stage {
    /// Its windows of round `number`, in order.
    fn round(&self, run: &Run, number: u32) -> Vec<plan::Step> {
        let mut steps = plan::round(&run.plan.cells, &run.plan.twins, run.header.seed, number);
        steps.retain(|step| self.cells.as_ref().is_none_or(|cells| cells.contains(&step.cell)));
        steps
    }
}

impl<'a> Duel<'a> {
    /// A duel over the cells that a suite of the profile would measure. `suite_rounds` is the number of rounds for which the plan's
    /// time was estimated.
    pub(crate) fn new(builds: &'a [Driver; 2], run: &'a Run, suite_rounds: u32) -> Self {
        let windows = plan::round(&run.plan.cells, &run.plan.twins, run.header.seed, 0).len() as u32;
        let round = run.plan.estimate * 2 / suite_rounds + STARTING * 2 * windows;
        Self { builds, run, round, given_up: HashSet::new() }
    }

    /// The first stage: all cells, in as many rounds as `run`'s header says.
    pub(crate) fn first(&self) -> Stage {
        Stage { rounds: 0..self.run.header.rounds, cells: None }
    }

    /// The second stage: the cells with these ids. Its rounds are numbered after the first's, so that they take draws and an order of
    /// their own.
    pub(crate) fn second(&self, unclear: &[String]) -> Stage {
        let Header { rounds, second_stage, .. } = self.run.header;
        let cells = self.run.plan.cells.iter().enumerate();
        let cells = cells.filter(|(_, cell)| unclear.contains(&cell.axes.id)).map(|(index, _)| index);
        Stage { rounds: rounds..rounds + second_stage, cells: Some(cells.collect()) }
    }

    /// How long a stage should take.
    pub(crate) fn estimate(&self, stage: &Stage) -> Duration {
        let all = self.first().round(self.run, 0).len().max(1) as u32;
        self.round * stage.rounds.len() as u32 * stage.round(self.run, 0).len() as u32 / all
    }

    /// Measures a stage; `record` is told the side and the round. Ctrl-C ends it early.
    pub(crate) fn measure(
        &mut self,
        stage: &Stage,
        record: &mut dyn FnMut(usize, &Line) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let plan = &self.run.plan;
        let windows = 2 * stage.round(self.run, 0).len() as u64 * stage.rounds.len() as u64;
        let progress = Progress::new(windows, self.estimate(stage));
        // A build from before `draws` was added refuses a spec that names them: then neither build gets any.
        let both_draw = self.builds.iter().all(Driver::draws);
        for number in stage.rounds.clone() {
            if self.given_up.len() == plan.cells.len() {
                break;
            }
            for (place, step) in stage.round(self.run, number).into_iter().enumerate() {
                let cell = &plan.cells[step.cell];
                progress.show(&cell.axes.id, number);
                let spec = self.run.spec(cell, step, number);
                let spec = if both_draw { spec } else { WindowSpec { draws: 0, ..spec } };
                for side in order(number, place) {
                    if interrupt::requested() {
                        return Ok(());
                    }
                    progress.step();
                    if number > 0 && self.given_up.contains(&step.cell) {
                        continue;
                    }
                    let Some(outcome) = self.builds[side].window(&spec)? else { return Ok(()) };
                    if failed_for_good(&outcome) {
                        self.given_up.insert(step.cell);
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
