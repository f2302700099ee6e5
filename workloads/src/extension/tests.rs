//! A worker on an rseq area that is none: a lock looks at it where it is taken and freed, and the test grants what it likes.

use core::alloc::Layout as Room;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Release};
use std::alloc::{alloc_zeroed, handle_alloc_error};
use std::boxed::Box;
use std::thread;

use lockbench_locks::{Ctx, Order, Params, Platform, RawLock, Variant};

use super::*;
use crate::arena::{Extent, Header, Layout, Plan};
use crate::{Bare, Count, worker};

const PAGE: usize = 4096;
/// After so many sections the worker of this test sleeps for ever.
const SECTIONS: u32 = 4;

/// The area of the only vCPU, once the test has made it.
static AREA: AtomicPtr<SliceControl> = AtomicPtr::new(core::ptr::null_mut());
static TAKEN: AtomicU32 = AtomicU32::new(0);
/// The word that the kernel changes when the pCPU is lost.
static PROBE: AtomicU64 = AtomicU64::new(0);
static GIVEN_BACK: AtomicU32 = AtomicU32::new(0);
/// How often the worker was where it should not be, or the area was not what it should be.
static WRONG: AtomicU32 = AtomicU32::new(0);

fn expect(is_so: bool) {
    if !is_so {
        WRONG.fetch_add(1, Relaxed);
    }
}

fn area() -> &'static SliceControl {
    // SAFETY: the test leaks it before the worker starts.
    unsafe { &*AREA.load(Acquire) }
}

/// A lock for one vCPU.
struct Watched;

impl RawLock for Watched {
    const NAME: &'static str = "watched";
    const VARIANTS: &'static [Variant] = &[];
    const ORDER: Order = Order::Fifo;
    const SOURCE: &'static str = "this test";
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self
    }

    fn acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        expect(area().request.load(Relaxed) == 0);
        if TAKEN.fetch_add(1, Release) == SECTIONS {
            loop {
                thread::park();
            }
        }
    }

    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        false
    }

    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        expect(area().request.load(Relaxed) == 1);
        // The kernel grants every other request, and clears it.
        if TAKEN.load(Relaxed).is_multiple_of(2) {
            area().request.store(0, Relaxed);
            area().granted.store(1, Relaxed);
        }
    }
}

/// What the kernel does in `rseq_slice_yield`.
unsafe extern "C" fn give_back(_: *const Header, _: u32) {
    expect(area().request.load(Relaxed) == 0 && area().granted.load(Relaxed) == 1);
    area().granted.store(0, Relaxed);
    PROBE.fetch_add(1, Relaxed);
    GIVEN_BACK.fetch_add(1, Relaxed);
}

fn plan(layout: Layout) -> Plan {
    Plan { extends: true, ..Plan::plain(layout, Params { vcpus: 1, ..Default::default() }, PAGE) }
}

#[test]
fn a_holder_asks_while_it_holds_and_gives_back_only_what_was_granted() {
    AREA.store(Box::leak(Box::default()), Release);
    let layout = Layout::new(Room::new::<Watched>(), Room::new::<()>(), &Extent::plain(1, PAGE)).unwrap();
    let room = Room::from_size_align(layout.total, PAGE).unwrap();
    // SAFETY: an arena has a header at least. Zeros are a header and blocks that nobody has used. The memory is never freed, for the
    // worker never ends, and only this function uses it before the worker starts.
    let arena = unsafe {
        let arena = alloc_zeroed(room).cast::<Header>();
        if arena.is_null() {
            handle_alloc_error(room);
        }
        (&raw mut (*arena).plan).write(plan(layout));
        crate::worker::init::<Watched, Bare, Count>(arena);
        let env = &(*arena).block(0).env;
        env.slice.store(AREA.load(Relaxed), Relaxed);
        env.probe.store(PROBE.as_ptr(), Relaxed);
        *env.give_back.get() = Some(give_back);
        &*arena
    };
    // SAFETY: the arena was made for just this worker, and its only vCPU runs here alone.
    thread::spawn(move || unsafe { worker::<Watched, Bare, Count>(arena, 0) });
    while TAKEN.load(Acquire) <= SECTIONS {
        thread::yield_now();
    }
    // SAFETY: there is a vCPU 0.
    let own = unsafe { &arena.block(0).own };
    let counted = own.events[lockbench_locks::Event::SliceExtended as usize].load(Relaxed);
    assert_eq!((WRONG.load(Relaxed), GIVEN_BACK.load(Relaxed), counted), (0, SECTIONS / 2, 2));
    assert_eq!(
        own.preempted.each_ref().map(|times| times.load(Relaxed)),
        [0; 3],
        "giving back is no preemption"
    );
}
