//! An MCS lock whose waiters spin for a while and then halt.

use core::ptr;

use crate::line::successor;
use crate::parking::Parking;
use crate::sync::{AtomicPtr, Ordering};
use crate::{Ctx, Order, Params, Platform, RawLock, Variant};

/// The MCS queue; a waiter gives its pCPU up after a bounded time.
#[derive(Debug)]
pub struct SpinThenPark {
    tail: AtomicPtr<Place>,
}

/// A vCPU's place in the queue.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Place {
    next: AtomicPtr<Place>,
    parking: Parking,
}

impl Place {
    #[inline(always)]
    fn address(&self) -> *mut Self {
        ptr::from_ref(self).cast_mut()
    }
}

impl SpinThenPark {
    #[cold]
    #[inline(never)]
    fn wait<P: Platform>(mine: &Place, previous: *mut Place, ctx: &Ctx<'_, Self, P>) {
        // SAFETY: the tail only ever holds places out of the contexts' blocks, which outlive the lock's use; the predecessor
        // cannot reuse its place before it has seen this link.
        unsafe { &*previous }.next.store(mine.address(), Ordering::Release);
        mine.parking.wait(ctx.params().spin_threshold, ctx.platform());
    }

    /// Hands the lock to whoever queues behind `mine`.
    #[cold]
    #[inline(never)]
    fn hand_over<P: Platform>(mine: &Place, ctx: &Ctx<'_, Self, P>) {
        let next = successor(&mine.next, ctx.platform());
        // SAFETY: `next` was published by its owner, which waits for the grant and so keeps the place as it is.
        unsafe { &*next }.parking.grant(ctx.platform());
    }
}

impl RawLock for SpinThenPark {
    const NAME: &'static str = "spin-then-park";
    const VARIANTS: &'static [Variant] = &[Variant::new("spin-then-park", "MCS whose waiters spin for a while and then halt, FIFO").against("mcs")];
    const ORDER: Order = Order::Fifo;
    const SOURCE: &'static str = "Dice, EuroSys 2017 (MCS-STP)";
    const LEAF: bool = true;
    const BLOCKS: bool = true;
    type PerVcpu = Place;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { tail: AtomicPtr::new(ptr::null_mut()) }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let mine = ctx.mine();
        mine.next.store(ptr::null_mut(), Ordering::Relaxed);
        mine.parking.prepare(ctx.me());
        // Release publishes the place; acquire orders the section after the release of a free lock, and makes the predecessor's
        // place readable.
        let previous = self.tail.swap(mine.address(), Ordering::AcqRel);
        if !previous.is_null() {
            Self::wait(mine, previous, ctx);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        let mine = ctx.mine();
        mine.next.store(ptr::null_mut(), Ordering::Relaxed);
        self.tail
            .compare_exchange(ptr::null_mut(), mine.address(), Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let mine = ctx.mine();
        if mine.next.load(Ordering::Relaxed).is_null()
            && self
                .tail
                .compare_exchange(mine.address(), ptr::null_mut(), Ordering::Release, Ordering::Relaxed)
                .is_ok()
        {
            return;
        }
        Self::hand_over(mine, ctx);
    }
}
