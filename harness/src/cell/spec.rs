//! The complete description of a window: its process has nothing left to discover.

use lockbench_reports::record::{Layout, Pair, Purpose, Start, Vm};
use lockbench_workloads::ProbeKind;
use lockbench_workloads::arena::Detail;
use lockbench_workloads::locks::EarlyWait;
use serde::{Deserialize, Serialize};

use super::RecordedLog;
use crate::Error;
use crate::axes::{Axes, Axis, MOST_VCPUS, Pinning, Probe};
use crate::shared_object::Origin;

/// One window of one cell with everything resolved. Builds of different versions exchange it (`run --spec`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSpec {
    /// The cell.
    pub axes: Axes,
    /// Number of the round.
    pub round: u32,
    /// Why the window is taken.
    pub purpose: Purpose,
    /// How the vCPUs stand when the warm-up begins.
    pub start: Start,
    /// Warm-up, in nanoseconds.
    pub warmup_ns: u64,
    /// Window, in nanoseconds.
    pub window_ns: u64,
    /// Number of samples in the window.
    pub samples: u32,
    /// A lock that nobody gets for this long hangs, in nanoseconds.
    pub hang_ns: u64,
    /// Length of one step of busy work, in nanoseconds: converts section and think times into steps.
    pub work_ns: f64,
    /// Ticks of the time-stamp counter per nanosecond.
    pub ticks_per_ns: f64,
    /// pCPUs that the vCPUs are started on, as many as the cell's own, to which they move when the window opens; left out: they are
    /// started where they stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved_from: Vec<u32>,
    /// NUMA nodes that the memory which all vCPUs share is bound to, interleaved page by page where there are several; empty:
    /// wherever the kernel puts it.
    pub memory_nodes: Vec<u32>,
    /// NUMA nodes that the shared lines which sections write are bound to, apart from the lock; left out: as `memory_nodes`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_nodes: Vec<u32>,
    /// NUMA node of each vCPU's pCPU.
    pub vcpu_nodes: Vec<u32>,
    /// NUMA node that each vCPU's own block is bound to; left out: the blocks are bound like the shared memory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vcpu_memory_nodes: Vec<u32>,
    /// Sentences about where this cell's memory lies, for its record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Pairs of pCPUs to play ping-pong; left out: the first two pCPUs alone, which lie on one NUMA node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ping_pongs: Vec<Pair>,
    /// Seed of the vCPUs' random draws, mixed with each vCPU's number; 0: that number alone, as in release 0.1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub draws: u64,
    /// What the other virtual machines of the case run, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub neighbours: Vec<WindowSpec>,
    /// The log that is replayed, where the scheduler names a recorded one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) recorded: Option<RecordedLog>,
    /// The shared object that the lock comes from; left out: it is compiled into the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Origin>,
    /// Whether preemptions can be counted here; if not, workers do not look for them.
    pub count_preemptions: bool,
    /// Fields that release 0.1 reads besides the axes. The axes have the same values.
    pub(crate) spin_threshold: u32,
    /// See `spin_threshold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) slice_ns: Option<u64>,
    /// See `spin_threshold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) early_wait: Option<String>,
    /// Axes that are not at their default and that release 0.1 would ignore. Release 0.1 refuses a spec with this field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) needs: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(draws: &u64) -> bool {
    *draws == 0
}

/// Whether the only pair is the first two pCPUs, on one NUMA node: then specs and records leave the pairs out.
pub(crate) fn is_usual(pairs: &[Pair]) -> bool {
    pairs.len() < 2 && pairs.iter().all(Pair::in_one_node)
}

impl WindowSpec {
    /// A window of a cell without its purpose, round and times, which the caller fills in.
    pub(crate) fn of(axes: Axes) -> Self {
        Self {
            spin_threshold: axes.values.spin_threshold.0,
            slice_ns: axes.values.slice.ns(),
            early_wait: axes.values.params().remove(EarlyWait::FLAGS[0].name),
            needs: axes.since_0_1(),
            axes,
            round: 0,
            purpose: Purpose::Rate,
            start: Start::Free,
            warmup_ns: 0,
            window_ns: 0,
            samples: 0,
            hang_ns: 0,
            work_ns: 0.0,
            ticks_per_ns: 0.0,
            moved_from: Vec::new(),
            memory_nodes: Vec::new(),
            data_nodes: Vec::new(),
            vcpu_nodes: Vec::new(),
            vcpu_memory_nodes: Vec::new(),
            notes: Vec::new(),
            ping_pongs: Vec::new(),
            draws: 0,
            neighbours: Vec::new(),
            recorded: None,
            object: None,
            count_preemptions: false,
        }
    }

