//! Test-and-set: the unfair lock that preempted waiters cannot stall.

use crate::sync::{AtomicU32, Ordering};
use crate::{Ctx, Order, Params, Platform, RawLock, Variant};

/// One word, taken by whoever sets it first; waiters read before they try again (test-and-test-and-set).
#[derive(Debug)]
pub struct Tas {
    locked: AtomicU32,
}

impl Tas {
    #[cold]
    #[inline(never)]
    fn contend<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        loop {
            // Relax first, so that a probe or a model sees every iteration.
            ctx.platform().relax();
            if self.locked.load(Ordering::Relaxed) == 0 && self.try_acquire(ctx) {
                return;
            }
        }
    }
}

impl RawLock for Tas {
    const NAME: &'static str = "tas";
    const VARIANTS: &'static [Variant] = &[Variant::new("tas", "test-and-test-and-set, unfair, immune to waiter preemption")];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "Anderson, IEEE TPDS 1(1), 1990";
    // 2: waiting stands out of line, as in every other lock.
    const REVISION: u32 = 2;
    const LEAF: bool = true;
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self { locked: AtomicU32::new(0) }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        if !self.try_acquire(ctx) {
            self.contend(ctx);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        // Not a swap, though it costs the same: loom does not order a release behind a swap that failed, and would
        // let a waiter miss it.
        self.locked.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        self.locked.store(0, Ordering::Release);
    }
}
