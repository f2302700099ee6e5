//! Fits a plan into its time by dropping cells from its end; windows are never shrunk.

use std::time::Duration;

use lockbench_reports::record::{Dropped, Purpose};

use super::{PlannedCell, Timing};
use crate::axes::Env;
use crate::measure::ping_pong;

/// Time for starting, placing and killing a cell's process, besides its warm-up and window.
const OVERHEAD_NS: u64 = 12_000_000;
/// Time for the ping-pongs of one wave before and after a window, starting their threads included.
const PING_PONGS_NS: u64 = 7_000_000;
/// Time for calibration at the start and the report at the end.
const FIXED: Duration = Duration::from_millis(1500);
/// Most rounds that a time is filled with.
const MOST_ROUNDS: u32 = 10_000;
/// Fraction of the time that is kept for windows that must be repeated because the pCPUs moved.
const RESERVE: f64 = 0.08;

/// A plan that fits.
pub(crate) struct Fitted {
    pub(crate) cells: Vec<PlannedCell>,
    /// Indices of the cells that are run twice in every round: the A/A pairs.
    pub(crate) twins: Vec<usize>,
    /// The cells that did not fit.
    pub(crate) dropped: Vec<Dropped>,
    /// Estimate of the time that the plan takes.
    pub(crate) estimate: Duration,
}

impl Fitted {
    /// How long one of `rounds` should take.
    pub(crate) fn round(&self, rounds: u32) -> Duration {
        self.estimate.saturating_sub(FIXED) / rounds.max(1)
    }

    /// Takes as many rounds as fit into the time, in place of `rounds` and never fewer. Gives their number.
    pub(crate) fn fill(&mut self, rounds: u32, time: Duration) -> u32 {
        let (round, room) = (self.round(rounds), for_windows(time));
        let fit = room.as_nanos() / round.as_nanos().max(1);
        let filled = u32::try_from(fit).unwrap_or(u32::MAX).clamp(rounds, MOST_ROUNDS.max(rounds));
        self.estimate = FIXED + round * filled;
        filled
    }
}

/// What is left of a plan's time for windows.
fn for_windows(time: Duration) -> Duration {
    time.saturating_sub(FIXED).mul_f64(1.0 - RESERVE)
}

/// Why a cell is dropped that does not fit into the time.
pub(crate) fn does_not_fit(time: Option<Duration>) -> String {
    format!("does not fit into {} s; give more with --time", time.unwrap_or_default().as_secs())
}

/// Keeps as many cells as fit, in their order. Time for the A/A pairs is taken off first.
pub(crate) fn fit(
    cells: Vec<PlannedCell>,
    timing: &Timing,
    rounds: u32,
    time: Option<Duration>,
    noise: bool,
) -> Fitted {
    let twins = if noise { choose_twins(&cells) } else { Vec::new() };
    let window_ns = |cell: &PlannedCell| {
        let ping_pongs = ping_pong::waves(&cell.pairs).len() as u64 * PING_PONGS_NS;
        cell.warmup_ns(timing) + cell.window_ns(timing) + OVERHEAD_NS + ping_pongs
    };
    let budget = time.map_or(f64::INFINITY, |time| for_windows(time).as_nanos() as f64 / f64::from(rounds));
    let mut spent: f64 = twins.iter().map(|&twin| window_ns(&cells[twin]) as f64).sum();
    let mut fitted = Fitted { cells: Vec::new(), twins: Vec::new(), dropped: Vec::new(), estimate: FIXED };
    let mut full = false;
    for (index, cell) in cells.into_iter().enumerate() {
        let log = cell.recorded.as_ref();
        if let Some(reason) = log.and_then(|log| log.too_short_for(cell.window_ns(timing))) {
            fitted.dropped.push(Dropped { cell: cell.axes.id, reason });
            continue;
        }
        let cost = window_ns(&cell) as f64 * cell.purposes.len() as f64;
        // Once a cell is dropped, all that follow are too: they matter less.
        full |= spent + cost > budget;
        if full {
            fitted.dropped.push(Dropped { cell: cell.axes.id, reason: does_not_fit(time) });
            continue;
        }
        spent += cost;
        if twins.contains(&index) {
            fitted.twins.push(fitted.cells.len());
        }
        fitted.cells.push(cell);
    }
    fitted.estimate += Duration::from_nanos((spent * f64::from(rounds)) as u64);
    fitted
}

/// The cells of the A/A pairs: the first of each noise group (one vCPU, contended at 1x or below, above 1x), one in each
/// environment, and above 1x one of each core lock that halts, because its rate varies for other reasons than a spinning lock's.
fn choose_twins(cells: &[PlannedCell]) -> Vec<usize> {
    let noise_group = |cell: &PlannedCell| match (cell.axes.vcpus, cell.axes.overcommit) {
        (1, _) => 0,
        (_, k) if k <= 1.0 => 1,
        _ => 2,
    };
    let above_1x = |cell: &PlannedCell| noise_group(cell) == 2;
    let halts = |cell: &PlannedCell| cell.lock.halts_in(cell.axes.values.env);
    let first = |wanted: &dyn Fn(&PlannedCell) -> bool| {
        cells.iter().position(|cell| cell.purposes.contains(&Purpose::Rate) && wanted(cell))
    };
    let mut twins: Vec<usize> =
        (0..3).filter_map(|wanted| first(&|cell| noise_group(cell) == wanted)).collect();
    for env in Env::all() {
        let here = |cell: &PlannedCell| cell.axes.values.env == env;
        if !twins.iter().any(|&twin| here(&cells[twin])) {
            twins.extend(first(&|cell| here(cell) && above_1x(cell)).or_else(|| first(&here)));
        }
    }
    let mut halting: Vec<&str> = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        let fit = cell.lock.variant.core && halts(cell) && above_1x(cell);
        if fit && cell.purposes.contains(&Purpose::Rate) && !halting.contains(&cell.lock.name()) {
            halting.push(cell.lock.name());
            twins.push(index);
        }
    }
    twins.sort_unstable();
    twins.dedup();
    twins
}
