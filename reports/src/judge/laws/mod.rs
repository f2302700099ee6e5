//! Laws: closed forms that say why a lock has the rate that it has. They stand beside measurements and never in their place.

pub mod fifo_halt;
pub mod fifo_spin;
mod words;

pub use fifo_spin::turn_slices;
pub use words::{band, name, sentence, standing};

use crate::derive::setting::above;
use crate::derive::sweep::spins;
use crate::derive::timeslice::timeslice;
use crate::record::params::{SCHEDULER, SLICE, SPIN_THRESHOLD};
use crate::record::{
    Admission, Arrivals, Carried, Cell, Interval, LawCheck, LawName, Results, Scheduler, Status,
};

/// Up to this fraction of a timeslice, or of a spin threshold, a request or a switch counts as short.
const SHORT: f64 = 0.1;

/// How far a measured rate lies from its law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The whole interval of the ratio lies in the law's band.
    Inside,
    /// The whole interval lies outside.
    Outside,
    /// The interval spans an end of the band.
    Untold,
    /// The law is known not to hold for this cell.
    Fails,
}

/// Sets the measured rate of a cell against the law of its lock; none where no law speaks of it, or nothing was measured.
pub fn check(results: &Results, cell: &Cell) -> Option<LawCheck> {
    let (axes, measured) = (&cell.axes, cell.ops_per_second?);
    let lock = results.lock(&axes.lock)?;
    let fifo = lock.order == Some(Admission::Fifo) && !lock.blocks;
    let plain = axes.params.keys().all(|name| [SCHEDULER, SLICE, SPIN_THRESHOLD].contains(&name.as_str()));
    // Schedulers that give each vCPU of a pCPU its timeslice in turn, and nothing else.
    let in_turn = matches!(axes.scheduler, Scheduler::Host | Scheduler::RoundRobin);
    let spoken_of = fifo
        && plain
        && in_turn
        && axes.neighbours.is_empty()
        && axes.case.is_none()
        && cell.status == Status::Ok
        && above(axes.overcommit)
        && axes.env != "native"
        && axes.pinning == "pinned"
        && axes.workload.arrivals == Arrivals::Closed
        && axes.workload.locks == 1;
    if !spoken_of {
        return None;
    }
    let slice = timeslice(results, cell)?;
    let (law, predicted, fails) = match lock.paravirt {
        Carried::On => halting(results, cell, slice)?,
        Carried::Out | Carried::Off | Carried::Patched => spinning(cell, slice)?,
    };
    let ratio = Interval {
        median: measured.median / predicted.median,
        low: measured.low / predicted.high,
        high: measured.high / predicted.low,
    };
    let too_long = request_ns(cell) > SHORT * slice.median;
    let fails = fails.or_else(|| too_long.then(|| "a request is not short beside a timeslice".into()));
    let broken = cell.schedule.as_ref().is_some_and(|of| of.not_kept > of.windows / 2);
    let fails = fails.or_else(|| broken.then(|| "most windows did not keep the schedule".into()));
    Some(LawCheck { law, predicted, ratio, fails })
}

/// Length of a request, in nanoseconds.
fn request_ns(cell: &Cell) -> f64 {
    cell.axes.workload.section_ns + cell.axes.workload.think_ns
}

type Predicted = (LawName, Interval, Option<String>);

fn spinning(cell: &Cell, slice: Interval) -> Option<Predicted> {
    let (pcpus, k) = (cell.axes.pcpus.len() as u32, cell.axes.overcommit);
    let law = match cell.axes.scheduler {
        Scheduler::RoundRobin => fifo_spin::handovers_per_second_in_exact_slices,
        _ => fifo_spin::handovers_per_second,
    };
    let of = |slice_ns| law(pcpus, k, slice_ns);
    let predicted = Interval { median: of(slice.median)?, low: of(slice.high)?, high: of(slice.low)? };
    let uneven = (k - k.round()).abs() > 1e-9;
    let fails = uneven.then(|| "some vCPUs share a pCPU and others do not, so the rate has two modes".into());
    Some((LawName::FifoSpin, predicted, fails))
}

fn halting(results: &Results, cell: &Cell, slice: Interval) -> Option<Predicted> {
    let (vcpus, pcpus) = (cell.axes.vcpus, cell.axes.pcpus.len() as u32);
    let loops = spins(&cell.axes)?;
    let threshold_ns = loops as f64 * results.machine.calibration.spin_ns;
    let rate = fifo_halt::acquisitions_per_second(pcpus, threshold_ns)?;
    let fails = if vcpus <= pcpus + 1 {
        Some("a waiter can sleep alone while the others run")
    } else if loops < fifo_halt::FEWEST_SPINS {
        Some("under 2^10 loops wake-ups decide")
    } else if threshold_ns > slice.median {
        Some("waiters are preempted before they halt, for the threshold is longer than a timeslice")
    } else if request_ns(cell) > SHORT * threshold_ns {
        Some("a request is not short beside the spin threshold")
    } else if switch_ns(cell) > SHORT * threshold_ns {
        Some("the emulated hypervisor's switches are not short beside the spin threshold")
    } else {
        None
    };
    // The number of loops is exact, and the length of a loop is one figure of the calibration.
    let predicted = Interval { median: rate, low: rate, high: rate };
    Some((LawName::FifoHalt, predicted, fails.map(Into::into)))
}

/// How long a pCPU is nobody's between two vCPUs under the emulated hypervisor; the kernel's switches take a microsecond or two.
fn switch_ns(cell: &Cell) -> f64 {
    cell.schedule.as_ref().and_then(|schedule| schedule.switch_ns).map_or(0.0, |switch| switch[0])
}
