//! Locks that implement `RawMutex` of lock_api, 0.4 or 0.5, as locks to measure.

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

use lockbench_workloads::locks::{Ctx, Order, Params, Platform, RawLock, Variant};

/// What is to be known of a `RawMutex` besides its code. A mutex of which nothing is said may sleep, admits in no order, and
/// calls outside of itself.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The name under which it is measured, and what is said of it there.
    pub variant: Variant,
    /// The order in which it admits its waiters.
    pub order: Order,
    /// Where the algorithm comes from.
    pub source: &'static str,
    /// Whether its waiters may sleep.
    pub blocks: bool,
    /// Whether it is leaf code.
    pub leaf: bool,
}

impl About {
    /// What is known of a mutex by its path alone.
    pub const fn of(path: &'static str) -> Self {
        let variant = Variant::new(name_in(path), "a RawMutex of lock_api");
        Self { variant, order: Order::Unfair, source: path, blocks: true, leaf: false }
    }

    /// Names it otherwise than after its path.
    pub const fn named(self, name: &'static str) -> Self {
        Self { variant: Variant { name, ..self.variant }, ..self }
    }

    /// Its waiters spin and never sleep, and it calls nothing outside of itself: it runs inside a bare vCPU too.
    pub const fn spins(self) -> Self {
        Self { blocks: false, leaf: true, ..self }
    }

    /// It admits first come, first served.
    pub const fn fifo(self) -> Self {
        Self { order: Order::Fifo, ..self }
    }

    /// It admits in order, but for a bounded overtaking.
    pub const fn hybrid(self) -> Self {
        Self { order: Order::Hybrid, ..self }
    }

    /// Compares it with the lock of that name.
    pub const fn against(self, baseline: &'static str) -> Self {
        Self { variant: self.variant.against(baseline), ..self }
    }

    /// Says in one line what it is.
    pub const fn about(self, about: &'static str) -> Self {
        Self { variant: Variant { about, ..self.variant }, ..self }
    }

    /// Says where the algorithm comes from.
    pub const fn source(self, source: &'static str) -> Self {
        Self { source, ..self }
    }
}

