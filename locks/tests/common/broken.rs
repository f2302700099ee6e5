//! Locks that are wrong on purpose. A checker that lets them pass checks nothing.

use lockbench_locks::sync::{AtomicBool, AtomicU32, Ordering};
use lockbench_locks::{Ctx, Order, Params, Platform, RawLock, Variant};

/// Lets everybody in.
pub(crate) struct NoExclusion;

impl RawLock for NoExclusion {
    const NAME: &'static str = "broken-no-exclusion";
    const VARIANTS: &'static [Variant] = &[];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "a test";
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self
    }
    fn acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) {}
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        true
    }
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {}
}

/// Test-and-set that forgets the release ordering: right on x86, where no stress test can tell, and nowhere else.
pub(crate) struct RelaxedRelease(AtomicBool);

impl RawLock for RelaxedRelease {
    const NAME: &'static str = "broken-relaxed-release";
    const VARIANTS: &'static [Variant] = &[];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "a test";
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self(AtomicBool::new(false))
    }
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        while !self.try_acquire(ctx) {
            ctx.platform().relax();
        }
    }
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        self.0.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Halts without looking once more after it said that it would: the release in between kicks nobody.
pub(crate) struct LostKick {
    locked: AtomicBool,
    /// The halting vCPU's number + 1.
    halting: AtomicU32,
}

impl RawLock for LostKick {
    const NAME: &'static str = "broken-lost-kick";
    const VARIANTS: &'static [Variant] = &[];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "a test";
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self { locked: AtomicBool::new(false), halting: AtomicU32::new(0) }
    }
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        while !self.try_acquire(ctx) {
            self.halting.store(ctx.me() as u32 + 1, Ordering::SeqCst);
            ctx.platform().halt();
        }
    }
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        self.locked.compare_exchange(false, true, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        self.locked.store(false, Ordering::SeqCst);
        let waiter = self.halting.swap(0, Ordering::SeqCst);
        if waiter != 0 {
            ctx.platform().kick(waiter as usize - 1);
        }
    }
}
