//! The timeslice that a cell's vCPUs had, by the kernel's counts or by the schedule of the emulated hypervisor.

use super::setting::alike;
use crate::record::params::SLICE;
use crate::record::{Cell, Interval, Layout, Outcome, Results, Schedule, Status};
use crate::statistics::{interval, median};

/// A cell tells the timeslice only if at least this fraction of its context switches was involuntary: vCPUs that sleep give their
/// pCPUs up themselves.
const FORCED: f64 = 0.9;

/// The timeslice of a cell's vCPUs, in nanoseconds, over its windows. Where they slept, the cells that differ in the lock only tell
/// it; where no cell tells it and none was asked for, the calibration at start does. What was asked of the emulated hypervisor
/// stands where no timeslice ended. None where pools have different ones: such a cell has no timeslice of its own.
pub fn timeslice(results: &Results, cell: &Cell) -> Option<Interval> {
    if cell.schedule.is_some() && asked_ns(cell).is_none() {
        return None;
    }
    let own = if sleeps(results, cell) { None } else { interval(&stretches(cell)) };
    let calibrated = || {
        let asked = asked_ns(cell);
        let ns = asked.unwrap_or(results.machine.calibration.slice_ns);
        let kernels = cell.axes.scheduler.usual_slice_ns().is_none() && !cell.axes.params.contains_key(SLICE);
        let known = (asked.is_some() || kernels) && ns > 0.0 && ns.is_finite();
        known.then_some(Interval { median: ns, low: ns, high: ns })
    };
    own.or_else(|| interval(&of_alike(results, cell))).or_else(calibrated)
}

/// The timeslices that cells tell which differ from this one in the lock at most.
pub(crate) fn of_alike(results: &Results, cell: &Cell) -> Vec<f64> {
    let told = |other: &&Cell| {
        other.status == Status::Ok && alike(&cell.axes, &other.axes) && !sleeps(results, other)
    };
    results.cells.iter().filter(told).filter_map(|other| median(&stretches(other))).collect()
}

/// Whether vCPUs gave their pCPUs up themselves, or nothing is known of that. A vCPU that yields to another one does so too, and
/// the kernel counts it as forced: the yields of our own code are known, those of a lock whose waiters may sleep are not.
fn sleeps(results: &Results, cell: &Cell) -> bool {
    if cell.axes.scheduler.usual_slice_ns().is_some() {
        // Its log tells timeslices and halts apart.
        return false;
    }
    if results.lock(&cell.axes.lock).is_some_and(|lock| lock.blocks) {
        return true;
    }
    let count = |name: &str| cell.counters.get(name).copied().unwrap_or(0) as f64;
    let yields = count("yield");
    let forced = (count("involuntary_switches") - yields).max(0.0);
    let own = count("voluntary_switches") + yields;
    forced < FORCED * (forced + own) || forced + own <= 0.0
}

/// The timeslice that was asked of the emulated hypervisor: the cell's, or that of its pools where all have the same. None where they
/// differ, or the kernel schedules.
fn asked_ns(cell: &Cell) -> Option<f64> {
    let slice_ns = cell.schedule.as_ref()?.slice_ns;
    let layouts = cell.axes.case.iter().flat_map(|case| Layout::all(case).unwrap_or_default());
    let layouts: Vec<Layout> = layouts.collect();
    let mut pools =
        layouts.iter().flat_map(Layout::pools).map(|pool| pool.slice_ns(&cell.axes.scheduler, slice_ns));
    let first = pools.next().unwrap_or(slice_ns);
    pools.all(|other| other == first).then_some(first as f64)
}

/// How long a vCPU runs at a stretch in each window: the time from getting a pCPU until losing it or giving it up, in nanoseconds.
fn stretches(cell: &Cell) -> Vec<f64> {
    let asked = asked_ns(cell);
    let stretches = cell.rounds.iter().filter_map(|round| match &round.outcome {
        Outcome::Measured(measured) if measured.disturbed.is_none() && !measured.throttled() => {
            let of = |schedule: &Schedule| Some(schedule.slice_ratio?[0] * asked?);
            let ns = measured.schedule.as_ref().map_or(measured.slice_ns, of);
            ns.filter(|ns| ns.is_finite() && *ns > 0.0)
        }
        _ => None,
    });
    stretches.collect()
}
