//! A cell of the plan, and how long its windows take.

use std::sync::Arc;

use lockbench_reports::format::duration;
use lockbench_reports::record::{Layout, Pair, Purpose, Start, Vm};

use super::blocks::Blocks;
use crate::axes::{Axes, Axis, Lock};
use crate::bandwidth::PERIOD_NS;
use crate::cell::{RecordedLog, WindowSpec, is_usual};
use crate::topology::CpuList;

/// Shortest warm-up of any cell.
const SHORTEST_WARMUP_NS: f64 = 30e6;
/// A window under a CPU quota has at least so many of the quota's periods.
const PERIODS_IN_A_WINDOW: u64 = 20;
/// A warm-up under a CPU quota has at least so many of them: the first one begins with a whole quota whatever ran before.
const PERIODS_IN_A_WARMUP: u64 = 2;
/// Number of samples in a window.
const SAMPLES: u32 = 10;

/// Converts axes into times on this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// Window asked for, in nanoseconds.
    pub(crate) window_ns: u64,
    /// Timeslice of the host, in nanoseconds.
    pub(crate) slice_ns: f64,
    /// See [`WindowSpec::work_ns`].
    pub(crate) work_ns: f64,
    /// See [`WindowSpec::ticks_per_ns`].
    pub(crate) ticks_per_ns: f64,
}

/// A cell to be measured.
#[derive(Clone, Debug)]
pub(crate) struct PlannedCell {
    pub(crate) lock: Lock,
    pub(crate) axes: Axes,
    /// The other virtual machines of its case, in their order: what each runs.
    pub(crate) neighbours: Vec<PlannedCell>,
    /// The pCPUs that it moves away from when a window opens; empty where it stays.
    pub(crate) moved_from: Vec<u32>,
    pub(crate) memory_nodes: Vec<u32>,
    /// Nodes of the lines that sections write, where these lie apart from the lock.
    pub(crate) data_nodes: Vec<u32>,
    pub(crate) vcpu_nodes: Vec<u32>,
    pub(crate) blocks: Blocks,
    /// Pairs of its pCPUs that play ping-pong beside each window.
    pub(crate) pairs: Vec<Pair>,
    /// The log that it replays, where its scheduler names a recorded one.
    pub(crate) recorded: Option<Arc<RecordedLog>>,
    /// The shortest window that its group asks for; 0 if it asks for none.
    pub(crate) shortest_window_ns: u64,
    /// Windows to take of it in each round.
    pub(crate) purposes: Vec<Purpose>,
}

impl PlannedCell {
    /// Cells of one block are measured back to back: a lock with those that are compared with it.
    pub(crate) fn block(&self) -> String {
        let family = self.axes.baseline.as_ref().unwrap_or(&self.axes.lock);
        format!("{family}/{}", self.axes.values.workload.show())
    }

    /// Whether vCPUs wait for pCPUs somewhere.
    fn waits(&self) -> bool {
        let crowded = |layout: &Layout| (0..layout.pools().count()).any(|p| layout.users_per_pcpu(p) > 1.0);
        self.axes.overcommit > 1.0 || self.layouts().iter().any(crowded)
    }

    /// The pools at first and after each change; empty where there are none.
    fn layouts(&self) -> Vec<Layout> {
        // Pools that cannot be were refused when the plan was read.
        self.axes.case.iter().flat_map(|case| Layout::all(case).unwrap_or_default()).collect()
    }

    /// Time in which every vCPU has had its timeslice: the longest of all pools. Where guests schedule threads, each thread has had
    /// one of both schedulers'.
    fn cycle_ns(&self, timing: &Timing) -> f64 {
        let of_guests =
            self.axes.case.iter().flat_map(|case| &case.vms).filter_map(Vm::thread_slice_ns).max();
        let slice_ns = self.slice_ns(timing).max(of_guests.unwrap_or(0) as f64);
        let of_cell = self.axes.values.scheduler.record();
        let of_pool = |layout: &Layout, pool: usize| {
            layout.pool(pool).slice_ns(&of_cell, slice_ns as u64).max(of_guests.unwrap_or(0)) as f64
                * layout.users_per_pcpu(pool).max(1.0).ceil()
        };
        let of =
            |layout: &Layout| (0..layout.pools().count()).map(|pool| of_pool(layout, pool)).reduce(f64::max);
        let pools = self.layouts().iter().filter_map(of).reduce(f64::max);
        pools.unwrap_or_else(|| slice_ns * self.axes.overcommit.max(1.0).ceil())
    }

    /// The host's timeslice, or this cell's own where that is longer: a shorter one is rounded up to the host's ticks. The
    /// emulated hypervisor's slices are rounded to nothing.
    fn slice_ns(&self, timing: &Timing) -> f64 {
        let values = &self.axes.values;
        match values.scheduler.usual_slice_ns() {
            Some(usual_ns) => values.slice.ns().unwrap_or(usual_ns) as f64,
            None => timing.slice_ns.max(values.slice.ns().unwrap_or(0) as f64),
        }
    }

    /// How many timeslices of every vCPU a window has at least. A schedule that is a controlled variable is to be seen often
    /// enough that one turn more or less does not matter.
    fn turns(&self) -> f64 {
        if self.axes.values.scheduler.is_hypervisor() { 10.0 } else { 2.0 }
    }

