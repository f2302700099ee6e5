//! Runs a plan: rounds of windows, each written down as soon as it is finished.

mod admit;
mod guard;
mod journal;
mod pace;
mod progress;
mod session;
mod set_up;

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use lockbench_reports::record::{Header, Line, Outcome, Round};

use crate::cell::{self, Bench, Interrupted, WindowSpec};
use crate::plan::{self, Fitted, PlannedCell, Step, Timing};
use crate::{Error, Registry, interrupt};

pub(crate) use guard::{something_planned, unmeasured};
pub(crate) use journal::Journal;
use pace::Pace;
pub(crate) use progress::Progress;
pub(crate) use session::{HUGE_PAGES, SLICE_EXTENSION, Session};
pub(crate) use set_up::Asked;

/// A run that is set up: everything that its windows need is known.
pub(crate) struct Run {
    /// The machine.
    pub(crate) session: Session,
    /// Every lock by name.
    pub(crate) registry: Registry,
    /// The cells that fit.
    pub(crate) plan: Fitted,
    /// The figures that windows are made with.
    pub(crate) timing: Timing,
    /// What the record begins with, the number of rounds and the seed among it.
    pub(crate) header: Header,
    /// When the program started: set-up counts as wall time too.
    pub(crate) began: Instant,
    /// Wall time asked for.
    time: Option<Duration>,
}

impl Run {
    /// Measures everything. Ctrl-C ends a run early; so does, between two rounds, the end of its time. What was measured until
    /// then is recorded.
    pub(crate) fn measure(&self, record: &mut dyn FnMut(&Line) -> Result<(), Error>) -> Result<(), Error> {
        let Header { seed, rounds, .. } = self.header;
        let progress = Progress::new(self.windows(), self.plan.estimate);
        // Cells that crashed, hung, broke exclusion or cannot be measured here: they are not tried again.
        let mut given_up: HashSet<usize> = HashSet::new();
        let mut measuring_ns = 0;
        let mut stopped = None;
        let pace = self.time.map(|time| Pace { time, planned: self.plan.round(rounds) });
        'rounds: for number in 0..rounds {
            let round_began = Instant::now();
            for step in plan::round(&self.plan.cells, &self.plan.twins, seed, number) {
                if interrupt::requested() {
                    break 'rounds;
                }
                if given_up.contains(&step.cell) {
                    progress.step();
                    continue;
                }
                let cell = &self.plan.cells[step.cell];
                progress.show(&cell.axes.id, number);
                let Ok(taken) = self.window(cell, step, number) else { break 'rounds };
                measuring_ns += taken.measuring_ns;
                if failed_for_good(&taken.outcome) {
                    given_up.insert(step.cell);
                }
                record(&Line::Round(Round {
                    cell: cell.axes.id.clone(),
                    round: number,
                    purpose: step.purpose,
                    outcome: taken.outcome,
                }))?;
                progress.step();
            }
            let done = number + 1;
            if let Some(pace) = pace.filter(|_| done < rounds) {
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

    fn window(&self, cell: &PlannedCell, step: Step, number: u32) -> Result<cell::Taken, Interrupted> {
        let (spec, session) = (self.spec(cell, step, number), &self.session);
        cell::measure(
            &spec,
            &Bench { placer: &session.placer, registry: &self.registry, quotas: &session.quotas },
        )
    }

    /// The complete description of one window of a cell.
    pub(crate) fn spec(&self, cell: &PlannedCell, step: Step, number: u32) -> WindowSpec {
        let count_preemptions = self.session.counts_preemptions(cell.axes.values.env);
        let draws = plan::draws(self.header.seed, number);
        cell.window(&self.timing, number, step.purpose, draws, count_preemptions)
    }
}

/// Whether a cell with this outcome is not tried again: true unless it was measured, or skipped for a cause that may pass.
pub(crate) fn failed_for_good(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Measured(_) | Outcome::Skipped { passing: true, .. })
}

/// Sentence for a directory or file that cannot be written.
pub(crate) fn cannot_write(path: &Path, source: std::io::Error) -> Error {
    let advice = "; give another place with --out".into();
    Error::File { doing: "write", path: path.to_owned(), source, advice }
}
