//! What a tracing vCPU writes about its times. This lies behind the vCPU's block and only exists in windows that trace, for it
//! is ten times the size of the block.

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

/// The longest of some kind of time, and when it ended. The parent sets it to 0 when the window opens; should the vCPU
/// overwrite that, it writes a time that ended at that moment.
#[derive(Debug)]
#[repr(C)]
pub struct Longest {
    /// Its length in ticks; 0 if there was none.
    pub ticks: AtomicU64,
    /// The tick at which it ended.
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

/// A vCPU's times in ticks. Only the vCPU writes them, except `kicked_at`.
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
    /// Ticks from those grants until this vCPU ran again, summed.
    pub granted_off_ticks: AtomicU64,
    /// The shortest hold that no preemption disturbed; 0 before the first.
    pub shortest_hold: AtomicU64,
    /// Number, over all vCPUs, of this vCPU's last acquisition, plus 1; 0 before its first.
    pub last_acquisition: AtomicU64,
    /// Number of gaps by phase: the probe had not changed since the last look, which was more than [`Plan::gap_ticks`] ago.
    ///
    /// [`Plan::gap_ticks`]: crate::arena::Plan::gap_ticks
    pub gaps: [AtomicU64; Phase::COUNT],
    /// Ticks of all gaps, summed.
    pub gap_ticks: AtomicU64,
    /// Ticks of the longest gap; the parent sets it to 0 when the window opens.
    pub longest_gap: AtomicU64,
    /// Spin iterations that ended in a halt.
    pub spins_before_halt: AtomicU64,
    /// Time from the beginning of a wait to its end.
    pub acquire: Times,
    /// Time from the end of a wait to the release.
    pub hold: Times,
    /// Time from another vCPU's release to this vCPU's acquisition, where this one was waiting already.
    pub handover: Times,
    /// Time from a kick until this vCPU ran again.
    pub wake: Times,
    /// Acquisitions (not ticks), by any vCPU, from one acquisition of this vCPU to its next: 1 is twice in a row.
    pub reacquire: Times,
    /// When this vCPU was first kicked since its last halt; 0 if it was not. Written by kickers.
    pub kicked_at: Kicked,
}

impl Traced {
    /// How long an undisturbed hold takes: the shortest hold seen, since disturbed ones are longer by orders of magnitude.
    /// Before there is one it is `section_ticks`, the section's nominal length.
    #[inline(always)]
    pub fn typical_hold(&self, section_ticks: u64) -> u64 {
        match self.shortest_hold.load(Relaxed) {
            0 => section_ticks,
            shortest => shortest,
        }
    }
}

/// A word on cache lines of its own.
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

/// The most pCPUs that a handover matrix is kept for; that matrix takes 2 MiB.
pub const MATRIX_PCPUS: usize = 64;
/// The most NUMA nodes that a handover matrix is kept for; that matrix takes 32 MiB.
pub const MATRIX_NODES: usize = 256;