/// The part of a path that names a mutex: the segment before `RawMutex`, or else the last one.
const fn name_in(path: &'static str) -> &'static str {
    let name = last_segment(path);
    match name.as_bytes() {
        b"RawMutex" if name.len() < path.len() => {
            last_segment(path.split_at(path.len() - "::RawMutex".len()).0)
        }
        _ => name,
    }
}

/// The last segment of a path, without what it is generic over.
const fn last_segment(path: &'static str) -> &'static str {
    let (bytes, mut to) = (path.as_bytes(), 0);
    while to < bytes.len() && bytes[to] != b'<' && bytes[to] != b' ' {
        to += 1;
    }
    let mut from = to;
    while from > 0 && bytes[from - 1] != b':' {
        from -= 1;
    }
    path.split_at(to).0.split_at(from).1
}

/// What two versions of lock_api have in common. `Version` tells the implementations apart.
pub trait AnyRawMutex<Version> {
    /// What a holder keeps until it releases.
    type Guard;
    /// A free mutex.
    fn free() -> Self;
    /// Waits for the mutex.
    fn lock(&self) -> Self::Guard;
    /// Takes the mutex if it is free.
    fn try_lock(&self) -> Option<Self::Guard>;
    /// Frees the mutex.
    ///
    /// # Safety
    ///
    /// The caller holds the mutex, and got the guard when it took it.
    unsafe fn unlock(&self, guard: Self::Guard);
}

/// lock_api 0.4.
#[derive(Debug)]
pub struct Version04;

impl<R: lock_api_04::RawMutex> AnyRawMutex<Version04> for R {
    type Guard = ();

    fn free() -> Self {
        R::INIT
    }

    #[inline(always)]
    fn lock(&self) {
        R::lock(self);
    }

    #[inline(always)]
    fn try_lock(&self) -> Option<()> {
        R::try_lock(self).then_some(())
    }

    #[inline(always)]
    unsafe fn unlock(&self, (): ()) {
        // SAFETY: the caller holds the mutex.
        unsafe { R::unlock(self) };
    }
}

/// lock_api 0.5.
#[derive(Debug)]
pub struct Version05;

impl<R: lock_api_05::RawMutex> AnyRawMutex<Version05> for R {
    type Guard = R::Guard;

    fn free() -> Self {
        R::INIT
    }

    #[inline(always)]
    fn lock(&self) -> R::Guard {
        R::lock(self)
    }

    #[inline(always)]
    fn try_lock(&self) -> Option<R::Guard> {
        R::try_lock(self)
    }

    #[inline(always)]
    unsafe fn unlock(&self, guard: R::Guard) {
        // SAFETY: the caller holds the mutex, and the guard is of that hold.
        unsafe { R::unlock(self, guard) };
    }
}

/// What [`raw_mutex!`](macro@crate::raw_mutex) knows of a mutex.
pub trait Described {
    /// See [`About`].
    const ABOUT: About;
}

/// A `RawMutex` as a lock to measure.
#[derive(Debug)]
pub struct Measured<R, Version, D> {
    mutex: R,
    described: PhantomData<fn() -> (Version, D)>,
}

/// Where the holder keeps its guard from acquire to release.
#[derive(Debug)]
pub struct Slot<G>(UnsafeCell<MaybeUninit<G>>);

impl<G> Default for Slot<G> {
    fn default() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }
}

// SAFETY: the field is private, and `Measured` reaches it by `ctx.mine()` alone, which is the block of the calling vCPU. A vCPU is one
// thread, so that no two threads touch a slot, and a guard is made and given back by the same thread.
unsafe impl<G> Sync for Slot<G> {}

impl<G> Slot<G> {
    #[inline(always)]
    fn keep(&self, guard: G) {
        // SAFETY: the vCPU's own slot; see Sync above.
        unsafe { (*self.0.get()).write(guard) };
    }
}

impl<Version, D: Described, R: AnyRawMutex<Version> + Sync> RawLock for Measured<R, Version, D> {
    const NAME: &'static str = D::ABOUT.variant.name;
    const VARIANTS: &'static [Variant] = &[D::ABOUT.variant];
    const ORDER: Order = D::ABOUT.order;
    const SOURCE: &'static str = D::ABOUT.source;
    const BLOCKS: bool = D::ABOUT.blocks;
    const LEAF: bool = D::ABOUT.leaf;
    const RELAXES: bool = false;
    type PerVcpu = Slot<R::Guard>;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { mutex: R::free(), described: PhantomData }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        ctx.mine().keep(self.mutex.lock());
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        self.mutex.try_lock().map(|guard| ctx.mine().keep(guard)).is_some()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        // SAFETY: the vCPU's own slot (see Sync above). `RawLock::release` is called by the vCPU that holds the lock, and whoever
        // holds it has put a guard there in `acquire` or `try_acquire`. The guard is taken out once: the next release comes after
        // the next acquire.
        unsafe {
            let guard = (*ctx.mine().0.get()).assume_init_read();
            self.mutex.unlock(guard);
        }
    }
}

/// The descriptors of locks that implement `RawMutex` of lock_api (0.4 or 0.5), for [`main_with`](crate::main_with):
/// `raw_mutex!(my_crate::RawMutex)`. What is to be known of one besides its code follows an arrow, in the words of
/// [`About`](crate::raw_mutex::About): `raw_mutex!(my_crate::RawTicket => named("my-ticket").spins().fifo())`.
#[macro_export]
macro_rules! raw_mutex {
    ($($lock:ty $(=> $($word:ident($($value:expr),*)).+)?),+ $(,)?) => {{
        static LOCKS: &[$crate::Family] =
            &[$($crate::raw_mutex_family!($lock $(, $($word($($value),*)).+)?)),+];
        LOCKS
    }};
}

