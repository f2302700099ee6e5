//! What is watched while a worker runs: the third compile-time axis.

use core::arch::asm;

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
    /// Whether the worker has a copy at another address, and which of the two this is; none if there is no copy.
    const TWIN: Option<Twin> = None;
}

/// One of two workers of the same instructions at different addresses. What tells them apart, where nothing else does, is the
/// price of where code happens to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twin {
    /// The worker that is measured.
    First,
    /// Its copy, which the second window of an A/A pair runs.
    Second,
}

impl Twin {
    /// Keeps the compiler from taking the two for one function: by a comment in the assembly, which is no instruction.
    #[inline(always)]
    pub(crate) fn mark(twin: Option<Self>) {
        match twin {
            // SAFETY: there is no instruction in it.
            Some(Self::First) => unsafe { asm!("/* first */", options(nomem, nostack, preserves_flags)) },
            // SAFETY: as above.
            Some(Self::Second) => unsafe { asm!("/* second */", options(nomem, nostack, preserves_flags)) },
            None => {}
        }
    }
}

/// Counts operations only.
#[derive(Debug)]
pub struct Off;
/// Counts preemptions, events and runs too.
#[derive(Debug)]
pub struct Count;
/// What [`Count`] does, in a copy of its worker.
#[derive(Debug)]
pub struct CountCopy;
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
    const TWIN: Option<Twin> = Some(Twin::First);
}
impl Probe for CountCopy {
    const COUNT: bool = true;
    const TRACE: bool = false;
    const TWIN: Option<Twin> = Some(Twin::Second);
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
    /// [`CountCopy`].
    CountCopy,
    /// [`Trace`].
    Trace,
}

impl ProbeKind {
    /// Every kind, in the order of its discriminant.
    pub const ALL: [Self; 4] = [Self::Off, Self::Count, Self::CountCopy, Self::Trace];
}
