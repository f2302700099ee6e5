//! The share of the pCPUs' time that each virtual machine of a case should have.

use std::collections::BTreeSet;

use crate::record::{Case, CellAxes, Layout, Scheduler, Vm};

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

/// Shares `total` out by weights, where each claim is a weight and the most that it can take; what one cannot take goes to the
/// others.
fn shared_out(total: f64, claims: &[(f64, f64)]) -> Vec<f64> {
    let mut given = vec![0.0; claims.len()];
    let mut open: Vec<usize> = (0..claims.len()).collect();
    let mut left = total;
    while !open.is_empty() {
        let weights: f64 = open.iter().map(|&claim| claims[claim].0).sum();
        let is_full = |&claim: &usize| claims[claim].1 * weights <= left * claims[claim].0;
        let full: Vec<usize> = open.iter().copied().filter(is_full).collect();
        if full.is_empty() {
            for claim in open {
                given[claim] = left * claims[claim].0 / weights;
            }
            break;
        }
        for &claim in &full {
            given[claim] = claims[claim].1;
            left -= given[claim];
        }
        open.retain(|claim| !full.contains(claim));
    }
    given
}

#[cfg(test)]
mod tests {
    use super::shared_out;

    #[test]
    fn what_a_machine_cannot_use_goes_to_the_others() {
        assert_eq!(shared_out(1.0, &[(1.0, 1.0), (3.0, 1.0)]), [0.25, 0.75]);
        // Three vCPUs of one machine each on two pCPUs, of which the heaviest can use one.
        assert_eq!(shared_out(2.0, &[(8.0, 1.0), (1.0, 1.0), (1.0, 1.0)]), [1.0, 0.5, 0.5]);
        assert_eq!(shared_out(2.0, &[(1.0, 1.0)]), [1.0]);
    }
}
