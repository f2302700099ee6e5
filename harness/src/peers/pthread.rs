//! The C library's locks: mutexes (normal and adaptive) and the spinlock of POSIX threads.

use std::cell::UnsafeCell;

use lockbench_workloads::locks::{Ctx, Order, Params, Platform, RawLock, Variant};

macro_rules! pthread_lock {
    (
        $(#[$doc:meta])* $name:ident($word:ty = $free:expr), $variant:expr, blocks: $blocks:expr,
        $lock:path, $try_lock:path, $unlock:path
    ) => {
        $(#[$doc])*
        pub(super) struct $name(UnsafeCell<$word>);

        // SAFETY: the C library's locks are made to be used by several threads at once, by their address alone.
        unsafe impl Sync for $name {}

        impl RawLock for $name {
            const NAME: &'static str = Self::VARIANTS[0].name;
            const VARIANTS: &'static [Variant] = &[$variant];
            const ORDER: Order = Order::Unfair;
            const SOURCE: &'static str = "POSIX threads of the C library";
            const BLOCKS: bool = $blocks;
            const RELAXES: bool = false;
            type PerVcpu = ();

            fn new<P: Platform>(_: &Params) -> Self {
                Self(UnsafeCell::new($free))
            }

            #[inline(always)]
            fn acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
                // SAFETY: the lock is initialised, and stays at its place in the arena once there are vCPUs. The only errors
                // of this kind of lock are those of a thread that holds it already.
                unsafe { $lock(self.0.get()) };
            }

            #[inline(always)]
            fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
                // SAFETY: as in `acquire`.
                unsafe { $try_lock(self.0.get()) == 0 }
            }

            #[inline(always)]
            fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
                // SAFETY: as in `acquire`; the calling vCPU holds the lock, and a vCPU is one thread.
                unsafe { $unlock(self.0.get()) };
            }
        }
    };
}

pthread_lock!(
    /// A mutex of the kind that a program gets if it asks for none.
    Mutex(libc::pthread_mutex_t = libc::PTHREAD_MUTEX_INITIALIZER),
    Variant::new("pthread-mutex", "pthread_mutex_t, normal: sleeps at once in the kernel (futex)").against("std-mutex"),
    blocks: true, libc::pthread_mutex_lock, libc::pthread_mutex_trylock, libc::pthread_mutex_unlock
);

pthread_lock!(
    /// A mutex whose waiters spin before they sleep.
    Adaptive(libc::pthread_mutex_t = libc::PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP),
    Variant::new("pthread-adaptive", "pthread_mutex_t, adaptive: spins for as long as spinning has paid, then sleeps")
        .against("pthread-mutex"),
    blocks: true, libc::pthread_mutex_lock, libc::pthread_mutex_trylock, libc::pthread_mutex_unlock
);

pthread_lock!(
    /// A spinlock.
    Spin(libc::pthread_spinlock_t = free_spinlock()),
    Variant::new("pthread-spin", "pthread_spinlock_t: test-and-test-and-set behind a function call").against("tas"),
    blocks: false, libc::pthread_spin_lock, libc::pthread_spin_trylock, libc::pthread_spin_unlock
);

/// What a free spinlock is depends on the processor. It is a plain number, which may be moved as long as nobody uses it.
fn free_spinlock() -> libc::pthread_spinlock_t {
    let mut word = 0;
    // SAFETY: the word is valid for writing, and all that is done is to write it.
    unsafe { libc::pthread_spin_init(&raw mut word, libc::PTHREAD_PROCESS_PRIVATE) };
    word
}
