//! The share of the pCPUs' time that each virtual machine of a case should have.

use std::collections::BTreeSet;

use crate::record::{Case, CellAxes, Layout, Scheduler, Vm};
use crate::statistics::shared_out;

/// The part of all pCPU time that each machine should have in a window of that length, from 0 to 1, if all of them want to run all
/// the time: those that share pCPUs share them by their weights. None where that is not defined: where machines share some of
/// their pCPUs but not all, or are scheduled as gangs.
pub(super) fn ideal(axes: &CellAxes, window_ns: u64) -> Option<Vec<f64>> {
    let case = axes.case.as_ref()?;
    let layouts = Layout::all(case).ok()?;
    let pcpus = axes.pcpus.len();
    if layouts.is_empty() {
        return between(case, None, &axes.scheduler, pcpus);
    }
    let times = case.moves.iter().map(|one| one.at_ns.min(window_ns));
    let begins: Vec<u64> = std::iter::once(0).chain(times).collect();
    let ends = begins.iter().skip(1).copied().chain([window_ns]);
    let mut shares = vec![0.0; case.vms.len()];
    for ((layout, from), to) in layouts.iter().zip(&begins).zip(ends) {
        let part = to.saturating_sub(*from) as f64 / window_ns.max(1) as f64;
        let now = between(case, Some(layout), &axes.scheduler, pcpus)?;
        for (share, now) in shares.iter_mut().zip(now) {
            *share += part * now;
        }
    }
    Some(shares)
}

/// A group of machines that share pCPUs.
struct Sharers {
    pcpus: BTreeSet<u32>,
    vms: Vec<usize>,
}

/// The ideal shares while the pools stay as they are.
fn between(case: &Case, layout: Option<&Layout>, of_cell: &Scheduler, pcpus: usize) -> Option<Vec<f64>> {
    let all: BTreeSet<u32> = (0..pcpus as u32).collect();
    let mut groups: Vec<Sharers> = Vec::new();
    for (index, vm) in case.vms.iter().enumerate() {
        let pool = layout.map_or(&all, |layout| layout.pcpus(layout.pool_of_vm(index)));
        let bound = |pcpu: &&u32| vm.hard.is_empty() || vm.hard.contains(pcpu);
        let own: BTreeSet<u32> = pool.iter().filter(bound).copied().collect();
        match groups.iter_mut().find(|group| !group.pcpus.is_disjoint(&own)) {
            Some(group) if group.pcpus == own => group.vms.push(index),
            Some(_) => return None,
            None => groups.push(Sharers { pcpus: own, vms: vec![index] }),
        }
    }
    let mut shares = vec![0.0; case.vms.len()];
    for group in groups {
        let pool = layout.map(|layout| layout.pool(layout.pool_of_vm(group.vms[0])));
        let scheduler = pool.map_or(of_cell, |pool| pool.scheduler(of_cell));
        let claims = group.vms.iter().map(|&vm| claim(&case.vms[vm], scheduler));
        let claims: Vec<(f64, f64)> = claims.collect::<Option<_>>()?;
        for (vm, given) in group.vms.iter().zip(shared_out(group.pcpus.len() as f64, &claims)) {
            shares[*vm] = given / pcpus.max(1) as f64;
        }
    }
    Some(shares)
}

/// A machine's weight, and the most pCPUs that it can use.
fn claim(vm: &Vm, scheduler: &Scheduler) -> Option<(f64, f64)> {
    let most = vm.cap_pcpus.unwrap_or(f64::INFINITY).min(f64::from(vm.vcpus));
    match scheduler {
        Scheduler::Credit => Some((f64::from(vm.weight), most)),
        Scheduler::RoundRobin => Some((f64::from(vm.vcpus), most)),
        _ => None,
    }
}
