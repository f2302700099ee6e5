//! Who sleeps at which lock: the table by which a paravirtual unlock finds the queue head that it must wake.

use crate::queue::NODES;
use crate::sync::{AtomicU32, AtomicUsize, Ordering};
use crate::{Ctx, Event, Platform, RawLock};

/// A vCPU's share of the table. There is an entry for each node in the system, and a node sleeps at one lock at most,
/// so the table cannot be full.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Slots([Slot; NODES]);

/// An entry.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// Address of the lock; 0 in a free entry.
    lock: AtomicUsize,
    cpu: AtomicU32,
}

impl Slot {
    /// Frees the entry, by whoever inserted it or took it out for a kick.
    #[inline(always)]
    pub(crate) fn clear(&self) {
        // Release: the next to use the entry must not overtake this one's reading of it.
        self.lock.store(0, Ordering::Release);
    }
}

impl Slots {
    pub(crate) fn used(&self) -> usize {
        self.0.iter().filter(|slot| slot.lock.load(Ordering::Relaxed) != 0).count()
    }
}

/// A lock whose vCPUs carry the table.
pub(crate) trait Hashed: RawLock {
    fn slots(block: &Self::PerVcpu) -> &Slots;
}

/// All entries once, beginning where `lock` belongs.
fn probe<'a, L: Hashed, P: Platform>(lock: usize, ctx: &Ctx<'a, L, P>) -> impl Iterator<Item = &'a Slot> {
    /// 2^64 divided by the golden ratio: spreads addresses that differ in a few bits (Knuth's multiplicative hash).
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let entries = ctx.vcpus() * NODES;
    let spread = (lock as u64).wrapping_mul(SPREAD) >> 32;
    // Scales 32 bits down to the number of entries, where a remainder would be a division.
    let first = ((spread * entries as u64) >> 32) as usize;
    (first..entries).chain(0..first).map(move |entry| &L::slots(ctx.of(entry / NODES)).0[entry % NODES])
}

/// Enters that vCPU `cpu` is the one to wake at `lock`. The caller publishes it by making the locked byte `SLOW`, or
/// is itself the one who will look.
pub(crate) fn insert<'a, L: Hashed, P: Platform>(
    lock: usize,
    cpu: usize,
    ctx: &Ctx<'a, L, P>,
) -> Option<&'a Slot> {
    for (hops, slot) in (1..).zip(probe(lock, ctx)) {
        // Acquire: see `Slot::clear`.
        if slot.lock.compare_exchange(0, lock, Ordering::Acquire, Ordering::Relaxed).is_ok() {
            slot.cpu.store(cpu as u32, Ordering::Relaxed);
            ctx.platform().add(Event::PvHashHops, hops);
            return Some(slot);
        }
    }
    None
}

/// Takes out who is to be woken at `lock`. Acquire on the locked byte must have shown it to be `SLOW`.
pub(crate) fn remove<L: Hashed, P: Platform>(lock: usize, ctx: &Ctx<'_, L, P>) -> Option<usize> {
    let slot = probe(lock, ctx).find(|slot| slot.lock.load(Ordering::Relaxed) == lock)?;
    let cpu = slot.cpu.load(Ordering::Relaxed) as usize;
    slot.clear();
    Some(cpu)
}
