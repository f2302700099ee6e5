//! The events of a vCPU: a ring of the latest ones, and a second ring of those around the worst handover so far.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::counter::bump;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EventKind {
    /// The vCPU began to wait.
    Wait,
    /// It got the lock; the argument is the number of the acquisition.
    Acquire,
    /// It is about to release the lock; the argument is the number of the acquisition.
    Release,
    /// It is about to halt.
    Halt,
    /// It ran again after a halt.
    Wake,
    /// It kicks another vCPU; the argument is the number of that vCPU.
    Kick,
    /// It noticed that it had been preempted; the argument is the number of ticks since its last look at the probe.
    Resumed,
}

impl EventKind {
    const ALL: [Self; 7] =
        [Self::Wait, Self::Acquire, Self::Release, Self::Halt, Self::Wake, Self::Kick, Self::Resumed];
}

/// Number of events in each half of a ring.
const HALF: usize = 2048;
const KIND_SHIFT: u32 = 56;

/// Acquisitions after the worst handover until its events are put aside.
const AFTERWARDS: u64 = 64;

/// The worst handover so far, kept by the lock's holders; only `worst` is reset, by the parent when the window opens.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct Worst {
    /// How many ticks it took.
    pub worst: AtomicU64,
    /// Acquisitions until its events are put aside; 0 once they are.
    pending: AtomicU64,
    /// How often events were put aside. Its lowest bit names the half of each ring that is written now.
    epoch: AtomicU64,
}

impl Worst {
    /// To be called at each acquisition, with the ticks of the handover if there was one.
    #[inline(always)]
    pub(crate) fn acquired(&self, handover: Option<u64>) {
        let pending = self.pending.load(Relaxed);
        match handover {
            Some(ticks) if ticks > self.worst.load(Relaxed) => {
                self.worst.store(ticks, Relaxed);
                self.pending.store(AFTERWARDS, Relaxed);
            }
            _ if pending > 0 => {
                self.pending.store(pending - 1, Relaxed);
                if pending == 1 {
                    bump(&self.epoch);
                }
            }
            _ => {}
        }
    }
}

/// An event as it lies in a ring.
#[derive(Debug)]
#[repr(C)]
struct RingEntry {
    at: AtomicU64,
    /// Kind in the highest byte, argument below.
    what: AtomicU64,
}

#[derive(Debug)]
#[repr(C)]
struct Half {
    written: AtomicU64,
    entries: [RingEntry; HALF],
}

/// A vCPU's events, written by that vCPU only and read once nobody writes any more. As soon as the events around a new worst
/// handover are complete, the half that holds them is left alone, and events go to the other half until a worse handover.
#[derive(Debug)]
#[repr(C)]
pub struct Ring {
    epoch: AtomicU64,
    halves: [Half; 2],
}

impl Ring {
    #[inline(always)]
    pub(crate) fn write(&self, worst: &Worst, at: u64, kind: EventKind, argument: u64) {
        let epoch = worst.epoch.load(Relaxed);
        let [even, odd] = &self.halves;
        let half = if epoch.is_multiple_of(2) { even } else { odd };
        if self.epoch.load(Relaxed) != epoch {
            self.epoch.store(epoch, Relaxed);
            half.written.store(0, Relaxed);
        }
        let written = half.written.load(Relaxed);
        // `get`, for an index would bring the panic machinery into a worker.
        if let Some(entry) = half.entries.get(written as usize % HALF) {
            entry.at.store(at, Relaxed);
            entry.what.store((kind as u64) << KIND_SHIFT | argument & ((1 << KIND_SHIFT) - 1), Relaxed);
        }
        half.written.store(written.wrapping_add(1), Relaxed);
    }

    /// The events that the ring holds, in no particular order: time, kind, argument.
    pub fn events(&self) -> impl Iterator<Item = (u64, EventKind, u64)> {
        self.halves.iter().flat_map(|half| {
            let written = half.written.load(Relaxed) as usize;
            half.entries.iter().take(written).filter_map(|entry| {
                let what = entry.what.load(Relaxed);
                let kind = EventKind::ALL.get((what >> KIND_SHIFT) as usize)?;
                Some((entry.at.load(Relaxed), *kind, what & ((1 << KIND_SHIFT) - 1)))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_around_the_worst_survive_any_number_of_others() {
        // SAFETY: both consist of integers, for which zeros are valid; a new arena holds zeros too.
        let (ring, worst): (Ring, Worst) = unsafe { core::mem::zeroed() };
        for acquisition in 0..100_000_u64 {
            // The worst handover comes at acquisition 50,000; before it, a shorter one at 20,000 was the worst.
            worst.acquired(Some(match acquisition {
                50_000 => 900,
                20_000 => 800,
                _ => 5,
            }));
            ring.write(&worst, acquisition, EventKind::Acquire, acquisition);
        }
        let kept: std::vec::Vec<u64> = ring.events().map(|(at, ..)| at).collect();
        assert!(kept.len() <= 2 * HALF);
        assert!((49_000..50_050).all(|at| kept.contains(&at)), "around the worst");
        assert!((99_000..100_000).all(|at| kept.contains(&at)), "the latest");
        assert!(ring.events().all(|(at, kind, argument)| kind == EventKind::Acquire && at == argument));
    }
}
