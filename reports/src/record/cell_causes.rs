//! What a cell's traced windows say together. Durations are in nanoseconds, shares from 0 to 1.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Gaps, Handovers, Longest, LongestWait};

/// Causes over all traced windows of a cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CellCauses {
    /// Number of windows that the causes were taken from: traced, of one distance class, none that moved.
    pub windows: u32,
    /// Acquisitions in those windows.
    pub operations: u64,
    /// Length of those windows together.
    pub window_ns: u64,
    /// Median rate in those windows, acquisitions per second; tracing lowers it.
    pub ops_per_second: Option<f64>,
    /// What the lock's time went into; none where no time was booked.
    pub time: Option<TimeShares>,
    /// Lock-holder preemptions per million acquisitions.
    pub lhp_per_million: Option<f64>,
    /// Lock-waiter preemptions (the lock granted to a vCPU that was not running) per million acquisitions.
    pub lwp_per_million: Option<f64>,
    /// Acquisitions by another vCPU than the last holder.
    pub handovers: u64,
    /// Handovers to a vCPU that was not running.
    pub granted_off: u64,
    /// Mean time from the release until that vCPU ran.
    pub granted_off_ns: Option<f64>,
    /// How long the lock was held.
    pub hold_ns: Option<Times>,
    /// Time from a release until the next holder begins its section.
    pub handover_ns: Option<Times>,
    /// Time from a kick until the kicked vCPU ran.
    pub wake_ns: Option<Times>,
    /// Acquisitions (not nanoseconds), by any vCPU, from one acquisition of a vCPU to its next: 1 is twice in a row.
    pub reacquire_turns: Option<Times>,
    /// Absences that preemptions by this kernel do not explain, summed; none in records of versions that did not look for them.
    pub gaps: Option<Gaps>,
    /// Mean number of spin iterations before a halt, the median over windows.
    pub spins_before_halt: Option<f64>,
    /// The longest wait of any window.
    pub longest_wait: Option<LongestWait>,
    /// The longest hold of any window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_hold: Option<Longest>,
    /// The longest handover of any window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_handover: Option<Longest>,
    /// Why preemptions were not counted, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_preemptions: Option<String>,
    /// One entry per vCPU.
    pub vcpus: Vec<VcpuShare>,
    /// Handovers between pCPUs: counts are summed over windows, times are medians over windows.
    pub matrix: Vec<Handovers>,
    /// Why there is no matrix of pCPUs, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_matrix: Option<String>,
    /// Handovers between NUMA nodes: counts are summed over windows, times are medians over windows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub node_matrix: Vec<Handovers>,
    /// Why there is no matrix of nodes, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_node_matrix: Option<String>,
}

/// The five parts of a lock's time as fractions of all time that was booked; together 1.
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
    /// Booked time over the length of the windows; 1 if the five parts cover the windows.
    pub covered: f64,
}

/// Percentiles of a duration. A percentile that unfinished waits reach is a lower bound (its name is then in `at_least`); a
/// percentile with fewer than ten samples beyond it is none.
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
    /// Names of the percentiles that are lower bounds.
    pub at_least: Vec<String>,
    /// Number of finished samples.
    pub samples: u64,
}

/// The causes that concern one vCPU, over all traced windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct VcpuShare {
    /// Its acquisitions.
    pub operations: u64,
    /// Lock-holder preemptions: how often it was preempted while it held the lock.
    pub preempted_holding: u64,
    /// How often it was preempted while it waited.
    pub preempted_waiting: u64,
    /// Lock-waiter preemptions: how often it was granted the lock while it was not running.
    pub granted_off: u64,
    /// Time from those releases until it ran, summed.
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