/// The descriptor of one `RawMutex`.
#[doc(hidden)]
#[macro_export]
macro_rules! raw_mutex_family {
    ($lock:ty $(, $($word:ident($($value:expr),*)).+)?) => {{
        struct This;
        impl $crate::raw_mutex::Described for This {
            const ABOUT: $crate::raw_mutex::About =
                $crate::raw_mutex::About::of(stringify!($lock))$($(.$word($($value),*))+)?;
        }
        $crate::Family::of::<$crate::raw_mutex::Measured<$lock, _, This>>().compiled_with_checks(cfg!(debug_assertions))
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutex_is_named_by_its_path() {
        let names = [
            ("parking_lot::RawMutex", "parking_lot"),
            ("a::b::RawTicket", "RawTicket"),
            ("RawMutex", "RawMutex"),
            ("Mine", "Mine"),
            ("my::Mutex<x::Spin>", "Mutex"),
        ];
        for (path, name) in names {
            assert_eq!(About::of(path).variant.name, name, "{path}");
        }
    }

    /// Locks as users of lock_api write them.
    mod of_users {
        use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
        use std::sync::atomic::{AtomicBool, AtomicU32};

        /// A lock as a user of lock_api 0.4 writes it.
        pub(super) struct Old(AtomicBool);
        // SAFETY: whoever swaps false for true holds it.
        unsafe impl lock_api_04::RawMutex for Old {
            #[allow(clippy::declare_interior_mutable_const)]
            const INIT: Self = Self(AtomicBool::new(false));
            type GuardMarker = lock_api_04::GuardSend;
            fn lock(&self) {
                while !self.try_lock() {
                    std::hint::spin_loop();
                }
            }
            fn try_lock(&self) -> bool {
                !self.0.swap(true, Acquire)
            }
            unsafe fn unlock(&self) {
                self.0.store(false, Release);
            }
        }

        /// A lock of lock_api 0.5 whose guard carries something.
        pub(super) struct New(AtomicU32);
        // SAFETY: whoever changes 0 into 1 holds it.
        unsafe impl lock_api_05::RawMutex for New {
            #[allow(clippy::declare_interior_mutable_const)]
            const INIT: Self = Self(AtomicU32::new(0));
            type Guard = u64;
            fn lock(&self) -> u64 {
                loop {
                    if let Some(guard) = self.try_lock() {
                        return guard;
                    }
                }
            }
            fn try_lock(&self) -> Option<u64> {
                self.0.compare_exchange(0, 1, Acquire, Relaxed).ok().map(|_| 0xfeed)
            }
            unsafe fn unlock(&self, guard: u64) {
                assert_eq!(guard, 0xfeed, "the guard that lock gave");
                self.0.store(0, Release);
            }
            fn is_locked(&self) -> bool {
                self.0.load(Relaxed) != 0
            }
        }
    }
    use of_users::{New, Old};

    struct Of;
    impl Described for Of {
        const ABOUT: About = About::of("Of").spins();
    }

    fn excludes<Version, R: AnyRawMutex<Version> + Sync>() {
        struct Thread;
        impl Platform for Thread {
            const CODE: lockbench_workloads::locks::Code = lockbench_workloads::locks::Code::Bare;
            fn relax(&self) {
                std::hint::spin_loop();
            }
            fn halt(&self) {}
            fn kick(&self, _: usize) {}
            fn is_preempted(&self, _: usize) -> bool {
                false
            }
            fn now(&self) -> u64 {
                0
            }
            fn node_of(&self, _: usize) -> usize {
                0
            }
            fn add(&self, _: lockbench_workloads::locks::Event, _: u64) {}
        }
        let params = Params { vcpus: 2, ..Params::default() };
        let lock = Measured::<R, Version, Of>::new::<Thread>(&params);
        let blocks = [Slot::default(), Slot::default()];
        let mut counter = 0_u64;
        let at = (&raw mut counter) as usize;
        let both = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            for me in 0..2 {
                let (lock, blocks, params, both) = (&lock, &blocks, &params, &both);
                scope.spawn(move || {
                    both.wait();
                    let ctx = Ctx::over(me, blocks, params, Thread);
                    for _ in 0..10_000 {
                        lock.acquire(&ctx);
                        assert!(!lock.try_acquire(&ctx), "it is held");
                        // SAFETY: the counter outlives the threads, and only the holder touches it.
                        unsafe { *(at as *mut u64) += 1 };
                        lock.release(&ctx);
                    }
                });
            }
        });
        assert_eq!(counter, 20_000);
    }

    #[test]
    fn mutexes_of_both_versions_exclude_and_get_their_guard_back() {
        excludes::<Version04, Old>();
        excludes::<Version05, New>();
        let families = crate::raw_mutex!(Old => named("old").spins(), New => named("new").fifo());
        let [old, new] = families else { panic!("two were named") };
        assert_eq!((old.name, old.blocks, new.name, new.blocks), ("old", false, "new", true));
        assert_eq!(new.order, Order::Fifo);
        assert_eq!((old.leaf, old.checked), (true, cfg!(debug_assertions)));
    }
}
