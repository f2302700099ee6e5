//! FlexGuard: a queue before test-and-set, left for a halt while the host says that the holder or the next is preempted.

use core::ptr;

use crate::line::{Line, Place};
use crate::sync::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use crate::{Ctx, Event, Order, Params, Platform, RawLock, Variant};

/// A word that is the lock, a queue of which the first alone spins on the word, and who these two are.
#[derive(Debug)]
pub struct FlexGuard {
    word: Word,
    queue: Line,
    /// The queue's first, as [`name`] makes it; 0 for none. A hint.
    next: AtomicU32,
    /// The number of the next sleeper.
    sleepers: AtomicU64,
}

#[derive(Debug)]
#[repr(align(128))]
struct Word {
    value: AtomicU8,
    /// The holder, as [`name`] makes it; 0 for none. A hint.
    holder: AtomicU32,
}

/// A vCPU's place in the queue, and among those who sleep.
#[derive(Debug, Default)]
pub struct Waiter {
    place: Place,
    sleeper: Sleeper,
}

/// On a cache line of its own: whoever wakes looks at all of them.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Sleeper {
    /// Address of the lock that the vCPU sleeps for; 0 once it was chosen to be woken.
    lock: AtomicUsize,
    /// Its number: who came first is woken first.
    number: AtomicU64,
}

const FREE: u8 = 0;
const HELD: u8 = 1;
/// Held, and somebody may sleep.
const HELD_BEFORE_SLEEPERS: u8 = 2;

/// A waiter asks the host for its hint in every so many iterations, the first one included. A model cannot wait so long.
const LOOK: u32 = if cfg!(locks_loom) { 1 } else { 64 };

#[inline(always)]
fn name(cpu: usize) -> u32 {
    cpu as u32 + 1
}

/// How an attempt to sleep ended.
enum Woken {
    Holding,
    Waiting,
}

impl FlexGuard {
    #[inline(always)]
    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    #[inline(always)]
    fn take(&self) -> bool {
        self.word.value.load(Ordering::Relaxed) == FREE
            && self.word.value.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Whether the holder or the queue's first is off its pCPU.
    #[inline(always)]
    fn is_stalled<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        let off = |who: &AtomicU32| {
            let who = who.load(Ordering::Relaxed);
            who != 0 && who != name(ctx.me()) && ctx.platform().is_preempted(who as usize - 1)
        };
        off(&self.word.holder) || off(&self.next)
    }

