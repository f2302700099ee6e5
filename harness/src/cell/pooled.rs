//! The pools of a cell's pCPUs: their schedulers, their timeslices, and where vCPUs may run.

use lockbench_reports::record::{Layout, Moved, Pool, Scheduler, Vm};

use super::WindowSpec;
use crate::Refusal;
use crate::hypervisor::policy::{
    Affinity, Credit, CreditParams, Gang, Planned, Policy, Pooled, Pools, RoundRobin, VmShare,
};

/// The policy of a cell that has pools; none where all virtual machines share all pCPUs.
pub(super) fn policy(
    spec: &WindowSpec,
    slice_ns: u64,
    shares: &[VmShare],
) -> Result<Option<Box<dyn Policy>>, Refusal> {
    let Some(case) = &spec.axes.case else { return Ok(None) };
    let mut layouts = Layout::all(case).map_err(|e| Refusal::from(e.to_string()))?.into_iter();
    let Some(first) = layouts.next() else { return Ok(None) };
    let planned = case.moves.iter().zip(layouts);
    let planned = planned.map(|(change, layout)| Planned { at_ns: change.at_ns, layout }).collect();
    let pcpus = spec.axes.pcpus.len();
    let affinities = affinities(&case.vms, pcpus);
    let shares = shares.to_vec();
    let of_cell = spec.axes.values.scheduler.record();
    let vm_of = case.vms.iter().enumerate().flat_map(|(vm, of)| std::iter::repeat_n(vm, of.vcpus as usize));
    let vm_of: Vec<usize> = vm_of.collect();
    let vcpus = vm_of.len();
    let make = move |pool: &Pool| -> Box<dyn Pooled> {
        let slice_ns = pool.slice_ns(&of_cell, slice_ns);
        match pool.scheduler(&of_cell) {
            Scheduler::Gang => Box::new(Gang::pooled(slice_ns, &shares, vcpus, pcpus)),
            Scheduler::Credit => {
                let params = CreditParams::with_timeslice(slice_ns);
                Box::new(Credit::pooled(params, &shares, affinities.clone(), pcpus))
            }
            _ => Box::new(RoundRobin::pooled(slice_ns, vcpus, pcpus)),
        }
    };
    Ok(Some(Box::new(Pools::new(first, vm_of, pcpus, Box::new(make)).with_moves(planned))))
}

/// Where each vCPU of these virtual machines may run, and where it rather runs.
pub(super) fn affinities(vms: &[Vm], pcpus: usize) -> Vec<Affinity> {
    let numbers = |of: &[u32]| of.iter().map(|&pcpu| pcpu as usize).collect();
    let of = |vm: &Vm| {
        let all = if vm.hard.is_empty() { Affinity::all(pcpus) } else { Affinity::hard(numbers(&vm.hard)) };
        if vm.soft.is_empty() { all } else { Affinity { soft: numbers(&vm.soft), ..all } }
    };
    vms.iter().flat_map(|vm| std::iter::repeat_n(of(vm), vm.vcpus as usize)).collect()
}

/// The timeslice of each pCPU, which depends on the pool that it is in.
pub(super) struct Slices {
    of_cell: Scheduler,
    slice_ns: u64,
    /// The pools, and since when they were so, in nanoseconds since the window's opening.
    layouts: Vec<(i64, Layout)>,
    /// The shortest timeslice of a guest's own scheduler, with the machine's name; none where no guest has one.
    of_guests: Option<(u64, String)>,
}

/// What decides a timeslice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SliceOf<'a> {
    /// The cell's own.
    Cell,
    /// The pool of this name has one of its own.
    Pool(&'a str),
    /// The guest of the machine of this name gives it to threads.
    Guest(&'a str),
}

impl Slices {
    /// The timeslices of a cell whose changes were made at these times.
    pub(super) fn of(spec: &WindowSpec, slice_ns: u64, moved: &[Moved]) -> Self {
        // Pools that cannot be were refused when the policy was made.
        let layouts = spec.axes.case.iter().flat_map(|case| Layout::all(case).unwrap_or_default());
        let times = std::iter::once(i64::MIN).chain(moved.iter().map(|moved| moved.asked_ns.cast_signed()));
        let vms = spec.axes.case.iter().flat_map(|case| &case.vms);
        let of_guests = vms.filter_map(|vm| Some((vm.thread_slice_ns()?, vm.name.clone()))).min();
        let of_cell = spec.axes.values.scheduler.record();
        Self { of_cell, slice_ns, layouts: times.zip(layouts).collect(), of_guests }
    }

    fn of_pool(&self, pool: &Pool) -> u64 {
        pool.slice_ns(&self.of_cell, self.slice_ns)
    }

    /// The timeslice of a pCPU, by its number in the cell, at that time since the window's opening.
    pub(super) fn at(&self, pcpu: usize, since_ns: i64) -> u64 {
        let layout = self.layouts.iter().rfind(|(from_ns, _)| *from_ns <= since_ns);
        let of = |layout: &Layout| Some(self.of_pool(layout.pool(layout.pool_of_pcpu(pcpu as u32)?)));
        layout.and_then(|(_, layout)| of(layout)).unwrap_or(self.slice_ns)
    }

    /// The shortest timeslice of any pool or guest, and whose it is; that of the cell where there are none of these.
    pub(super) fn shortest(&self) -> (u64, SliceOf<'_>) {
        let shortest = self.shortest_of_pools();
        let of_guests = self.of_guests.as_ref().map(|(slice_ns, vm)| (*slice_ns, SliceOf::Guest(vm)));
        of_guests.filter(|(slice_ns, _)| *slice_ns < shortest.0).unwrap_or(shortest)
    }

    fn shortest_of_pools(&self) -> (u64, SliceOf<'_>) {
        let pools = self.layouts.iter().flat_map(|(_, layout)| layout.pools());
        let Some(pool) = pools.min_by_key(|pool| self.of_pool(pool)) else {
            return (self.slice_ns, SliceOf::Cell);
        };
        let of_another_cell = pool.slice_ns(&self.of_cell, self.slice_ns.wrapping_add(1));
        let slice_ns = self.of_pool(pool);
        (slice_ns, if slice_ns == of_another_cell { SliceOf::Pool(&pool.name) } else { SliceOf::Cell })
    }
}
