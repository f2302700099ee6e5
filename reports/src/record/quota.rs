//! What a CPU quota that was asked for did in a window.

use serde::{Deserialize, Serialize};

/// The quota of a cell's control group, and the kernel's counts from the window's opening to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct QuotaUse {
    /// The limit for all vCPUs together, in CPUs.
    pub cpus: f64,
    /// Its period, in nanoseconds.
    pub period_ns: u64,
    /// Periods in which the vCPUs wanted to run (`nr_periods`).
    pub periods: u64,
    /// Periods in which the quota ran out (`nr_throttled`).
    pub throttled: u64,
    /// Time for which CPUs were taken away, in nanoseconds, summed over CPUs; the kernel counts it when it gives them back.
    pub taken_ns: u64,
}
