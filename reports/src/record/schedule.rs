//! What the emulated hypervisor did in a window.

use serde::{Deserialize, Serialize};

use super::{Moved, Replay};

/// A schedule was not kept where its log and the kernel differ by more than this fraction of the window.
pub const MOST_DEVIATION: f64 = 0.02;

/// The schedule of a window, and how well it was kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Schedule {
    /// Timeslice asked for, in nanoseconds.
    pub slice_ns: u64,
    /// Timeslices that ended in the window because the hypervisor took the pCPU away.
    pub slices: u64,
    /// Halts that handed a pCPU over in the window.
    pub halts: u64,
    /// Yields that gave a pCPU up in the window, for another vCPU or for the same one once more.
    #[serde(skip_serializing_if = "super::disturbance::is_zero")]
    pub yields: u64,
    /// Length of a timeslice over the one asked for: the median and the 99th percentile; none without slices, and in a replay,
    /// whose log decides.
    pub slice_ratio: Option<[f64; 2]>,
    /// From the wish for a pause to its acknowledgement, in nanoseconds: the median and the 99th percentile; none without slices.
    pub pause_ns: Option<[f64; 2]>,
    /// From the end of one vCPU's timeslice to the beginning of the next one's on the same pCPU, in nanoseconds: the median and
    /// the 99th percentile; none without slices.
    pub switch_ns: Option<[f64; 2]>,
    /// Fraction of the pCPUs' time that the hypervisor itself took, from 0 to 1, since it was started.
    pub own_share: f64,
    /// Whether the hypervisor's threads had a real-time priority. Without it the kernel lets slices end late.
    pub real_time: bool,
    /// The largest difference, over the vCPUs, between the time that the log gives a vCPU and the time that the kernel counted, as
    /// a fraction of the window; none where the kernel does not count.
    pub deviation: Option<f64>,
    /// Fraction of the window for which the log has each vCPU on a pCPU.
    pub shares: Vec<f64>,
    /// Under gang scheduling: the vCPUs of each gang, which run at the same time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gangs: Vec<Vec<u32>>,
    /// When each change of the pools was made, in the order of the case's moves; a change that was not taken up before the window's
    /// end is missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Moved>,
    /// What was replayed, where a log decided who ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<Replay>,
    /// The log: every stretch that began or ended in the window, in order of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<Stretch>,
}

impl Schedule {
    /// Whether the schedule was kept: the log says what the kernel counted, or the kernel does not count.
    pub fn kept(&self) -> bool {
        self.deviation.is_none_or(|deviation| deviation <= MOST_DEVIATION)
    }
}

/// A stretch of time for which a vCPU had a pCPU. Times count from the window's opening and may lie outside of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Stretch {
    /// Operating-system index of the pCPU.
    pub pcpu: u32,
    /// The vCPU; where its guest schedules threads on vCPUs the thread, as vCPUs are counted elsewhere.
    pub vcpu: u32,
    /// The vCPU that the thread ran on, where the guest schedules threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_vcpu: Option<u32>,
    /// When it came, in nanoseconds.
    pub from_ns: i64,
    /// When it left, in nanoseconds.
    pub to_ns: i64,
    /// Why it left.
    pub end: StretchEnd,
    /// Whether it was paused because its guest's scheduler gave the vCPU to another thread.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_guest: bool,
}

impl Stretch {
    /// Who ran: `v1`, or `t5` where it was a thread of a guest.
    pub fn name(&self) -> String {
        let kind = if self.of_vcpu.is_some() { 't' } else { 'v' };
        format!("{kind}{}", self.vcpu)
    }

    /// Who ran, and a thread with its vCPU: `t5 on v1`.
    pub fn who(&self) -> String {
        self.of_vcpu.map_or_else(|| self.name(), |vcpu| format!("{} on v{vcpu}", self.name()))
    }

    /// A stretch of a vCPU.
    pub fn of_vcpu(pcpu: u32, vcpu: u32, from_ns: i64, to_ns: i64, end: StretchEnd) -> Self {
        Self { pcpu, vcpu, of_vcpu: None, from_ns, to_ns, end, by_guest: false }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Why a vCPU left its pCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StretchEnd {
    /// The hypervisor took the pCPU away.
    Paused,
    /// It halted.
    Halted,
    /// It yielded.
    Yielded,
    /// It still had the pCPU when the log ended.
    Open,
}