    #[cold]
    #[inline(never)]
    fn wait<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        ctx.platform().count(Event::LockSlowpath);
        loop {
            let mut queued = !self.is_stalled(ctx);
            if queued {
                self.queue(ctx);
            }
            if self.compete(&mut queued, ctx) {
                return;
            }
        }
    }

    /// Queues, and waits until this vCPU is the first or somebody is preempted.
    #[inline(always)]
    fn queue<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let place = &ctx.mine().place;
        let mut spins = 0_u32;
        if !self.queue.join(place) {
            while !place.is_first() {
                if spins.is_multiple_of(LOOK) && self.is_stalled(ctx) {
                    return;
                }
                spins = spins.wrapping_add(1);
                ctx.platform().relax();
            }
        }
        self.next.store(name(ctx.me()), Ordering::Relaxed);
    }

    #[inline(always)]
    fn leave<P: Platform>(&self, queued: &mut bool, ctx: &Ctx<'_, Self, P>) {
        if *queued {
            *queued = false;
            if self.next.load(Ordering::Relaxed) == name(ctx.me()) {
                self.next.store(0, Ordering::Relaxed);
            }
            self.queue.leave(&ctx.mine().place, ctx.platform());
        }
    }

    /// Competes for the word, by spinning or asleep. Tells whether the lock was taken; if not, this vCPU is to queue again.
    #[inline(always)]
    fn compete<P: Platform>(&self, queued: &mut bool, ctx: &Ctx<'_, Self, P>) -> bool {
        let mut spins = 0_u32;
        while !self.take() {
            if spins.is_multiple_of(LOOK) && self.is_stalled(ctx) {
                self.leave(queued, ctx);
                match self.sleep(ctx) {
                    Woken::Holding => break,
                    Woken::Waiting if !self.is_stalled(ctx) => return false,
                    // Looks again at once.
                    Woken::Waiting => continue,
                }
            }
            spins = spins.wrapping_add(1);
            ctx.platform().relax();
        }
        self.leave(queued, ctx);
        true
    }

    /// Halts until a release chooses this vCPU, and tries to take the lock before and after that.
    fn sleep<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> Woken {
        let mine = &ctx.mine().sleeper;
        // Relaxed: numbers only order sleepers.
        mine.number.store(self.sleepers.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        mine.lock.store(self.address(), Ordering::Relaxed);
        // Release: the release that finds this value, or one that a later sleeper put over it, finds the sleeper.
        if self.take_before_sleepers() {
            mine.lock.store(0, Ordering::Relaxed);
            return Woken::Holding;
        }
        while mine.lock.load(Ordering::Relaxed) == self.address() {
            ctx.platform().halt();
        }
        if self.take_before_sleepers() { Woken::Holding } else { Woken::Waiting }
    }

    /// Says that somebody may sleep, and tells whether the lock was free and so is taken.
    #[inline(always)]
    fn take_before_sleepers(&self) -> bool {
        self.word.value.swap(HELD_BEFORE_SLEEPERS, Ordering::AcqRel) == FREE
    }

    /// Wakes the one that has slept for longest. The lock itself is not touched: it may be gone.
    #[cold]
    #[inline(never)]
    fn wake<P: Platform>(address: usize, ctx: &Ctx<'_, Self, P>) {
        loop {
            let mut longest: Option<(u64, usize)> = None;
            for cpu in 0..ctx.vcpus() {
                let sleeper = &ctx.of(cpu).sleeper;
                if sleeper.lock.load(Ordering::Relaxed) == address {
                    let number = sleeper.number.load(Ordering::Relaxed);
                    if longest.is_none_or(|(other, _)| number < other) {
                        longest = Some((number, cpu));
                    }
                }
            }
            let Some((_, cpu)) = longest else { return };
            // It fails where that vCPU has taken the lock by itself. Relaxed: the kick carries the order.
            if ctx
                .of(cpu)
                .sleeper
                .lock
                .compare_exchange(address, 0, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
            {
                ctx.platform().count(Event::PvKickUnlock);
                ctx.platform().kick(cpu);
                return;
            }
        }
    }
}

impl RawLock for FlexGuard {
    const NAME: &'static str = "flexguard";
    const VARIANTS: &'static [Variant] = &[Variant::new("flexguard", "queue before test-and-set; halts while the host says that the holder is preempted").against("mcs").and_against("spin-then-park")];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "Laforet, Kashyap, Iorgulescu, Lawall and Lozi, SOSP 2025";
    const LEAF: bool = true;
    const BLOCKS: bool = true;
    type PerVcpu = Waiter;

    fn new<P: Platform>(_: &Params) -> Self {
        Self {
            word: Word { value: AtomicU8::new(FREE), holder: AtomicU32::new(0) },
            queue: Line::empty(),
            next: AtomicU32::new(0),
            sleepers: AtomicU64::new(0),
        }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        if !self.take() {
            self.wait(ctx);
        }
        self.word.holder.store(name(ctx.me()), Ordering::Relaxed);
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        let taken = self.take();
        if taken {
            self.word.holder.store(name(ctx.me()), Ordering::Relaxed);
        }
        taken
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let address = self.address();
        self.word.holder.store(0, Ordering::Relaxed);
        // Acquire: a sleeper that is told of here is seen.
        if self.word.value.swap(FREE, Ordering::AcqRel) != HELD {
            Self::wake(address, ctx);
        }
    }
}
