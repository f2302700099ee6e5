//! The paravirtual byte lock: what Xen guests ran before 3.12.

use core::ptr;

use crate::sync::{
    AtomicU8, AtomicU16, AtomicUsize, Ordering, fence_before_locked, full_fence, test_and_set,
};
use crate::{Ctx, Event, Kernel, Order, Params, Paravirt, Platform, RawLock, Variant, direct_call};

/// A byte and a count of those who sleep for it. A guest called it out of line: its call sites, too, were patched at boot
/// to direct calls of these functions.
///
/// Its unlock reads the count after the store that frees the lock, and so may touch a lock that is gone; that is how
/// it was, and one reason why it went.
#[derive(Debug)]
pub struct PvByte {
    byte: Byte,
}

#[derive(Debug)]
struct Byte {
    locked: AtomicU8,
    spinners: AtomicU16,
}

/// Address of the lock that a vCPU sleeps for, or 0, on a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Spinner(AtomicUsize);

/// Spins before sleeping, in the Xen code. A [`Params::spin_threshold`] below it is kept.
const TIMEOUT: u32 = 1 << 10;

impl Byte {
    #[inline(never)]
    extern "C" fn try_lock(&self) -> bool {
        test_and_set(&self.locked)
    }

    /// Frees the lock, and tells whether somebody may sleep for it.
    #[inline(never)]
    extern "C" fn unlock(&self) -> bool {
        self.locked.store(0, Ordering::Release);
        // Pairs with the one in `halt`: either this sees the sleeper, or the sleeper sees the free lock.
        full_fence();
        self.spinners.load(Ordering::Relaxed) != 0
    }
}

impl PvByte {
    #[inline(always)]
    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    #[cold]
    #[inline(never)]
    fn wait<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let mut spins = 0;
        loop {
            ctx.platform().relax();
            if self.byte.locked.load(Ordering::Relaxed) == 0 && test_and_set(&self.byte.locked) {
                return;
            }
            if ctx.halting() {
                spins += 1;
                if spins >= ctx.params().spin_threshold.min(TIMEOUT) {
                    spins = 0;
                    if self.halt(ctx) {
                        return;
                    }
                }
            }
        }
    }

    /// Tries once more and else halts until a release, or earlier. Tells whether the lock was taken.
    fn halt<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        ctx.platform().count(Event::LockSlowpath);
        let slot = &ctx.mine().0;
        // Not 0 where this is an interrupt handler on a vCPU that sleeps already.
        let outer = slot.load(Ordering::Relaxed);
        slot.store(self.address(), Ordering::Relaxed);
        self.byte.spinners.fetch_add(1, Ordering::Relaxed);
        // A kick from before says nothing of this wait. One that is forgotten here came after a release that the attempt
        // below sees, and whoever took the lock after that will find the count and kick again.
        ctx.platform().forget_kick();
        // Slot and count before the last look: see `unlock`. The look is a locked instruction.
        fence_before_locked();
        let taken = test_and_set(&self.byte.locked);
        if !taken {
            ctx.platform().halt();
        }
        self.byte.spinners.fetch_sub(1, Ordering::Relaxed);
        slot.store(outer, Ordering::Relaxed);
        if outer != 0 {
            // What was forgotten, or ended the halt, may have been meant for the outer wait.
            ctx.platform().kick(ctx.me());
        }
        taken
    }

    /// Kicks one vCPU that sleeps for the lock: the one with the lowest number, whoever came first. As in the kernel, every
    /// vCPU there is gets looked at: only [`PvTicket`](crate::PvTicket) has a set of those who wait.
    #[cold]
    #[inline(never)]
    fn kick<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        for cpu in 0..ctx.vcpus() {
            // Relaxed: ordered by the two fences.
            if ctx.of(cpu).0.load(Ordering::Relaxed) == self.address() {
                ctx.platform().count(Event::PvKickUnlock);
                ctx.platform().kick(cpu);
                return;
            }
        }
    }
}

impl RawLock for PvByte {
    const NAME: &'static str = "pv-byte";
    const VARIANTS: &'static [Variant] = &[Variant::new("pv-byte", "test-and-set that sleeps, behind direct calls, unfair").against("ticket").carrying(Paravirt::On).of_kernel(Kernel { series: false, paravirt: true, native: false, guest: true }).lock_of("a Xen guest with paravirtual spinlocks, Linux 2.6.27 to 3.11")];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "Linux 2.6.27 to 3.11 (arch/x86/xen/spinlock.c)";
    // 2: direct calls, an exchange takes the lock, a sleeper first forgets earlier kicks.
    const REVISION: u32 = 2;
    const LEAF: bool = true;
    const SHARES_BLOCKS: bool = true;
    type PerVcpu = Spinner;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { byte: Byte { locked: AtomicU8::new(0), spinners: AtomicU16::new(0) } }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let taken: bool = direct_call::call!(Byte::try_lock, &self.byte);
        if !taken {
            self.wait(ctx);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        direct_call::call!(Byte::try_lock, &self.byte)
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let sleepers: bool = direct_call::call!(Byte::unlock, &self.byte);
        if P::PARAVIRT && sleepers {
            self.kick(ctx);
        }
    }
}
