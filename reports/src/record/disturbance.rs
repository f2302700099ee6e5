//! What else than its lock decided over a window's figures.

use serde::{Deserialize, Serialize};

use super::Measured;

/// How a CPU quota held a window's vCPUs up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Throttling {
    /// Periods in which the quota ran out, from the vCPUs' start to the window's end, as the kernel counted them.
    pub periods: u64,
    /// Time for which CPUs were taken away from the control group in these periods, summed over CPUs; the kernel counts it when
    /// it gives the CPUs back.
    pub taken_ns: u64,
    /// For a quota that was inferred: the longest time in the window for which a pCPU idled though a vCPU that did not sleep was
    /// pinned to it; 0 where there was none.
    #[serde(skip_serializing_if = "is_zero")]
    pub idle_ns: u64,
}

pub(super) fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A quota that takes no more than this part of the time since the vCPUs' start does not count.
const TRIFLE: f64 = 0.01;

impl Measured {
    /// Whether nothing reached into the window and its pCPUs did not move. No figure is taken from other windows.
    pub fn undisturbed(&self) -> bool {
        !self.moved && self.disturbed.is_none()
    }

    /// Whether a CPU quota held the vCPUs up for more than a trifle (1 % of the time): figures are then those of the quota as much as of the
    /// lock.
    pub fn throttled(&self) -> bool {
        self.throttling.is_some_and(|throttling| {
            let since_start = self.warmup_ns.saturating_add(self.window_ns) as f64;
            // Kernels that take tasks instead of CPUs away may count periods in which they count no time.
            let untimed = throttling.periods > 0 && throttling.taken_ns == 0;
            throttling.idle_ns > 0 || untimed || throttling.taken_ns as f64 > TRIFLE * since_start
        })
    }

    /// Whether the window may be compared with another cell's or run's window.
    pub fn comparable(&self) -> bool {
        self.undisturbed() && !self.throttled()
    }
}
