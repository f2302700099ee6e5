//! Test-and-test-and-set with exponential backoff.

use crate::sync::{AtomicU32, Ordering};
use crate::{Ctx, Order, Params, Platform, RawLock, Variant};

/// One word, as [`Tas`](crate::Tas) has; but a waiter that found it held stays away from it for a while, and longer each time.
#[derive(Debug)]
pub struct TtasBackoff {
    locked: AtomicU32,
}

/// Where a vCPU's pseudo-random delays come from, on a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Delays(AtomicU32);

/// The first delay is at most so many iterations of the spin loop.
const FIRST: u32 = 4;
/// No delay is longer than so many iterations.
const LONGEST: u32 = 1024;

impl Delays {
    /// A number from 1 to `limit`, a power of two: one of Weyl's sequence, mixed by a multiplication.
    #[inline(always)]
    fn draw(&self, limit: u32, me: usize) -> u32 {
        // Relaxed, and apart: the vCPU alone is here.
        let next = self.0.load(Ordering::Relaxed).wrapping_add(0x9E37_79B9);
        self.0.store(next, Ordering::Relaxed);
        let mixed = (next ^ me as u32).wrapping_mul(0x85EB_CA6B) >> 16;
        1 + (mixed & (limit - 1))
    }
}

impl TtasBackoff {
    #[cold]
    #[inline(never)]
    fn contend<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let mut limit = FIRST;
        loop {
            for _ in 0..ctx.mine().draw(limit, ctx.me()) {
                ctx.platform().relax();
            }
            if self.locked.load(Ordering::Relaxed) == 0 && self.try_acquire(ctx) {
                return;
            }
            limit = (2 * limit).min(LONGEST);
        }
    }
}

impl RawLock for TtasBackoff {
    const NAME: &'static str = "ttas-backoff";
    const VARIANTS: &'static [Variant] = &[Variant::new("ttas-backoff", "tas whose waiters look ever more seldom, unfair").against("tas")];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "Anderson, IEEE TPDS 1(1), 1990";
    const LEAF: bool = true;
    type PerVcpu = Delays;

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
        // Acquire: the section comes after that of the holder whose release is read here.
        self.locked.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        // Release: the section comes before whatever the next holder does.
        self.locked.store(0, Ordering::Release);
    }
}