    /// Checks what types cannot express, because a spec may come from a file.
    pub fn check(&self) -> Result<(), Error> {
        let positive = |ns: f64| ns.is_finite() && ns > 0.0;
        if self.axes.vcpus == 0 || self.axes.vcpus > MOST_VCPUS {
            return Err(Error::usage(format!("{} vCPUs cannot be had", self.axes.vcpus)));
        }
        if self.axes.pcpus.is_empty() {
            return Err(Error::usage("it names no pCPUs"));
        }
        if !positive(self.work_ns) || !positive(self.ticks_per_ns) {
            return Err(Error::usage("work_ns and ticks_per_ns must be above 0"));
        }
        if self.window_ns == 0 || self.samples == 0 {
            return Err(Error::usage("the window and its samples must be above 0"));
        }
        let told = Self::of(self.axes.clone());
        if (self.spin_threshold, self.slice_ns, &self.early_wait, &self.needs)
            != (told.spin_threshold, told.slice_ns, &told.early_wait, &told.needs)
        {
            return Err(Error::usage(
                "its spin_threshold, slice_ns, early_wait or needs is not what its axes say",
            ));
        }
        if self.detail() > Detail::Counts {
            self.axes.values.workload.check_times()?;
        }
        let values = &self.axes.values;
        if let Some(wrong) = values.workload.refusal(self.axes.vcpus, values.slice_extension) {
            return Err(Error::usage(wrong));
        }
        self.check_recorded()?;
        let machines = self.axes.case.as_ref().map_or(1, |case| case.vms.len());
        if self.neighbours.len() + 1 != machines {
            return Err(Error::usage(format!(
                "it has {} neighbours, and its case has {machines} virtual machines",
                self.neighbours.len()
            )));
        }
        let sizes = std::iter::once(self.axes.vcpus).chain(self.neighbours.iter().map(|vm| vm.axes.vcpus));
        let said = self.axes.case.iter().flat_map(|case| case.vms.iter().map(Vm::lock_users));
        if self.axes.case.is_some() && !sizes.eq(said) {
            return Err(Error::usage("its machines have other numbers of vCPUs than its case says"));
        }
        for neighbour in &self.neighbours {
            if neighbour.axes.case.is_some() {
                return Err(Error::usage("a neighbour has neighbours of its own"));
            }
            neighbour.check().map_err(|e| e.inside("a neighbour"))?;
        }
        if !self.moved_from.is_empty() && self.moved_from.len() != self.axes.pcpus.len() {
            return Err(Error::usage(format!(
                "it moves from {} pCPUs to {}",
                self.moved_from.len(),
                self.axes.pcpus.len()
            )));
        }
        if !self.data_nodes.is_empty() && self.axes.values.workload.lines == 0 {
            return Err(Error::usage("its sections write no lines that could lie on a node of their own"));
        }
        if let Some(case) = &self.axes.case {
            Layout::all(case).map_err(|e| Error::usage(e.to_string()))?;
            let scheduler = self.axes.values.scheduler;
            let wrong = scheduler.refusal_of(case).or_else(|| case.no_such_pcpu(self.axes.pcpus.len()));
            if let Some(wrong) = wrong {
                return Err(Error::usage(wrong));
            }
            if case.floats() && self.pinned() {
                return Err(Error::usage(
                    "its case has pools, affinities or threads on vCPUs, and its vCPUs are pinned",
                ));
            }
        }
        let blocks = self.vcpu_memory_nodes.len();
        if blocks != 0 && blocks != self.axes.vcpus as usize {
            return Err(Error::usage(format!(
                "vcpu_memory_nodes has {blocks} entries for {} vCPUs",
                self.axes.vcpus
            )));
        }
        let playable = |pair: &&Pair| {
            let [here, there] = pair.pcpus;
            here != there && self.axes.pcpus.contains(&here) && self.axes.pcpus.contains(&there)
        };
        if let Some(pair) = self.ping_pongs.iter().find(|pair| !playable(pair)) {
            return Err(Error::usage(format!(
                "{pair} are no two of its pCPUs, so they cannot play ping-pong"
            )));
        }
        Ok(())
    }

