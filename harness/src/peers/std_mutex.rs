//! `std::sync::Mutex`: spins a little, then sleeps in the kernel.

use std::cell::UnsafeCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lockbench_workloads::locks::{Ctx, Order, Params, Platform, RawLock, Variant};

/// The standard library's mutex.
pub(super) struct StdMutex(Mutex<()>);

/// Where the holder keeps its guard from acquire to release.
#[derive(Default)]
pub(super) struct Guard(UnsafeCell<Option<MutexGuard<'static, ()>>>);

// SAFETY: only the vCPU that the block belongs to touches it (`ctx.mine()`), and a vCPU is one thread: the guard is made
// and dropped by the same thread.
unsafe impl Sync for Guard {}

impl StdMutex {
    fn keep<P: Platform>(ctx: &Ctx<'_, Self, P>, guard: MutexGuard<'_, ()>) {
        // SAFETY: the lock lies in the arena, which outlives every guard: workers only ever end with their process.
        let guard = unsafe { std::mem::transmute::<MutexGuard<'_, ()>, MutexGuard<'static, ()>>(guard) };
        // SAFETY: the vCPU's own slot; see Sync above.
        unsafe { *ctx.mine().0.get() = Some(guard) };
    }
}

impl RawLock for StdMutex {
    const NAME: &'static str = "std-mutex";
    const VARIANTS: &'static [Variant] =
        &[Variant::new("std-mutex", "std::sync::Mutex: spins briefly, then sleeps in the kernel (futex)")
            .core()];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "Rust standard library";
    const BLOCKS: bool = true;
    const RELAXES: bool = false;
    type PerVcpu = Guard;

    fn new<P: Platform>(_: &Params) -> Self {
        Self(Mutex::new(()))
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        Self::keep(ctx, self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        self.0.try_lock().is_ok_and(|guard| {
            Self::keep(ctx, guard);
            true
        })
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        // SAFETY: the vCPU's own slot; see Sync above. Taken out before it is dropped, so the lock is free only when the
        // slot is empty.
        drop(unsafe { (*ctx.mine().0.get()).take() });
    }
}
