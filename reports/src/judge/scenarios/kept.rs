//! What each virtual machine of a case keeps of the rate that it has by itself.

use super::{Entry, VmKept};
use crate::derive::digest::Metric;
use crate::derive::{Selection, noise_group};
use crate::format::counted;
use crate::judge::any_distance::set_by_scheduler;
use crate::record::{Case, Cell, Interval, Measured, Purpose, Status, Vm};
use crate::statistics::{MIN_ROUNDS, Trips, Window, median, ratios, ratios_across};

/// A cell beside that of the scenario's first case; none where its record has no machines.
pub(super) fn entry<'a>(cell: &'a Cell, reference: Option<&Cell>, cells: &[&Cell]) -> Option<Entry<'a>> {
    let case = cell.axes.case.as_ref()?;
    let of = |(index, vm): (usize, &'a Vm)| {
        let kept = match index {
            0 => reference
                .ok_or_else(|| "it was not run in the first case".to_owned())
                .and_then(|reference| kept(cell, 0, reference)),
            _ => alone(case, index, cell, cells)
                .ok_or_else(|| format!("{} was not run alone", vm.name))
                .and_then(|alone| kept(cell, index, alone)),
        };
        VmKept { vm, kept, share: share(cell, index) }
    };
    let vms: Vec<VmKept<'a>> = case.vms.iter().enumerate().map(of).collect();
    (!vms.is_empty()).then_some(Entry { cell, vms })
}

/// The cell in which a machine like this one runs alone under the same scheduler.
fn alone<'a>(case: &Case, index: usize, cell: &Cell, cells: &[&'a Cell]) -> Option<&'a Cell> {
    let (vm, axes) = (&case.vms[index], &cell.axes);
    let lock = vm.lock.as_ref().unwrap_or(&axes.lock);
    let workload = vm.workload.as_ref().unwrap_or(&axes.workload);
    let users = |vm: &Vm| (vm.vcpus, vm.threads_per_vcpu, vm.guest_slice_ns);
    let like_it = |case: &Case| matches!(&case.vms[..], [one] if users(one) == users(vm));
    cells.iter().copied().find(|other| {
        let other = &other.axes;
        other.case.as_ref().is_some_and(like_it)
            && other.lock == *lock
            && other.workload == *workload
            && other.env == axes.env
            && other.pcpus == axes.pcpus
            && other.scheduler == axes.scheduler
    })
}

/// The rate of a machine of a cell over that of a cell's first machine.
fn kept(cell: &Cell, vm: usize, reference: &Cell) -> Result<Interval, String> {
    if cell.status != Status::Ok || reference.status != Status::Ok {
        let (bad, place) = if cell.status == Status::Ok { (reference, "by itself: ") } else { (cell, "") };
        // The same words for every lock, so that readers get one reason.
        let why = bad.reason.clone().unwrap_or_else(|| format!("it is {}", bad.status.word()));
        return Err(format!("{place}{why}"));
    }
    let (these, those) = (windows(cell, vm), windows(reference, 0));
    // Where the cases differ in their pCPUs, the distance of these is part of what is compared.
    let apart = cell.axes.pcpus != reference.axes.pcpus;
    let paired = if apart { ratios_across(&these, &those) } else { ratios(&these, &those) };
    match paired.of_enough_rounds() {
        (Some(kept), rounds) if rounds >= MIN_ROUNDS => Ok(kept),
        (Some(_), rounds) => {
            Err(format!("{} usable of both; {MIN_ROUNDS} are needed", counted(rounds, "round")))
        }
        (None, _) => Err(paired.missing.unwrap_or_default()),
    }
}

/// The windows that a machine's rate may rest on: of a machine whose rate the scheduler sets all that nothing reached into, whatever the
/// distance of its pCPUs was.
fn windows(cell: &Cell, vm: usize) -> Vec<Window> {
    let of = |selection| of_machine(&selection, vm);
    let (mut all, near) = (
        of(Selection::at_any_distance(&cell.rounds, Purpose::Rate)),
        of(Selection::comparable(&cell.rounds, Purpose::Rate)),
    );
    let rates: Vec<f64> = all.iter().map(Window::rate).collect();
    let trips = all.iter().map(|window| &window.trips);
    if !set_by_scheduler(Metric::Rate, noise_group(&cell.axes), &rates, trips) {
        return near;
    }
    all.iter_mut().for_each(|window| window.trips = Trips::default());
    all
}

/// The windows of a selection, with what a machine did in each.
fn of_machine(selection: &Selection<'_>, vm: usize) -> Vec<Window> {
    let of = |measured: &Measured| measured.vms.get(vm).map(|vm| vm.operations.iter().sum());
    let windows = selection.iter().filter_map(|selected| {
        let operations = if vm == 0 { selected.window.operations } else { of(selected.measured)? };
        Some(Window { operations, ..selected.window.clone() })
    });
    windows.collect()
}

/// The part of all pCPU time that a machine had.
fn share(cell: &Cell, vm: usize) -> Option<f64> {
    let pcpus = cell.axes.pcpus.len().max(1) as f64;
    let windows = cell.rounds.iter().filter_map(|round| round.measured());
    let each = windows.filter(|measured| measured.undisturbed()).filter_map(|measured| {
        let shares = &measured.vms.get(vm)?.on_cpu_share;
        (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / pcpus)
    });
    median(&each.collect::<Vec<f64>>())
}
