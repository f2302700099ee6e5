//! What a cell's traced windows say together. Durations in nanoseconds, shares from 0 to 1.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Gaps, Handovers, Longest, LongestWait};

/// Causes over all traced windows of a cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CellCauses {
    /// Windows they were taken from: traced, of one class, none that moved.
    pub windows: u32,
    /// Acquisitions in those windows.
    pub operations: u64,
    /// Length of those windows together.
    pub window_ns: u64,
    /// Median rate in them, acquisitions per second: what tracing left of it.
    pub ops_per_second: Option<f64>,
    /// What the lock's time went into; none where no time was classified.
    pub time: Option<TimeShares>,
    /// Lock-holder preemptions per million acquisitions.
    pub lhp_per_million: Option<f64>,
    /// Lock-waiter preemptions (the lock granted to a vCPU that was not running) per million acquisitions.
    pub lwp_per_million: Option<f64>,
    /// Acquisitions by another vCPU than the last holder.
    pub handovers: u64,
    /// Handovers to a vCPU that was not running.
    pub granted_off: u64,
    /// Mean time from such a grant until that vCPU ran.
    pub granted_off_ns: Option<f64>,
    /// How long the lock was held.
    pub hold_ns: Option<Times>,
    /// From a release to the next holder's section.
    pub handover_ns: Option<Times>,
    /// From a kick to the kicked vCPU running.
    pub wake_ns: Option<Times>,
    /// From a vCPU's acquisition to its next, in turns of the lock rather than in nanoseconds: 1 is twice in a row.
    pub reacquire_turns: Option<Times>,
    /// Absences that this kernel does not account for, summed; none where nobody looked.
    pub gaps: Option<Gaps>,
    /// Spin iterations before a halt, median over windows.
    pub spins_before_halt: Option<f64>,
    /// The longest wait of any window.
    pub longest_wait: Option<LongestWait>,
    /// The longest hold of any window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_hold: Option<Longest>,
    /// The longest handover of any window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_handover: Option<Longest>,
    /// Why nothing is known of preemptions, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_preemptions: Option<String>,
    /// One entry per vCPU.
    pub vcpus: Vec<VcpuShare>,
    /// Handovers between pCPUs: counts summed, times the median over windows.
    pub matrix: Vec<Handovers>,
    /// Why there is no matrix, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_matrix: Option<String>,
    /// Handovers between NUMA nodes, likewise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub node_matrix: Vec<Handovers>,
    /// Why there is no matrix of nodes, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_node_matrix: Option<String>,
}

/// The five classes of a lock's time as parts of all time classified; together 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TimeShares {
    /// Nobody wanted the lock.
    pub idle: f64,
    /// It was free though somebody waited.
    pub free: f64,
    /// It was granted to a vCPU that was not running.
    pub granted_off: f64,
    /// It was held by a vCPU that was not running.
    pub held_off: f64,
    /// It was held usefully.
    pub held: f64,
    /// Classified time over the length of the windows; 1 if the classes cover them.
    pub covered: f64,
}

/// Percentiles of a duration. One that unfinished waits reach is a lower bound (its name is then in `at_least`); one
/// that lacks ten samples beyond it is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Times {
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// 99.9th percentile.
    pub p999: Option<f64>,
    /// 99.99th percentile.
    pub p9999: Option<f64>,
    /// 99.999th percentile.
    pub p99999: Option<f64>,
    /// Longest.
    pub max: Option<f64>,
    /// Names of those that are lower bounds.
    pub at_least: Vec<String>,
    /// Finished samples.
    pub samples: u64,
}

/// One vCPU's part, summed over windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct VcpuShare {
    /// Its acquisitions.
    pub operations: u64,
    /// Lock-holder preemptions.
    pub preempted_holding: u64,
    /// Preemptions while waiting.
    pub preempted_waiting: u64,
    /// Lock-waiter preemptions: granted the lock while not running.
    pub granted_off: u64,
    /// Time from such grants until it ran, summed.
    pub granted_off_ns: u64,
    /// Median over windows of its median acquire time.
    pub acquire_p50_ns: Option<f64>,
    /// Median over windows of its 99th percentile of acquire times.
    pub acquire_p99_ns: Option<f64>,
    /// Its longest wait.
    pub acquire_max_ns: u64,
    /// Whether that wait had not ended when its window did.
    pub acquire_max_at_least: bool,
    /// Median over windows of its median hold.
    pub hold_p50_ns: Option<f64>,
    /// Median over windows of its 99th percentile of holds.
    pub hold_p99_ns: Option<f64>,
    /// Its longest hold.
    pub hold_max_ns: u64,
    /// Median over windows of its median handover.
    pub handover_p50_ns: Option<f64>,
    /// Median over windows of its 99th percentile of handovers.
    pub handover_p99_ns: Option<f64>,
    /// Its longest handover.
    pub handover_max_ns: u64,
}
