//! The futex mutex that textbooks have: the third of Drepper's, which calls the kernel only where somebody waits.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use lockbench_workloads::locks::{Ctx, Order, Params, Platform, RawLock, Variant};
use rustix::thread::futex::{self, Flags};

const FREE: u32 = 0;
const HELD: u32 = 1;
/// Held, and somebody may sleep.
const AWAITED: u32 = 2;

/// One word.
pub(super) struct Mutex(AtomicU32);

impl Mutex {
    #[cold]
    fn contend(&self) {
        // Whoever had to wait takes the lock as awaited, for others may sleep still: a release then wakes one too many now and
        // then, and never one too few.
        while self.0.swap(AWAITED, Acquire) != FREE {
            // It returns at once if the word has changed, and may return for no reason: the loop looks again.
            let _ = futex::wait(&self.0, Flags::PRIVATE, AWAITED, None);
        }
    }
}

impl RawLock for Mutex {
    const NAME: &'static str = "futex-mutex";
    const VARIANTS: &'static [Variant] =
        &[Variant::new("futex-mutex", "Drepper's third futex mutex: three states, never spins")
            .against("std-mutex")];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "Drepper, Futexes Are Tricky, 2011";
    const BLOCKS: bool = true;
    const RELAXES: bool = false;
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self(AtomicU32::new(FREE))
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        if !self.try_acquire(ctx) {
            self.contend();
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        self.0.compare_exchange(FREE, HELD, Acquire, Relaxed).is_ok()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        if self.0.swap(FREE, Release) == AWAITED {
            let _ = futex::wake(&self.0, Flags::PRIVATE, 1);
        }
    }
}
