//! A window as it is to be taken, with nothing left to be discovered.

use lockbench_reports::record::{Pair, Purpose, Start};
use lockbench_workloads::ProbeKind;
use lockbench_workloads::arena::Detail;
use lockbench_workloads::locks::EarlyWait;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::axes::{Axes, Axis, MOST_VCPUS, Pinning, Probe};

/// One window of one cell, resolved: the seam between versions (`run --spec`).
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
    /// Parts into which the window is cut for its samples.
    pub samples: u32,
    /// No acquisition for this long is a hang, in nanoseconds.
    pub hang_ns: u64,
    /// Length of one step of busy work, in nanoseconds: converts section and think times into steps.
    pub work_ns: f64,
    /// Ticks of the time-stamp counter per nanosecond.
    pub ticks_per_ns: f64,
    /// NUMA nodes that what the vCPUs share is bound to, page by page in turns where there are several; empty: wherever
    /// the kernel puts it.
    pub memory_nodes: Vec<u32>,
    /// NUMA node of each vCPU's pCPU.
    pub vcpu_nodes: Vec<u32>,
    /// NUMA node that each vCPU's own block is bound to; left out: the blocks are bound like what they share.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vcpu_memory_nodes: Vec<u32>,
    /// Sentences about where this cell's memory lies, for its record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Pairs of pCPUs to play ping-pong; left out: the first two pCPUs alone, which lie on one NUMA node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ping_pongs: Vec<Pair>,
    /// What the vCPUs' random draws begin from, besides each vCPU's number; 0: from that alone, as in release 0.1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub draws: u64,
    /// Whether preemptions can be counted here; if not, they are not even looked for.
    pub count_preemptions: bool,
    /// What release 0.1 reads beside the axes: they hold the same.
    pub(crate) spin_threshold: u32,
    /// See `spin_threshold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) slice_ns: Option<u64>,
    /// See `spin_threshold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) early_wait: Option<String>,
    /// Axes that are not at their default and that release 0.1 would pass over: it refuses a spec with this field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) needs: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(draws: &u64) -> bool {
    *draws == 0
}

/// Whether the first two pCPUs, on one NUMA node, are all that there is to look at: neither specs nor records name them.
pub(crate) fn is_usual(pairs: &[Pair]) -> bool {
    pairs.len() < 2 && pairs.iter().all(Pair::in_one_node)
}

impl WindowSpec {
    /// A window of no length of a cell: what remains to be said is when it is taken and for how long.
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
            memory_nodes: Vec::new(),
            vcpu_nodes: Vec::new(),
            vcpu_memory_nodes: Vec::new(),
            notes: Vec::new(),
            ping_pongs: Vec::new(),
            draws: 0,
            count_preemptions: false,
        }
    }

    /// What a type cannot say; a spec may come from a file.
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

    /// The probe that its purpose needs, unless the cell is there to show what counting costs.
    pub fn probe(&self) -> ProbeKind {
        match (self.purpose, self.axes.values.probe) {
            (Purpose::Rate | Purpose::Twin, Probe::Off) => ProbeKind::Off,
            (Purpose::Rate | Purpose::Twin, Probe::Count) => ProbeKind::Count,
            (Purpose::Latency | Purpose::Trace, _) => ProbeKind::Trace,
        }
    }

    /// What its vCPUs write about themselves.
    pub fn detail(&self) -> Detail {
        match self.purpose {
            Purpose::Rate | Purpose::Twin => Detail::Counts,
            Purpose::Latency => Detail::Times,
            Purpose::Trace => Detail::Events,
        }
    }

    /// Time between two looks at the probe beyond which a vCPU was away: longer than an exit or an interrupt of this kernel,
    /// and than what it was asked to do between them.
    pub fn gap_ns(&self) -> f64 {
        const AWAY_NS: f64 = 50_000.0;
        let workload = &self.axes.values.workload;
        // The longest think time of the table is below eight means. In an open loop it looks while it waits.
        let think_ns = if workload.think.open { 0.0 } else { 8.0 * workload.think_ns };
        // A line that others write too may take a microsecond to come.
        let lines_ns = 1_000.0 * f64::from(workload.lines);
        AWAY_NS + 2.0 * workload.section_ns + lines_ns + think_ns
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

    /// The pCPU that vCPU `cpu` is pinned to.
    pub fn pcpu_of(&self, cpu: usize) -> u32 {
        self.axes.pcpus[cpu % self.axes.pcpus.len()]
    }
}
