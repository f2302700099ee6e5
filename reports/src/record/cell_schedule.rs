//! What the emulated hypervisor did over all windows of a cell.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CellReplay;

/// What was asked of the emulated hypervisor in a cell, and what it kept. Unless a field says otherwise, its figures are those of
/// the windows whose schedule was kept; where none was, of all windows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CellSchedule {
    /// Timeslice asked for, in nanoseconds.
    pub slice_ns: u64,
    /// Number of windows that had a schedule, whatever their purpose.
    pub windows: u32,
    /// How many of them did not keep it: log and kernel differ by more than 2 % of the window.
    pub not_kept: u32,
    /// Timeslices that ended because the hypervisor took the pCPU away.
    pub slices: u64,
    /// Halts that handed a pCPU over.
    pub halts: u64,
    /// Yields that gave a pCPU up, for another vCPU or for the same one once more.
    #[serde(skip_serializing_if = "super::disturbance::is_zero")]
    pub yields: u64,
    /// Length of a timeslice over the one asked for, which is a pool's own where the pool has one: the median of the windows'
    /// medians, and the largest of their 99th percentiles; none without timeslices, and in a replay, whose log decides.
    pub slice_ratio: Option<[f64; 2]>,
    /// From the wish for a pause to its acknowledgement, in nanoseconds: the median of the windows' medians, and the largest of
    /// their 99th percentiles; none without timeslices.
    pub pause_ns: Option<[f64; 2]>,
    /// From the end of one vCPU's timeslice to the beginning of the next one's on the same pCPU, in nanoseconds: the median of the
    /// windows' medians, and the largest of their 99th percentiles; none without timeslices.
    pub switch_ns: Option<[f64; 2]>,
    /// Fraction of the pCPUs' time that the hypervisor itself took, from 0 to 1: the mean over windows.
    pub own_share: f64,
    /// The largest difference between log and kernel in any window, kept or not, as a fraction of that window; none where the kernel
    /// does not count.
    pub deviation: Option<f64>,
    /// Whether the hypervisor's threads had a real-time priority in every window.
    pub real_time: bool,
    /// What was replayed, where a log decided who ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<CellReplay>,
    /// How many stretches of the one log that the cell's windows still hold were left out, because it was too long.
    #[serde(skip_serializing_if = "super::is_zero")]
    pub log_left_out: u32,
    /// Preemptions by that log, where its window was traced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preemptions: Option<LoggedPreemptions>,
}

/// How many pauses hit the lock in the trace around the worst handover: by the log of the emulated hypervisor, and by what the
/// vCPUs saw themselves at their next look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LoggedPreemptions {
    /// Pauses that ended while the trace lasted, by the log.
    pub pauses: u64,
    /// Of these, how many began while the vCPU held the lock.
    pub holding: u64,
    /// Of these, how many kept a vCPU away while the lock was granted to it; 0 of a lock without an order of admission, which is
    /// granted to nobody in particular.
    pub granted: u64,
    /// Preemptions in a hold, as the vCPU saw.
    pub seen_holding: u64,
    /// Preemptions that kept a vCPU away while the lock was granted to it, as the vCPU saw.
    pub seen_granted: u64,
}
