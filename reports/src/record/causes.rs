//! Causes of a rate: what traced windows add to a record. Times are in nanoseconds.

use serde::{Deserialize, Serialize};

use super::Histogram;

/// Causes, from windows of purpose `latency` or `trace`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Causes {
    /// What the lock's time went into.
    pub time: LockTime,
    /// Acquisitions by another vCPU than the last holder.
    pub handovers: u64,
    /// Lock-waiter preemptions: the lock was granted to a vCPU that was not running.
    pub granted_off: u64,
    /// Time from the release until that vCPU ran again, summed over lock-waiter preemptions.
    pub granted_off_ns: u64,
    /// How long the lock was held.
    pub hold: Histogram,
    /// Time from a release until the next holder begins its section, where that holder was already waiting.
    pub handover: Histogram,
    /// Time from a kick until the kicked vCPU ran again; empty where no vCPU halted.
    pub wake: Histogram,
    /// Acquisitions (not nanoseconds), by any vCPU, from one acquisition of a vCPU to its next: 1 is twice in a row ("time to
    /// reacquire" in Dice's Malthusian locks, EuroSys'17).
    pub reacquire_turns: Histogram,
    /// Absences that preemptions by this kernel do not explain; none in records of versions that did not look for them.
    pub gaps: Option<Gaps>,
    /// Mean number of spin iterations before a halt; none where no vCPU halted.
    pub spins_before_halt: Option<f64>,
    /// One entry per vCPU.
    pub vcpus: Vec<VcpuCauses>,
    /// The longest wait.
    pub longest_wait: Option<LongestWait>,
    /// The longest hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_hold: Option<Longest>,
    /// The longest handover.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_handover: Option<Longest>,
    /// Whether the lock's waiters may sleep in the kernel: then it is not known which of them were preempted, and `granted_off`
    /// is 0.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sleeps: bool,
    /// Why preemptions were not counted, if so: then waiter and holder preemption are not known, and `granted_off` and the parts
    /// of `time` mean nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_preemptions: Option<String>,
    /// Handovers between pCPUs, where vCPUs are pinned.
    pub matrix: Vec<Handovers>,
    /// Why there is no matrix of pCPUs, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_matrix: Option<String>,
    /// Handovers between NUMA nodes, however many pCPUs there are; empty in records of versions that did not tell nodes apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub node_matrix: Vec<Handovers>,
    /// Why there is no matrix of nodes, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_node_matrix: Option<String>,
    /// Events around the worst handover, in windows of purpose `trace`.
    pub trace: Option<Trace>,
}

/// The five parts of a lock's time; together they make the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct LockTime {
    /// Nobody wanted the lock.
    pub idle_ns: u64,
    /// It was free though somebody waited.
    pub free_ns: u64,
    /// It was granted to a vCPU that was not running.
    pub granted_off_ns: u64,
    /// It was held by a vCPU that was not running.
    pub held_off_ns: u64,
    /// It was held usefully.
    pub held_ns: u64,
}

/// Gaps: a vCPU looked twice at its probe, which had not changed, and yet more time had passed than its work takes. A hypervisor
/// beneath this kernel took the pCPU, or an interrupt or a page fault held it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Gaps {
    /// Only gaps longer than this are counted.
    pub above_ns: u64,
    /// Number of gaps while the vCPU held the lock.
    pub holding: u64,
    /// Number of gaps while it waited for the lock.
    pub waiting: u64,
    /// Number of gaps while it did neither.
    pub thinking: u64,
    /// Length of all gaps of all vCPUs together.
    pub total_ns: u64,
    /// Length of the longest gap.
    pub longest_ns: u64,
}

/// The causes that concern one vCPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct VcpuCauses {
    /// Median acquire time; none without samples.
    pub acquire_p50_ns: Option<u64>,
    /// 99th percentile of acquire times; none below 1,000 samples.
    pub acquire_p99_ns: Option<u64>,
    /// Longest wait.
    pub acquire_max_ns: u64,
    /// Whether that wait had not ended when the window did.
    pub acquire_max_at_least: bool,
    /// When that wait ended, since the window's opening.
    pub acquire_max_at_ns: u64,
    /// Median hold; none without samples.
    pub hold_p50_ns: Option<u64>,
    /// 99th percentile of holds; none below 1,000 samples.
    pub hold_p99_ns: Option<u64>,
    /// Longest hold.
    pub hold_max_ns: u64,
    /// When that hold ended, since the window's opening.
    pub hold_max_at_ns: u64,
    /// Median handover to this vCPU; none without samples.
    pub handover_p50_ns: Option<u64>,
    /// 99th percentile of handovers to it; none below 1,000 samples.
    pub handover_p99_ns: Option<u64>,
    /// Longest handover to it.
    pub handover_max_ns: u64,
    /// When that handover ended, since the window's opening.
    pub handover_max_at_ns: u64,
    /// How often it was preempted while it held the lock.
    pub preempted_holding: u64,
    /// How often it was preempted while it waited.
    pub preempted_waiting: u64,
    /// How often it was granted the lock while it was not running.
    pub granted_off: u64,
    /// Time from those releases until it ran again, summed.
    pub granted_off_ns: u64,
}

/// The longest hold or handover of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Longest {
    /// The vCPU that held the lock, or that it was handed to.
    pub vcpu: u32,
    /// How long it took.
    pub ns: u64,
    /// When it ended, since the window's opening.
    pub at_ns: u64,
}

/// The longest wait of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LongestWait {
    /// The vCPU that waited.
    pub vcpu: u32,
    /// How long it waited.
    pub wait_ns: u64,
    /// When the wait ended, since the window's opening.
    pub at_ns: u64,
    /// Whether the wait had not ended when the window did.
    #[serde(default)]
    pub at_least: bool,
}

/// Handovers from one place to another (or to itself): between pCPUs in a `matrix`, between NUMA nodes in a `node_matrix`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Handovers {
    /// pCPU or node of the releaser, by operating-system index.
    pub from: u32,
    /// pCPU or node of the next holder, by operating-system index.
    pub to: u32,
    /// Number of handovers.
    pub count: u64,
    /// Median handover time, to within half an octave.
    pub median_ns: u64,
}

/// Events of all vCPUs around a handover, in order of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Trace {
    /// Length of that handover, the worst of its window.
    pub worst_handover_ns: u64,
    /// When the trace began, in nanoseconds since the window's opening; none in records of versions that did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_ns: Option<i64>,
    /// The beginning and end of the time whose events were left out, where there were too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub omitted: Option<[u64; 2]>,
    /// The events.
    pub events: Vec<TraceEvent>,
}

/// One event of one vCPU.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TraceEvent {
    /// When it happened, since the trace began.
    pub at_ns: u64,
    /// The vCPU.
    pub vcpu: u32,
    /// What happened.
    pub kind: TraceKind,
    /// For `resumed`: when the vCPU was last known to run, on the same clock as `at_ns`. For `kick`: the vCPU that was kicked.
    /// Otherwise 0.
    #[serde(default)]
    pub arg: u64,
}

/// What happened to a vCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TraceKind {
    /// It began to wait.
    Wait,
    /// It got the lock.
    Acquire,
    /// It was about to release the lock.
    Release,
    /// It was about to halt.
    Halt,
    /// It ran again after a halt.
    Wake,
    /// It kicked another vCPU.
    Kick,
    /// It noticed that it had been preempted.
    Resumed,
}
