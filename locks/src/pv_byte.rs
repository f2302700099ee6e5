//! The paravirtual byte lock: what Xen guests ran before 3.12.

use core::ptr;

use crate::optable::Op;
use crate::sync::{AtomicU8, AtomicU32, AtomicUsize, Ordering, fence};
use crate::{Ctx, Event, Kernel, Order, Params, Paravirt, Platform, RawLock, Variant};

/// A byte, a count of those who sleep for it, and the table of function pointers through which a guest called it.
///
/// Its unlock reads the count after the store that frees the lock, and so may touch a lock that is gone; that is how
/// it was, and one reason why it went.
#[derive(Debug)]
pub struct PvByte {
    byte: Byte,
    spins: u32,
    hypervisor: bool,
    ops: Ops,
}

#[derive(Debug)]
struct Byte {
    locked: AtomicU8,
    spinners: AtomicU32,
}

/// The table, on cache lines of its own as in [`PvopsTicket`](crate::PvopsTicket).
#[derive(Debug)]
#[repr(align(128))]
struct Ops {
    trylock: Op<Byte, bool>,
    unlock: Op<Byte, bool>,
}

/// Address of the lock that a vCPU sleeps for, or 0, on a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Spinner(AtomicUsize);

/// Spins before sleeping, in the Xen code. A [`Params::spin_threshold`] below it is kept.
const TIMEOUT: u32 = 1 << 10;

impl Byte {
    #[inline]
    extern "C" fn try_lock(&self) -> bool {
        // Not a swap: see `Tas`.
        self.locked.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Frees the lock, and tells whether somebody may sleep for it.
    extern "C" fn unlock(&self) -> bool {
        self.locked.store(0, Ordering::Release);
        // Pairs with the one in `halt`: either this sees the sleeper, or the sleeper sees the free lock.
        fence(Ordering::SeqCst);
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
            if self.byte.locked.load(Ordering::Relaxed) == 0 && self.byte.try_lock() {
                return;
            }
            if P::PARAVIRT && self.hypervisor {
                spins += 1;
                if spins >= self.spins {
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
        slot.store(self.address(), Ordering::Relaxed);
        self.byte.spinners.fetch_add(1, Ordering::Relaxed);
        // Both of them before the last look: see `unlock`.
        fence(Ordering::SeqCst);
        let taken = self.byte.try_lock();
        if !taken {
            ctx.platform().halt();
        }
        self.byte.spinners.fetch_sub(1, Ordering::Relaxed);
        slot.store(0, Ordering::Relaxed);
        taken
    }

    /// Kicks one vCPU that sleeps for the lock: the one with the lowest number, whoever came first.
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
    const VARIANTS: &'static [Variant] = &[Variant::new("pv-byte", "test-and-set that sleeps, through a table of function pointers, unfair").against("ticket").carrying(Paravirt::On).of_kernel(Kernel { patched: false, paravirt: true, native: false, guest: true })];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "Linux 2.6.27 to 3.11 (arch/x86/xen/spinlock.c)";
    const LEAF: bool = true;
    type PerVcpu = Spinner;

    fn new<P: Platform>(params: &Params) -> Self {
        Self {
            byte: Byte { locked: AtomicU8::new(0), spinners: AtomicU32::new(0) },
            spins: params.spin_threshold.min(TIMEOUT),
            hypervisor: params.hypervisor,
            ops: Ops { trylock: Op::new(Byte::try_lock), unlock: Op::new(Byte::unlock) },
        }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        if !self.ops.trylock.call(&self.byte) {
            self.wait(ctx);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        self.ops.trylock.call(&self.byte)
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let sleepers = self.ops.unlock.call(&self.byte);
        if P::PARAVIRT && sleepers {
            self.kick(ctx);
        }
    }
}
