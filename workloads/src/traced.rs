//! What a tracing vCPU writes: its times, and a ring of its latest events. Behind its block, and only where a window
//! traces, for it is ten times the size of the rest.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::histogram::{BUCKETS, bucket};
use crate::vcpu::bump;

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

/// A vCPU's times. Single writer but for `kicked_at`; everything in ticks.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct Traced {
    /// When the present wait began, or was meant to; 0 while not waiting.
    pub wait_since: AtomicU64,
    /// The longest finished wait; the parent sets it to 0 when the window opens (a reset lost to a race merely restates
    /// a wait that ended at that moment).
    pub longest_wait: AtomicU64,
    /// When that wait ended.
    pub longest_wait_at: AtomicU64,
    /// Acquisitions by this vCPU after another's.
    pub handovers: AtomicU64,
    /// Grants that found this vCPU preempted.
    pub granted_off: AtomicU64,
    /// From these grants until it ran again, summed.
    pub granted_off_ticks: AtomicU64,
    /// The shortest hold that no preemption disturbed; 0 before the first.
    pub shortest_hold: AtomicU64,
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
    /// When this vCPU was first kicked since its last halt; 0 if it was not. Written by kickers.
    pub kicked_at: Kicked,
    /// Events written into the ring so far.
    pub events: AtomicU64,
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

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EventKind {
    /// Began to wait.
    Wait,
    /// Got the lock.
    Acquire,
    /// About to release it.
    Release,
    /// About to halt.
    Halt,
    /// Ran again after a halt.
    Wake,
    /// Kicks another; the argument is its number.
    Kick,
    /// Noticed that it had been preempted; the argument is how many ticks before it had last looked.
    Resumed,
}

impl EventKind {
    const ALL: [Self; 7] =
        [Self::Wait, Self::Acquire, Self::Release, Self::Halt, Self::Wake, Self::Kick, Self::Resumed];
}

/// Events that a ring holds; older ones are overwritten.
pub const RING: usize = 4096;
const KIND_SHIFT: u32 = 56;

/// An event as it lies in a ring.
#[derive(Debug)]
#[repr(C)]
struct Entry {
    at: AtomicU64,
    /// Kind in the highest byte, argument below.
    what: AtomicU64,
}

/// A vCPU's latest events. Single writer; read when nobody writes any more.
#[derive(Debug)]
#[repr(C)]
pub struct Ring([Entry; RING]);

impl Ring {
    #[inline(always)]
    pub(crate) fn write(&self, number: u64, at: u64, kind: EventKind, argument: u64) {
        if let Some(entry) = self.0.get(number as usize % RING) {
            entry.at.store(at, Relaxed);
            let what = (kind as u64) << KIND_SHIFT | argument & ((1 << KIND_SHIFT) - 1);
            entry.what.store(what, Relaxed);
        }
    }

    /// The latest of `written` events, oldest first: when, what, argument.
    pub fn events(&self, written: u64) -> impl Iterator<Item = (u64, EventKind, u64)> {
        (written.saturating_sub(RING as u64)..written).filter_map(|number| {
            let entry = self.0.get(number as usize % RING)?;
            let what = entry.what.load(Relaxed);
            let kind = EventKind::ALL.get((what >> KIND_SHIFT) as usize)?;
            Some((entry.at.load(Relaxed), *kind, what & ((1 << KIND_SHIFT) - 1)))
        })
    }
}

/// Handovers between two pCPUs, by the octave of their time in ticks.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_keeps_the_latest() {
        // SAFETY: integers, of which zeros are valid; so lies a ring in a new arena.
        let ring: Ring = unsafe { core::mem::zeroed() };
        let written = RING as u64 + 10;
        for number in 0..written {
            ring.write(number, 100 + number, EventKind::Kick, number);
        }
        assert_eq!(ring.events(3).count(), 3);
        let kept: std::vec::Vec<_> = ring.events(written).collect();
        assert_eq!(kept.len(), RING);
        assert_eq!(kept[0], (110, EventKind::Kick, 10));
        assert_eq!(kept[RING - 1], (100 + written - 1, EventKind::Kick, written - 1));
    }
}
