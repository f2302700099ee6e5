//! Locks of shared objects: functions with C's calling convention, which are known only when the program runs.
//!
//! One lock type stands for all of them. Its head in the arena holds the functions and where the lock's own memory lies, on lines that
//! nobody writes while workers run; behind it, on lines of its own, lies that memory. The same holds for each vCPU: first its [`Seat`],
//! then the node that the lock has asked for. What C sees is `harness/include/lockbench.h`.

use core::alloc::Layout;
use core::cell::Cell;
use core::ffi::c_void;
use core::hint::cold_path;
use core::ptr;

use lockbench_locks::{Ctx, Order, Params, Platform, RawLock, Variant};

use crate::Family;
use crate::arena::Header;

/// `acquire` and `release` of lockbench.h.
pub type CallFn = unsafe extern "C" fn(lock: *mut c_void, me: *const Seat);
/// `try_acquire` of lockbench.h. A byte that is not 0 says that the lock was taken.
pub type TryFn = unsafe extern "C" fn(lock: *mut c_void, me: *const Seat) -> u8;
/// `init` of lockbench.h.
pub type InitFn = unsafe extern "C" fn(lock: *mut c_void, vcpus: u32);
/// `init_node` of lockbench.h.
pub type InitNodeFn = unsafe extern "C" fn(lock: *mut c_void, node: *mut c_void, vcpu: u32);

/// The functions of a lock.
#[derive(Clone, Copy, Debug)]
pub struct Functions {
    /// Makes the lock, in zeroed memory; none where zeros are a free lock.
    pub init: Option<InitFn>,
    /// Makes a vCPU's node, in zeroed memory, after the lock; none where zeros will do.
    pub init_node: Option<InitNodeFn>,
    /// Waits for the lock.
    pub acquire: CallFn,
    /// Frees the lock.
    pub release: CallFn,
    /// Takes the lock if that is possible without waiting; none where the lock cannot.
    pub try_acquire: Option<TryFn>,
}

/// What a lock of a shared object needs in an arena.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// Size and alignment of the lock.
    pub lock: Layout,
    /// What the lock needs more for each vCPU, behind itself, in bytes.
    pub more_per_vcpu: usize,
    /// Size and alignment of a vCPU's node.
    pub node: Layout,
    /// Whether waiters are admitted in an order.
    pub ordered: bool,
    /// Whether waiters may sleep.
    pub blocks: bool,
}

/// The vCPU that calls: `struct lockbench_vcpu` of lockbench.h.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct Seat {
    number: u32,
    vcpus: u32,
    node: *mut c_void,
    first_node: *mut c_void,
    node_stride: usize,
    relax: RelaxFn,
    /// The address of the platform of the worker that is calling, for `relax`: exposed by the last call whose platform lay elsewhere.
    platform: Cell<usize>,
}

/// One step of a wait.
type RelaxFn = unsafe extern "C" fn(me: *const Seat);

// SAFETY: `platform` is written and read by the vCPU that the seat belongs to, which is one thread; the rest is written before there
// are vCPUs.
unsafe impl Sync for Seat {}

impl Default for Seat {
    fn default() -> Self {
        Self {
            number: 0,
            vcpus: 0,
            node: ptr::null_mut(),
            first_node: ptr::null_mut(),
            node_stride: 0,
            relax: unfurnished_relax,
            platform: Cell::new(0),
        }
    }
}

/// The head of such a lock. `ORDERED` and `BLOCKS` are what a worker is compiled for.
#[derive(Debug)]
#[repr(C, align(128))]
struct SharedObject<const ORDERED: bool, const BLOCKS: bool> {
    acquire: CallFn,
    release: CallFn,
    try_acquire: Option<TryFn>,
    /// The lock's own memory.
    lock: *mut c_void,
    /// `relax` of the workers' platform.
    relax: RelaxFn,
}

// SAFETY: the head is written before there are vCPUs and only read from then on. That the functions may be called by several threads
// at once is what makes them a lock's.
unsafe impl<const ORDERED: bool, const BLOCKS: bool> Sync for SharedObject<ORDERED, BLOCKS> {}

