//! The schedule log: which vCPU ran where, from when to when, and why it stopped.

use super::Fault;
use super::policy::Due;

/// Why a vCPU left its pCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The hypervisor took the pCPU away. It took `latency` ticks from the wish to the acknowledgement.
    Paused {
        /// See above.
        latency: u64,
        /// Whether another vCPU got the pCPU at once; otherwise it idled.
        handed_over: bool,
    },
    /// It halted.
    Halt,
    /// It yielded.
    Yield,
    /// It did not leave: the log ends.
    Open,
}

/// A stretch of time, in ticks, for which a vCPU had a pCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) vcpu: u32,
    /// When the vCPU acknowledged its resume.
    pub(crate) from: u64,
    /// When it acknowledged its pause, halted or yielded.
    pub(crate) to: u64,
    pub(crate) end: End,
    /// When it was to begin and to end, on the monotonic clock, by a policy that knows all instants in advance.
    pub(crate) due: Due,
    /// What the scheduler itself took of the pCPU in that time, in nanoseconds.
    pub(crate) own_ns: u64,
}

/// What happened on one pCPU.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lane {
    /// Its operating-system index.
    pub(crate) pcpu: u32,
    /// In order of time.
    pub(crate) stretches: Vec<Stretch>,
    /// Time that the scheduler's thread took, in nanoseconds.
    pub(crate) own_ns: u64,
    /// For how long the scheduler's thread was there, in nanoseconds.
    pub(crate) lived_ns: u64,
    /// Whether the scheduler's thread ran on this pCPU alone.
    pub(crate) pinned: bool,
    /// Whether the scheduler's thread had a real-time priority.
    pub(crate) real_time: bool,
    /// Why the schedule broke off.
    pub(crate) fault: Option<Fault>,
}