    /// Length of the warm-up. An overcommitted FIFO lock runs fast until its convoy has formed, which takes a few timeslices of
    /// every vCPU.
    pub(crate) fn warmup_ns(&self, timing: &Timing) -> u64 {
        let cycles = if self.waits() { 3.0 * self.cycle_ns(timing) * self.slower() } else { 0.0 };
        let periods = self.axes.values.scheduler.quota().map_or(0, |_| PERIODS_IN_A_WARMUP * PERIOD_NS);
        (cycles.max(SHORTEST_WARMUP_NS) as u64).max(periods)
    }

    /// How many times longer everything takes because a CPU quota gives the vCPUs a part only of what their pCPUs have.
    fn slower(&self) -> f64 {
        let pcpus = self.axes.pcpus.len() as f64;
        self.axes.values.scheduler.quota().map_or(1.0, |limit| (pcpus / limit.cpus()).max(1.0))
    }

    /// The window asked for, or a few timeslices of every vCPU where that is longer; under a CPU quota whole periods of it.
    pub(crate) fn window_ns(&self, timing: &Timing) -> u64 {
        let cycles = if self.waits() { self.turns() * self.cycle_ns(timing) } else { 0.0 };
        let window_ns = timing.window_ns.max(self.shortest_window_ns).max(cycles as u64);
        match self.axes.values.scheduler.quota() {
            Some(_) => window_ns.div_ceil(PERIOD_NS).max(PERIODS_IN_A_WINDOW) * PERIOD_NS,
            None => window_ns,
        }
    }

    /// A lock that nobody gets for this long hangs.
    fn hang_ns(&self, timing: &Timing) -> u64 {
        let slices_ns = 8.0 * self.slice_ns(timing).max(self.cycle_ns(timing)) * f64::from(self.axes.vcpus);
        (slices_ns * self.slower()).max(2e9) as u64
    }

    /// What readers of its windows must know.
    fn notes(&self) -> Vec<String> {
        let scheduler = self.axes.values.scheduler;
        let of_scheduler = scheduler.note(self.axes.vcpus as usize, self.axes.pcpus.len());
        let moved = (!self.moved_from.is_empty()).then(|| {
            let cpus = |pcpus: &[u32]| pcpus.iter().copied().collect::<CpuList>();
            format!(
                "its vCPUs moved from CPU {} to CPU {} when the window opened, and its memory stayed",
                cpus(&self.moved_from),
                cpus(&self.axes.pcpus)
            )
        });
        let others = self.axes.case.as_ref().filter(|case| scheduler.quota().is_some() && case.vms.len() > 1);
        let of_quota = others.map(|case| {
            format!("the quota holds for {} alone; the other machines run without one", case.vms[0].name)
        });
        let of_guests = self.axes.case.iter().flat_map(|case| &case.vms).filter_map(|vm| {
            Some(format!(
                "{}: its guest's own scheduler runs {} threads on {} vCPUs, in timeslices of {}",
                vm.name,
                vm.lock_users(),
                vm.vcpus,
                duration(vm.thread_slice_ns()? as f64)
            ))
        });
        self.blocks
            .notes
            .iter()
            .cloned()
            .chain(of_scheduler)
            .chain(moved)
            .chain(of_quota)
            .chain(of_guests)
            .chain(self.axes.values.slice_extension.note())
            .collect()
    }

    /// What a virtual machine beside the measured one does in a window.
    fn beside(&self, timing: &Timing, round: u32, draws: u64) -> WindowSpec {
        WindowSpec { start: Start::Free, ..self.window(timing, round, Purpose::Rate, draws, false) }
    }

    /// One window with everything resolved. Overcommitted cells start with a free lock in one round and with all vCPUs queued in
    /// the next: in a steady state both give the same rate.
    pub(crate) fn window(
        &self,
        timing: &Timing,
        round: u32,
        purpose: Purpose,
        draws: u64,
        count_preemptions: bool,
    ) -> WindowSpec {
        let queued = self.axes.overcommit > 1.0 && round % 2 == 1;
        WindowSpec {
            round,
            purpose,
            draws,
            start: if queued { Start::Queued } else { Start::Free },
            warmup_ns: self.warmup_ns(timing),
            window_ns: self.window_ns(timing),
            samples: SAMPLES,
            hang_ns: self.hang_ns(timing),
            work_ns: timing.work_ns,
            ticks_per_ns: timing.ticks_per_ns,
            moved_from: self.moved_from.clone(),
            memory_nodes: self.memory_nodes.clone(),
            data_nodes: self.data_nodes.clone(),
            vcpu_nodes: self.vcpu_nodes.clone(),
            vcpu_memory_nodes: self.blocks.nodes.clone(),
            notes: self.notes(),
            neighbours: self.neighbours.iter().map(|vm| vm.beside(timing, round, draws)).collect(),
            recorded: self.recorded.as_deref().cloned(),
            ping_pongs: if is_usual(&self.pairs) { Vec::new() } else { self.pairs.clone() },
            object: self.lock.origin.cloned(),
            count_preemptions,
            ..WindowSpec::of(self.axes.clone())
        }
    }
}
