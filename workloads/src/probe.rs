//! What is watched while a worker runs: the third compile-time axis.

/// What a vCPU was doing when it lost its pCPU.
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

/// How much a worker watches: compile-time constants, so that what is off costs nothing.
pub trait Probe: 'static {
    /// Whether preemptions, events and runs are counted, which takes one load and compare at the end of each phase.
    const COUNT: bool;
    /// Whether times are taken: a time stamp at each look, histograms, the lock's account. The arena must be laid out for
    /// them (see [`Detail`](crate::arena::Detail)).
    const TRACE: bool;
}

/// Counts operations only.
#[derive(Debug)]
pub struct Off;
/// Counts preemptions, events and runs too.
#[derive(Debug)]
pub struct Count;
/// Counts what [`Count`] counts, and takes times.
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

/// The choice of a [`Probe`] at run time: an index into a lock's table of workers.
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
