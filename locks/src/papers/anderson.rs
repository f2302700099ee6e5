//! Anderson's array lock: a ticket lock whose waiters spin each on a slot of its own.

use crate::sync::{AtomicBool, AtomicU64, Ordering};
use crate::{Ctx, Order, Params, Platform, RawLock, Variant};

/// A counter that gives out places in an array with a slot for each vCPU. The slots lie in the vCPUs' blocks: a place is no
/// vCPU's own, but there are as many as vCPUs.
#[derive(Debug)]
pub struct Anderson {
    /// The next number to be given out. It would take centuries to wrap around, which a count of slots that is no power of two
    /// could not bear.
    next: AtomicU64,
}

/// A slot of the array, and what the vCPU in whose block it lies needs for itself. The blocks must belong to a single lock.
#[derive(Debug, Default)]
pub struct Block {
    slot: Slot,
    mine: Mine,
}

/// Whether the number that comes to this slot next is called, on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Slot(AtomicBool);

/// The number that the vCPU holds the lock with.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Mine(AtomicU64);

impl Block {
    /// Whether the slot that lies here is called.
    #[doc(hidden)]
    pub fn is_called(&self) -> bool {
        self.slot.0.load(Ordering::Relaxed)
    }
}

impl Anderson {
    /// The slot of a number.
    #[inline(always)]
    fn slot<'a, P: Platform>(number: u64, ctx: &Ctx<'a, Self, P>) -> &'a AtomicBool {
        // There is at least the vCPU that asks; but the compiler does not know.
        let place = number.checked_rem(ctx.vcpus() as u64).unwrap_or(0);
        &ctx.of(place as usize).slot.0
    }

    /// Whether a number is called. Nobody calls the first one of all.
    #[inline(always)]
    fn is_called(number: u64, slot: &AtomicBool) -> bool {
        // Acquire: the section comes after that of the holder who called.
        slot.load(Ordering::Acquire) || number == 0
    }

    /// Takes the lock with a number that is called.
    #[inline(always)]
    fn take<P: Platform>(number: u64, slot: &AtomicBool, ctx: &Ctx<'_, Self, P>) {
        // Relaxed: the call of the number that comes here next is ordered behind this number's release.
        slot.store(false, Ordering::Relaxed);
        ctx.mine().mine.0.store(number, Ordering::Relaxed);
    }

    #[cold]
    #[inline(never)]
    fn wait<P: Platform>(slot: &AtomicBool, ctx: &Ctx<'_, Self, P>) {
        while !slot.load(Ordering::Acquire) {
            ctx.platform().relax();
        }
    }
}

impl RawLock for Anderson {
    const NAME: &'static str = "anderson";
    const VARIANTS: &'static [Variant] = &[Variant::new("anderson", "ticket lock whose waiters spin on slots of an array, FIFO").against("ticket")];
    const ORDER: Order = Order::Fifo;
    const SOURCE: &'static str = "Anderson, IEEE TPDS 1(1), 1990";
    const LEAF: bool = true;
    type PerVcpu = Block;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { next: AtomicU64::new(0) }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        // Release and acquire: whoever draws a slot's next number must find the slot as its last holder left it, not called.
        // That holder, or one who came after it, has drawn since.
        let number = self.next.fetch_add(1, Ordering::AcqRel);
        let slot = Self::slot(number, ctx);
        if !Self::is_called(number, slot) {
            Self::wait(slot, ctx);
        }
        Self::take(number, slot, ctx);
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        // Acquire, here and below release: as in `acquire`.
        let number = self.next.load(Ordering::Acquire);
        let slot = Self::slot(number, ctx);
        // A number that is called stays so until it is given out.
        let taken = Self::is_called(number, slot)
            && self.next.compare_exchange(number, number + 1, Ordering::Release, Ordering::Relaxed).is_ok();
        if taken {
            Self::take(number, slot, ctx);
        }
        taken
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let next = ctx.mine().mine.0.load(Ordering::Relaxed) + 1;
        // Release: the section comes before that of the next number's holder.
        Self::slot(next, ctx).store(true, Ordering::Release);
    }
}