/// A step of a wait of the vCPU whose seat is `me`.
///
/// # Safety
///
/// `me` must be the seat of the calling vCPU, inside a call of `acquire`, `try_acquire` or `release` on the platform `P`.
unsafe extern "C" fn relax<P: Platform>(me: *const Seat) {
    // SAFETY: the call that the caller vouches for exposed the platform's address and saw to it that it stands here before it
    // called the lock; the platform outlives that call.
    unsafe { (*ptr::with_exposed_provenance::<P>((*me).platform.get())).relax() };
}

/// Stands where [`furnish`] puts a lock's function.
unsafe extern "C" fn unfurnished(_: *mut c_void, _: *const Seat) {
    loop {
        core::hint::spin_loop();
    }
}

/// Stands where [`furnish`] puts the platform's `relax`.
unsafe extern "C" fn unfurnished_relax(_: *const Seat) {}

impl<const ORDERED: bool, const BLOCKS: bool> SharedObject<ORDERED, BLOCKS> {
    /// Says to `relax` on whose behalf the lock is called. A worker says so once, for its platform stays where it is: a store at
    /// each call would wait in the store buffer, which the lock's next locked instruction has to drain.
    #[inline(always)]
    fn seat<'a, P: Platform>(ctx: &'a Ctx<'_, Self, P>) -> &'a Seat {
        let seat = ctx.kept_mine();
        // Exposed at every call, for what lay at this address at an earlier call may be gone.
        let platform = ptr::from_ref(ctx.platform()).expose_provenance();
        if seat.platform.get() != platform {
            cold_path();
            seat.platform.set(platform);
        }
        seat
    }
}

impl<const ORDERED: bool, const BLOCKS: bool> RawLock for SharedObject<ORDERED, BLOCKS> {
    const NAME: &'static str = "shared-object";
    const VARIANTS: &'static [Variant] = &[];
    const ORDER: Order = if ORDERED { Order::Fifo } else { Order::Unfair };
    const SOURCE: &'static str = "a shared object";
    const BLOCKS: bool = BLOCKS;
    type PerVcpu = Seat;

    fn new<P: Platform>(_: &Params) -> Self {
        Self {
            acquire: unfurnished,
            release: unfurnished,
            try_acquire: None,
            lock: ptr::null_mut(),
            relax: relax::<P>,
        }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        // SAFETY: `furnish` put a lock's functions here, with its memory; the seat is the calling vCPU's.
        unsafe { (self.acquire)(self.lock, Self::seat(ctx)) };
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        // SAFETY: as in `acquire`.
        self.try_acquire.is_some_and(|function| unsafe { function(self.lock, Self::seat(ctx)) } != 0)
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        // SAFETY: as in `acquire`.
        unsafe { (self.release)(self.lock, Self::seat(ctx)) };
    }
}

/// The head, whatever its workers are compiled for: all are laid out alike.
type Head = SharedObject<false, false>;

/// The workers of a lock of a shared object, with the room that it needs; its names and properties are the caller's to fill in.
///
/// # Panics
///
/// If the lock or a node is about as large as the address space.
pub fn family(needs: &Needs) -> Family {
    let mut family = match (needs.ordered, needs.blocks) {
        (false, false) => Family::of::<SharedObject<false, false>>(),
        (false, true) => Family::of::<SharedObject<false, true>>(),
        (true, false) => Family::of::<SharedObject<true, false>>(),
        (true, true) => Family::of::<SharedObject<true, true>>(),
    };
    family.lock = behind::<Head>(needs.lock);
    family.more_per_vcpu = needs.more_per_vcpu;
    family.per_vcpu = behind::<Seat>(needs.node);
    family.compiled_with_checks(cfg!(debug_assertions))
}

/// Room for a `T` and for a part behind it, which begins on a line of its own. A part that asks for more than a line's alignment makes
/// the whole ask for it, and an arena refuses that.
fn behind<T>(part: Layout) -> Layout {
    Layout::from_size_align(size_of::<T>() + part.size(), part.align().max(align_of::<T>()))
        .expect("a lock and a node are far smaller than the address space")
}

