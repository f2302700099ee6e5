//! What is watched while a worker runs: the third compile-time axis.

/// Where in its turn a vCPU was when it lost its pCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Phase {
    /// Holding the lock: lock-holder preemption (LHP).
    Holding,
    /// Waiting for it: lock-waiter preemption (LWP).
    Waiting,
    /// Neither.
    Thinking,
}

impl Phase {
    /// Number of phases.
    pub const COUNT: usize = 3;
}

/// How much a worker watches. A constant per instantiation, so that what is off costs nothing.
pub trait Probe: 'static {
    /// Whether preemptions, events and runs are counted: one load and compare at each phase's end.
    const COUNT: bool;
    /// Whether times are taken: a time stamp at each look, histograms, the lock's account. Needs an arena laid out for it
    /// (see [`Detail`](crate::arena::Detail)).
    const TRACE: bool;
}

/// Nothing but operations.
#[derive(Debug)]
pub struct Off;
/// Preemptions, events, runs.
#[derive(Debug)]
pub struct Count;
/// All of [`Count`], and times.
#[derive(Debug)]
pub struct Trace;

impl Probe for Off {
    const COUNT: bool = false;
    const TRACE: bool = false;
}
impl Probe for Count {
    const COUNT: bool = true;
    const TRACE: bool = false;
}
impl Probe for Trace {
    const COUNT: bool = true;
    const TRACE: bool = true;
}

/// The same choice at run time: an index into a lock's table of workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum ProbeKind {
    /// [`Off`].
    Off,
    /// [`Count`].
    Count,
    /// [`Trace`].
    Trace,
}
