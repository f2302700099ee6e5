//! What a tracing vCPU writes about its times. Behind its block, and only where a window traces, for it is ten times the
//! size of the rest.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::counter::bump;
use crate::histogram::{BUCKETS, bucket};
use crate::probe::Phase;

/// Durations in ticks, counted on the scale of [`histogram`](crate::histogram).
#[derive(Debug)]
#[repr(transparent)]
pub struct Times(pub [AtomicU64; BUCKETS]);

impl Times {
    #[inline(always)]
    pub(crate) fn add(&self, ticks: u64) {
        // `get`, for an index would bring the panic machinery into a worker.
        if let Some(count) = self.0.get(bucket(ticks)) {
            bump(count);
        }
    }
}

/// The longest of something, in ticks, and when it ended. The parent sets it to 0 when the window opens (a reset lost to a
/// race merely restates what ended at that moment).
#[derive(Debug)]
#[repr(C)]
pub struct Longest {
    /// Its ticks; 0 if there was none.
    pub ticks: AtomicU64,
    /// When it ended.
    pub at: AtomicU64,
}

impl Longest {
    #[inline(always)]
    pub(crate) fn note(&self, ticks: u64, at: u64) {
        if ticks > self.ticks.load(Relaxed) {
            self.ticks.store(ticks, Relaxed);
            self.at.store(at, Relaxed);
        }
    }
}

/// A vCPU's times. Single writer but for `kicked_at`; everything in ticks.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct Traced {
    /// When the present wait began, or was meant to; 0 while not waiting.
    pub wait_since: AtomicU64,
    /// The longest finished wait.
    pub longest_wait: Longest,
    /// The longest hold.
    pub longest_hold: Longest,
    /// The longest handover.
    pub longest_handover: Longest,
    /// Acquisitions by this vCPU after another's.
    pub handovers: AtomicU64,
    /// Grants that found this vCPU preempted.
    pub granted_off: AtomicU64,
    /// From these grants until it ran again, summed.
    pub granted_off_ticks: AtomicU64,
    /// The shortest hold that no preemption disturbed; 0 before the first.
    pub shortest_hold: AtomicU64,
    /// The turn, counted over all vCPUs, in which it last held the lock, plus 1; 0 before its first.
    pub last_turn: AtomicU64,
    /// Times between two looks, of which the probe says nothing, that were longer than [`Plan::gap_ticks`]: by phase.
    ///
    /// [`Plan::gap_ticks`]: crate::arena::Plan::gap_ticks
    pub gaps: [AtomicU64; Phase::COUNT],
    /// Their ticks.
    pub gap_ticks: AtomicU64,
    /// The longest of them; the parent sets it to 0 when the window opens.
    pub longest_gap: AtomicU64,
    /// Spin iterations that ended in a halt.
    pub spins_before_halt: AtomicU64,
    /// From the beginning of a wait to its end.
    pub acquire: Times,
    /// From the end of a wait to the release.
    pub hold: Times,
    /// From another's release to this vCPU's end of its wait, where it was waiting already.
    pub handover: Times,
    /// From a kick to this vCPU running again.
    pub wake: Times,
    /// From one of its acquisitions to its next, in turns of the lock (not ticks): 1 is the lock taken twice in a row.
    pub reacquire: Times,
    /// When this vCPU was first kicked since its last halt; 0 if it was not. Written by kickers.
    pub kicked_at: Kicked,
}

impl Traced {
    /// How long a hold takes if nothing comes between: the shortest seen, for the rest of one that was disturbed is longer
    /// by orders of magnitude; where all were disturbed, what the section was asked to take.
    #[inline(always)]
    pub fn typical_hold(&self, section_ticks: u64) -> u64 {
        match self.shortest_hold.load(Relaxed) {
            0 => section_ticks,
            shortest => shortest,
        }
    }
}

/// A word on lines of its own.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct Kicked(pub AtomicU64);

/// Handovers between two pCPUs or two NUMA nodes, by the octave of their time in ticks.
#[derive(Debug)]
#[repr(transparent)]
pub struct Octaves(pub [AtomicU64; 64]);

impl Octaves {
    #[inline(always)]
    pub(crate) fn add(&self, ticks: u64) {
        if let Some(count) = self.0.get((ticks | 1).ilog2() as usize) {
            bump(count);
        }
    }
}

/// The most pCPUs that a handover matrix is kept for: 2 MiB of it.
pub const MATRIX_PCPUS: usize = 64;
/// The most NUMA nodes that one is kept for: 32 MiB of it.
pub const MATRIX_NODES: usize = 256;
