//! Runs a plan: rounds of windows, each written down as soon as it is finished.

mod admit;
mod guard;
mod journal;
mod pace;
mod progress;
mod session;

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use lockbench_reports::record::{Line, Outcome, Round};

use crate::cell::{self, Bench, Interrupted};
use crate::plan::{self, Fitted, PlannedCell, Timing, Turn};
use crate::{Error, interrupt};

pub(crate) use guard::{something_planned, unmeasured};
pub(crate) use journal::Journal;
use pace::Pace;
pub(crate) use progress::Progress;
pub(crate) use session::Session;

/// A run of a fitted plan.
pub(crate) struct Suite<'a> {
    pub(crate) session: &'a Session,
    pub(crate) plan: &'a Fitted,
    pub(crate) timing: Timing,
    pub(crate) rounds: u32,
    pub(crate) seed: u64,
    /// When the program started: set-up counts as wall time too.
    pub(crate) began: Instant,
    /// Wall time asked for.
    pub(crate) time: Option<Duration>,
}

impl Suite<'_> {
    /// Measures everything. Ctrl-C ends it early, and so does its time between two rounds; what was measured was recorded
    /// either way.
    pub(crate) fn run(
        &self,
        record: &mut dyn FnMut(&Line) -> Result<(), Error>,
        progress: &mut Progress,
    ) -> Result<(), Error> {
        // One window of evidence is enough of a cell that failed for good.
        let mut given_up: HashSet<usize> = HashSet::new();
        let mut measuring_ns = 0;
        let mut stopped = None;
        let pace = self.time.map(|time| Pace { time, planned: self.plan.round(self.rounds) });
        'rounds: for number in 0..self.rounds {
            let round_began = Instant::now();
            for turn in plan::round(&self.plan.cells, &self.plan.twins, self.seed, number) {
                if interrupt::requested() {
                    break 'rounds;
                }
                if given_up.contains(&turn.cell) {
                    progress.step();
                    continue;
                }
                let cell = &self.plan.cells[turn.cell];
                progress.show(&cell.axes.id, number);
                let Ok(taken) = self.window(cell, turn, number) else { break 'rounds };
                measuring_ns += taken.measuring_ns;
                if failed_for_good(&taken.outcome) {
                    given_up.insert(turn.cell);
                }
                record(&Line::Round(Round {
                    cell: cell.axes.id.clone(),
                    round: number,
                    purpose: turn.purpose,
                    outcome: taken.outcome,
                }))?;
                progress.step();
            }
            let done = number + 1;
            if let Some(pace) = pace.filter(|_| done < self.rounds) {
                stopped = pace.stop(self.began.elapsed(), round_began.elapsed(), done);
                if stopped.is_some() {
                    break;
                }
            }
        }
        let wall = self.began.elapsed();
        record(&Line::End {
            interrupted: interrupt::requested(),
            wall_seconds: wall.as_secs_f64(),
            measuring_share: measuring_ns as f64 / wall.as_nanos() as f64,
            stopped,
        })
    }

    fn window(&self, cell: &PlannedCell, turn: Turn, number: u32) -> Result<cell::Taken, Interrupted> {
        let count_preemptions = self.session.counts_preemptions(cell.axes.values.env);
        let draws = plan::draws(self.seed, number);
        let spec = cell.window(&self.timing, number, turn.purpose, draws, count_preemptions);
        let session = self.session;
        cell::measure(&spec, &Bench { placer: &session.placer, lock: cell.lock, quotas: &session.quotas })
    }
}

/// Whether a cell that ended so is not tried again: all but what was measured, or skipped for a cause that may pass.
pub(crate) fn failed_for_good(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Measured(_) | Outcome::Skipped { passing: true, .. })
}

/// Sentence for a directory or file that cannot be written.
pub(crate) fn cannot_write(path: &Path, source: std::io::Error) -> Error {
    let advice = "; give another place with --out".into();
    Error::File { doing: "write", path: path.to_owned(), source, advice }
}
