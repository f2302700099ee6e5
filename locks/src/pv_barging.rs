//! A lock of this project's own: whoever finds it free has it, and who waits soon halts and is kicked in turn.

use core::ptr;

use crate::sync::{AtomicU32, AtomicUsize, Ordering};
use crate::{Ctx, Event, Order, Params, Paravirt, Platform, RawLock, Variant};

/// A word with two flags, and the vCPU from which on the next sleeper is looked for.
#[derive(Debug)]
#[repr(C)]
pub struct PvBarging {
    word: AtomicU32,
    /// Only the holder reads and writes it.
    turn: AtomicU32,
}

/// Address of the lock that a vCPU sleeps for, or 0, on a cache line of its own. Who is about to kick the vCPU makes it 0.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Sleeper(AtomicUsize);

const LOCKED: u32 = 1;
/// Somebody may sleep for the lock.
const ASLEEP: u32 = 2;

/// Looks at the word before a waiter halts, unless the spin threshold is below it: long against a section, and short against a
/// timeslice. See `docs/locks/pv-barging.md`.
const PATIENCE: u32 = 500;

impl PvBarging {
    #[inline(always)]
    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Takes the lock if the word is as it was `seen`, without *locked*.
    #[inline(always)]
    fn take(&self, seen: u32) -> bool {
        self.word.compare_exchange(seen, seen | LOCKED, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Takes the lock if it is free.
    #[inline(always)]
    fn look(&self) -> bool {
        let seen = self.word.load(Ordering::Relaxed);
        seen & LOCKED == 0 && self.take(seen)
    }

    #[cold]
    #[inline(never)]
    fn wait<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let mut looks = 0;
        loop {
            if self.look() {
                return;
            }
            ctx.platform().relax();
            if ctx.halting() {
                looks += 1;
                if looks >= ctx.params().spin_threshold.min(PATIENCE) {
                    looks = 0;
                    self.sleep(ctx);
                }
            }
        }
    }

    /// Halts until a release, or for less long: the caller looks again.
    fn sleep<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        ctx.platform().count(Event::LockSlowpath);
        let slot = &ctx.mine().0;
        // Not 0 where this is an interrupt handler on a vCPU that sleeps already.
        let outer = slot.load(Ordering::Relaxed);
        slot.store(self.address(), Ordering::Relaxed);
        // Release: who sees the flag finds the slot. The holder from whom this hides the lock sees the flag in its release.
        if self.word.fetch_or(ASLEEP, Ordering::Release) & LOCKED != 0 {
            ctx.platform().halt();
        }
        slot.store(outer, Ordering::Relaxed);
        if outer != 0 {
            // What ended the halt may have been meant for the outer wait, which looks again for whatever reason it wakes.
            ctx.platform().kick(ctx.me());
        }
    }

    /// The next sleeper in turn, which is found by nobody else from now on.
    fn claim<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> Option<usize> {
        let first = self.turn.load(Ordering::Relaxed) as usize;
        let sleeps_here = |cpu: &usize| {
            let slot = &ctx.of(*cpu).0;
            slot.load(Ordering::Relaxed) == self.address()
                && slot.compare_exchange(self.address(), 0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        let cpu = (first..ctx.vcpus()).chain(0..first).find(sleeps_here)?;
        self.turn.store(cpu as u32 + 1, Ordering::Relaxed);
        Some(cpu)
    }

    /// Frees the lock and kicks one of those who sleep for it. All that is the lock's is done before it is free: after that it may
    /// be gone.
    #[cold]
    #[inline(never)]
    fn free_and_kick<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        loop {
            // The flag is taken back before the slots are looked at: who publishes a slot later sets it again. Acquire: the slots
            // of those who set it are found.
            self.word.fetch_and(!ASLEEP, Ordering::Acquire);
            if let Some(cpu) = self.claim(ctx) {
                // Others may sleep, so the flag is set again. An exchange, and no store: who takes back the flag next is to find
                // the slots of those who set it since. Release: the next section comes after this one.
                self.word.swap(ASLEEP, Ordering::Release);
                ctx.platform().count(Event::PvKickUnlock);
                ctx.platform().kick(cpu);
                return;
            }
            // Nobody slept, or the flag was for somebody who woke by itself.
            if self.free() {
                return;
            }
        }
    }

    /// Frees the lock unless somebody may sleep for it.
    #[inline(always)]
    fn free(&self) -> bool {
        self.word.compare_exchange(LOCKED, 0, Ordering::Release, Ordering::Relaxed).is_ok()
    }
}

impl RawLock for PvBarging {
    const NAME: &'static str = "pv-barging";
    const VARIANTS: &'static [Variant] = &[Variant::new("pv-barging", "test-and-set whose waiters soon halt and are kicked in turn, unfair").against("tas").carrying(Paravirt::On)];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "this project";
    const LEAF: bool = true;
    const SHARES_BLOCKS: bool = true;
    type PerVcpu = Sleeper;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { word: AtomicU32::new(0), turn: AtomicU32::new(0) }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        if !self.take(0) {
            self.wait(ctx);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        self.look()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        if !P::PARAVIRT {
            self.word.store(0, Ordering::Release);
        } else if !self.free() {
            self.free_and_kick(ctx);
        }
    }
}
