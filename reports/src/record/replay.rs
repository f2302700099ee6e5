//! What was replayed of a schedule's log, and how well.

use serde::{Deserialize, Serialize};

/// What a window replayed: a log's pCPUs go to the same vCPUs at the same instants, whatever the lock does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Replay {
    /// Hash of the log, as 16 hexadecimal digits: windows with the same one replayed the same log.
    pub log: String,
    /// Where the log comes from, in words.
    pub source: String,
    /// Every instant of the log in the window, in order of time: when a vCPU is to come to a pCPU, or to leave it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instants: Vec<Instant>,
    /// How many instants the log has in the window.
    pub planned: u64,
    /// How many of them the hypervisor followed. At the others the vCPU had halted.
    pub done: u64,
    /// How far from its instant a change was done, in nanoseconds: the median and the 99th percentile; none where none was done.
    pub error_ns: Option<[f64; 2]>,
    /// Fraction of the pCPUs' time in the window that the log gives to vCPUs.
    pub given_share: f64,
    /// Fraction of that time which vCPUs left over, because they had halted. It stays idle.
    pub left_over_share: f64,
}

/// An instant of a log. Times count from the window's opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Instant {
    /// Operating-system index of the pCPU.
    pub pcpu: u32,
    /// The vCPU.
    pub vcpu: u32,
    /// Whether the vCPU comes; otherwise it leaves.
    pub comes: bool,
    /// When, by the log, in nanoseconds.
    pub planned_ns: u64,
    /// When the vCPU acknowledged it, in nanoseconds; none where it had halted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_ns: Option<i64>,
}

/// What was replayed in the windows of a cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct CellReplay {
    /// Where the log comes from, in words: the first window's.
    pub source: String,
    /// Hash of the log of each window, each once.
    pub logs: Vec<String>,
    /// How many instants the logs have in all windows.
    pub planned: u64,
    /// How many of them the hypervisor followed. At the others the vCPU had halted.
    pub done: u64,
    /// How far from its instant a change was done, in nanoseconds: the median and the 99th percentile of all windows' changes; none
    /// where none was done.
    pub error_ns: Option<[f64; 2]>,
    /// Fraction of the time that the logs give to vCPUs which those left over, because they had halted: the mean over windows.
    pub left_over_share: f64,
}
