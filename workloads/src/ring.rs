//! The events of a vCPU: a ring of the latest, and one of those around the worst handover so far.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::counter::bump;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EventKind {
    /// Began to wait.
    Wait,
    /// Got the lock; the argument is the number of the turn.
    Acquire,
    /// About to release it; the argument is the number of the turn.
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

const HALF: usize = 2048;
const KIND_SHIFT: u32 = 56;

/// Turns after the worst handover until its events are put aside.
const AFTERWARDS: u64 = 64;

/// The worst handover so far, kept by the lock's holders; only `worst` is reset, by the parent when the window opens.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct Worst {
    /// Its ticks.
    pub worst: AtomicU64,
    /// Turns until its events are put aside; 0 once they are.
    pending: AtomicU64,
    /// How often events were put aside. Its lowest bit names the half of each ring that is written now.
    epoch: AtomicU64,
}

impl Worst {
    /// A turn began, after a handover of so many ticks or after none.
    #[inline(always)]
    pub(crate) fn turn(&self, handover: Option<u64>) {
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
struct Entry {
    at: AtomicU64,
    /// Kind in the highest byte, argument below.
    what: AtomicU64,
}

#[derive(Debug)]
#[repr(C)]
struct Half {
    written: AtomicU64,
    entries: [Entry; HALF],
}

/// A vCPU's events. Written by it alone; read when nobody writes any more. Whenever the events around a new worst handover
/// have been written, the half that holds them is left alone and the other one written, until there is a worse one.
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

    /// What it holds, in no particular order: when, what, argument.
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
        // SAFETY: integers, of which zeros are valid; so lie these in a new arena.
        let (ring, worst): (Ring, Worst) = unsafe { core::mem::zeroed() };
        for turn in 0..100_000_u64 {
            // The worst handover comes at turn 50,000; a lesser one was the worst before it.
            worst.turn(Some(match turn {
                50_000 => 900,
                20_000 => 800,
                _ => 5,
            }));
            ring.write(&worst, turn, EventKind::Acquire, turn);
        }
        let kept: std::vec::Vec<u64> = ring.events().map(|(at, ..)| at).collect();
        assert!(kept.len() <= 2 * HALF);
        assert!((49_000..50_050).all(|turn| kept.contains(&turn)), "around the worst");
        assert!((99_000..100_000).all(|turn| kept.contains(&turn)), "the latest");
        assert!(ring.events().all(|(at, kind, argument)| kind == EventKind::Acquire && at == argument));
    }
}
