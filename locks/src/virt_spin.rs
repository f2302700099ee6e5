//! Test-and-set in the queued spinlock's word: what x86 guests without paravirtual spinlocks run since 4.3.

use crate::sync::{Ordering, QueueWord};
use crate::{Ctx, Order, Params, Platform, RawLock, Variant};

/// The queued spinlock's fast path, and in the place of its queue a loop: a guest cannot afford a FIFO queue, in which the
/// next in line may be preempted.
#[derive(Debug)]
pub struct VirtSpin {
    word: QueueWord,
}

impl VirtSpin {
    #[cold]
    #[inline(never)]
    fn spin<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        // Relaxed: a look, so that waiters do not write the line of a held lock; taking it orders.
        while self.word.load(Ordering::Relaxed) != 0 || self.word.try_lock().is_err() {
            ctx.platform().relax();
        }
    }
}

impl RawLock for VirtSpin {
    const NAME: &'static str = "virt-spin";
    const VARIANTS: &'static [Variant] = &[Variant::new("virt-spin", "test-and-set in the queued spinlock's word, unfair").against("queued").lock_of("an x86 guest without paravirtual spinlocks since Linux 4.3")];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "Linux 4.3 and later (virt_spin_lock in arch/x86/include/asm/qspinlock.h as of 6.12)";
    const LEAF: bool = true;
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self { word: QueueWord::default() }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        if self.word.try_lock().is_err() {
            self.spin(ctx);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        self.word.load(Ordering::Relaxed) == 0 && self.word.try_lock().is_ok()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        self.word.unlock();
    }
}