    /// The shared objects that the locks of all its machines come from.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &Origin> {
        let neighbours = self.neighbours.iter().filter_map(|vm| vm.object.as_ref());
        self.object.iter().chain(neighbours)
    }

    /// Checks the log that is replayed, if the scheduler names one.
    fn check_recorded(&self) -> Result<(), Error> {
        let (named, log) = (self.axes.values.scheduler.recorded(), &self.recorded);
        let log = match (named, log) {
            (None, None) => return Ok(()),
            (Some(hash), Some(log)) if log.timetable.is_sound() && log.hash() == hash => log,
            _ => return Err(Error::usage("its log is not the one that its scheduler names")),
        };
        let why = log.refusal(&self.axes, self.pinned()).or_else(|| log.too_short_for(self.window_ns));
        why.map_or(Ok(()), |why| Err(Error::usage(why)))
    }

    /// The pairs that play ping-pong; none where one pCPU is used.
    pub fn pairs(&self) -> Vec<Pair> {
        match self.axes.pcpus[..] {
            _ if self.axes.vcpus < 2 => Vec::new(),
            [first, second, ..] if self.ping_pongs.is_empty() => {
                let node = |vcpu: usize| self.vcpu_nodes.get(vcpu).copied().unwrap_or(0);
                vec![Pair { pcpus: [first, second], nodes: [node(0), node(1)] }]
            }
            _ => self.ping_pongs.clone(),
        }
    }

    /// The probe that the window's purpose needs, unless the cell measures what counting costs.
    pub fn probe(&self) -> ProbeKind {
        match (self.purpose, self.axes.values.probe) {
            (Purpose::Rate | Purpose::Twin, Probe::Off) => ProbeKind::Off,
            (Purpose::Rate, Probe::Count) => ProbeKind::Count,
            (Purpose::Twin, Probe::Count) => ProbeKind::CountCopy,
            (Purpose::Latency | Purpose::Trace, _) => ProbeKind::Trace,
        }
    }

    /// The kind of probe in the workers.
    pub fn detail(&self) -> Detail {
        match self.purpose {
            Purpose::Rate | Purpose::Twin => Detail::Counts,
            Purpose::Latency => Detail::Times,
            Purpose::Trace => Detail::Events,
        }
    }

    /// Time between two looks at the probe, in nanoseconds, beyond which there is a gap: longer than an exit or an interrupt of
    /// this kernel, and longer than the vCPU's work between two looks.
    pub fn gap_ns(&self) -> f64 {
        const AWAY_NS: f64 = 50_000.0;
        let workload = &self.axes.values.workload;
        // The longest think time of the table is below eight means. In an open loop a vCPU looks at the probe while it waits.
        let think_ns =
            if workload.think.open || workload.think.sleeps { 0.0 } else { 8.0 * workload.think_ns };
        // A cache line that other vCPUs write may take a microsecond to arrive.
        let lines_ns = 1_000.0 * f64::from(workload.lines);
        let fault_ns = if workload.section.touches { AWAY_NS } else { 0.0 };
        AWAY_NS + 2.0 * workload.longest_section_ns() + lines_ns + fault_ns + think_ns
    }

    /// The NUMA nodes that vCPUs run on, ascending: they may have any numbers.
    pub fn nodes(&self) -> Vec<u32> {
        let mut nodes = self.vcpu_nodes.clone();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// The NUMA nodes that vCPU `cpu`'s own block is bound to.
    pub fn block_nodes(&self, cpu: usize) -> &[u32] {
        self.vcpu_memory_nodes.get(cpu).map_or(&self.memory_nodes, std::slice::from_ref)
    }

    /// Whether each vCPU stays on one pCPU.
    pub fn pinned(&self) -> bool {
        self.axes.values.pinning == Pinning::Pinned
    }

    /// The pCPUs that the vCPUs are started on.
    pub fn started_on(&self) -> &[u32] {
        if self.moved_from.is_empty() { &self.axes.pcpus } else { &self.moved_from }
    }

    /// The pCPU that vCPU `cpu` is pinned to.
    pub fn pcpu_of(&self, cpu: usize) -> u32 {
        self.axes.pcpus[cpu % self.axes.pcpus.len()]
    }
}