/// Puts a lock's functions into an arena, and makes the locks and the vCPUs' nodes: a set of nodes for each lock.
///
/// # Safety
///
/// `arena` must be mapped whole and writable, laid out for a [`family`] of these functions, and the `init` of one of its workers must
/// have run. Nobody else may use it yet. The functions must be those of a lock.
pub unsafe fn furnish(arena: *mut Header, functions: &Functions) {
    // SAFETY: as the caller vouches, for each lock lie a head, and behind each block a seat, with room for the lock and for a node behind
    // them: such locks do not share seats.
    unsafe {
        let (layout, vcpus) = ((*arena).plan.layout, (*arena).plan.params.vcpus);
        for which in 0..(*arena).plan.locks as usize {
            let head = layout.lock::<Head>(arena, which);
            let lock = head.add(1).cast::<c_void>();
            (*head).acquire = functions.acquire;
            (*head).release = functions.release;
            (*head).try_acquire = functions.try_acquire;
            (*head).lock = lock;
            if let Some(init) = functions.init {
                init(lock, vcpus);
            }
            let first = layout.first_part::<Seat>(arena, which);
            for number in 0..vcpus {
                let seat = first.byte_add(number as usize * layout.stride);
                let node = seat.add(1).cast::<c_void>();
                *seat = Seat {
                    number,
                    vcpus,
                    node,
                    first_node: first.add(1).cast(),
                    node_stride: layout.stride,
                    relax: (*head).relax,
                    platform: Cell::new(0),
                };
                if let Some(init) = functions.init_node {
                    init(lock, node, number);
                }
            }
        }
    }
}

/// What lies behind a head or a seat begins on a line of its own.
const _: () = assert!(size_of::<Head>() == 128 && size_of::<Seat>() == 128);

#[cfg(test)]
mod tests {
    use super::*;
    use lockbench_locks::{Code, Event};

    /// Counts the steps of waits.
    struct Counting<'a>(&'a Cell<u32>);

    impl Platform for Counting<'_> {
        const CODE: Code = Code::Bare;
        fn relax(&self) {
            self.0.set(self.0.get() + 1);
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
        fn add(&self, _: Event, _: u64) {}
    }

    /// A lock that relaxes once before it is taken and counts what was done to it.
    unsafe extern "C" fn acquire(lock: *mut c_void, me: *const Seat) {
        // SAFETY: the test passes a word as the lock, and the seat of its only vCPU.
        unsafe {
            ((*me).relax)(me);
            *lock.cast::<u32>() += 1;
        }
    }
    unsafe extern "C" fn release(lock: *mut c_void, _: *const Seat) {
        // SAFETY: as in `acquire`.
        unsafe { *lock.cast::<u32>() += 10 };
    }
    unsafe extern "C" fn try_acquire(lock: *mut c_void, _: *const Seat) -> u8 {
        // SAFETY: as in `acquire`.
        (unsafe { *lock.cast::<u32>() } == 0).into()
    }

    #[test]
    fn calls_reach_the_objects_functions_and_relax_the_platform_of_the_caller() {
        fn head<P: Platform>(_: &P, lock: *mut u32, try_acquire: Option<TryFn>) -> (Head, Seat) {
            let made = Head::new::<P>(&Params::default());
            let seat = Seat { relax: made.relax, ..Seat::default() };
            (Head { acquire, release, try_acquire, lock: lock.cast(), ..made }, seat)
        }
        let (mut word, steps, params) = (0_u32, Cell::new(0), Params { vcpus: 1, ..Params::default() });
        let (lock, seat) = head(&Counting(&steps), &raw mut word, Some(try_acquire));
        let seats = [seat];
        let ctx = Ctx::over(0, &seats, &params, Counting(&steps));
        assert!(lock.try_acquire(&ctx), "the word is 0");
        lock.acquire(&ctx);
        lock.release(&ctx);
        assert!(!lock.try_acquire(&ctx));
        let (without, _) = head(&Counting(&steps), &raw mut word, None);
        assert!(!without.try_acquire(&ctx), "what a lock cannot do is not done");
        assert_eq!((word, steps.get()), (11, 1));
        // A caller whose platform lies elsewhere is heard at once, and so is the first one after it.
        let other = Cell::new(0);
        lock.acquire(&Ctx::over(0, &seats, &params, Counting(&other)));
        assert_eq!((steps.get(), other.get()), (1, 1));
        lock.acquire(&ctx);
        assert_eq!((steps.get(), other.get()), (2, 1));
    }
}
