//! Why a rate is what it is: what traced windows add to a record. Times in nanoseconds.

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
    /// Time from such a grant until that vCPU ran again, summed.
    pub granted_off_ns: u64,
    /// How long the lock was held.
    pub hold: Histogram,
    /// From a release to the next holder's start of its section, where that holder was already waiting.
    pub handover: Histogram,
    /// From a kick to the kicked vCPU running again; empty where nobody halted.
    pub wake: Histogram,
    /// From a vCPU's acquisition to its next, in turns of the lock, not in nanoseconds: 1 is twice in a row ("time to
    /// reacquire" in Dice's Malthusian locks, EuroSys'17).
    pub reacquire_turns: Histogram,
    /// Absences that this kernel does not account for; none in records of versions that did not look.
    pub gaps: Option<Gaps>,
    /// Spin iterations before each halt, on average; none where nobody halted.
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
    /// Whether the lock may sleep in the kernel while it waits: then nobody knows which waiters were preempted, and
    /// `granted_off` is 0.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sleeps: bool,
    /// Why preemptions were not counted, if so: then nothing is known of waiter and holder preemption, and all that rests
    /// on it (`granted_off`, the classes of `time`) is to be left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_preemptions: Option<String>,
    /// Handovers between pCPUs, where vCPUs are pinned.
    pub matrix: Vec<Handovers>,
    /// Why there is no matrix, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_matrix: Option<String>,
    /// Handovers between NUMA nodes, however many pCPUs there are; none in records of versions that did not tell nodes apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub node_matrix: Vec<Handovers>,
    /// Why nodes are not told apart, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_node_matrix: Option<String>,
    /// Events around the worst handover, in windows of purpose `trace`.
    pub trace: Option<Trace>,
}

/// The five classes of a lock's time; together the window.
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

/// Gaps of the time-stamp counter: a vCPU looked twice at its probe, nothing said that it had lost its pCPU, and yet more
/// time had passed than it had use for. A hypervisor beneath this kernel took the pCPU, or an interrupt held it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Gaps {
    /// Only gaps longer than this are counted.
    pub above_ns: u64,
    /// While the lock was held.
    pub holding: u64,
    /// While it was waited for.
    pub waiting: u64,
    /// While neither.
    pub thinking: u64,
    /// All of them, summed over vCPUs.
    pub total_ns: u64,
    /// The longest.
    pub longest_ns: u64,
}

/// One vCPU's share in it.
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
    /// When it ended, since the window's opening.
    pub acquire_max_at_ns: u64,
    /// Median hold; none without samples.
    pub hold_p50_ns: Option<u64>,
    /// 99th percentile of holds; none below 1,000 samples.
    pub hold_p99_ns: Option<u64>,
    /// Longest hold.
    pub hold_max_ns: u64,
    /// When it ended, since the window's opening.
    pub hold_max_at_ns: u64,
    /// Median handover to this vCPU; none without samples.
    pub handover_p50_ns: Option<u64>,
    /// 99th percentile of handovers to it; none below 1,000 samples.
    pub handover_p99_ns: Option<u64>,
    /// Longest handover to it.
    pub handover_max_ns: u64,
    /// When it ended, since the window's opening.
    pub handover_max_at_ns: u64,
    /// Preempted while holding.
    pub preempted_holding: u64,
    /// Preempted while waiting.
    pub preempted_waiting: u64,
    /// Granted the lock while not running.
    pub granted_off: u64,
    /// Time from such grants until it ran again, summed.
    pub granted_off_ns: u64,
}

/// The longest hold or handover of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Longest {
    /// Whose.
    pub vcpu: u32,
    /// How long.
    pub ns: u64,
    /// When it ended, since the window's opening.
    pub at_ns: u64,
}

/// The longest wait of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LongestWait {
    /// Who waited.
    pub vcpu: u32,
    /// How long.
    pub wait_ns: u64,
    /// When it ended, since the window's opening.
    pub at_ns: u64,
    /// Whether it had not ended when the window did.
    #[serde(default)]
    pub at_least: bool,
}

/// Handovers from one place to another (or to itself): between pCPUs in a `matrix`, between NUMA nodes in a `node_matrix`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Handovers {
    /// pCPU or node of the releaser, by operating-system index.
    pub from: u32,
    /// That of the next holder.
    pub to: u32,
    /// How many.
    pub count: u64,
    /// Median handover time, to within an octave's half.
    pub median_ns: u64,
}

/// A stretch of events of all vCPUs, in order of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Trace {
    /// The handover it was cut out around.
    pub worst_handover_ns: u64,
    /// Where its middle was left out because it was too long: from when to when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub omitted: Option<[u64; 2]>,
    /// The events.
    pub events: Vec<TraceEvent>,
}

/// One event of one vCPU.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TraceEvent {
    /// Since the stretch began.
    pub at_ns: u64,
    /// Whose.
    pub vcpu: u32,
    /// What.
    pub kind: TraceKind,
    /// For `resumed`: since when it may have been off its pCPU, on the same clock as `at_ns`. For `kick`: the vCPU
    /// kicked. Else 0.
    #[serde(default)]
    pub arg: u64,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TraceKind {
    /// Began to wait.
    Wait,
    /// Got the lock.
    Acquire,
    /// About to release it.
    Release,
    /// About to halt.
    Halt,
    /// Ran again after a halt.
    Wake,
    /// Kicked another.
    Kick,
    /// Noticed that it had been preempted.
    Resumed,
}
