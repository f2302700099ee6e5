//! No access to a lock after its release: whoever acquires it next may free it at once.
#![cfg(all(target_os = "linux", not(locks_loom)))]

mod common;

use std::ptr::{self, NonNull};

use common::machine::{Machine, Vcpu, blocks};
use common::params;
use lockbench_locks::{PvByte, RawLock, for_each_lock};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

const ROUNDS: usize = 100;

/// A page of its own for one lock, so that any access after `forbid` is a segmentation fault.
struct Page(NonNull<u8>);

// SAFETY: it is only an address; who may use the memory is the test's business.
unsafe impl Sync for Page {}

impl Page {
    const SIZE: usize = 4096;

    fn new() -> Self {
        let flags = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new anonymous mapping, wherever the kernel likes.
        let page = unsafe { mmap_anonymous(ptr::null_mut(), Self::SIZE, flags, MapFlags::PRIVATE) };
        Self(NonNull::new(page.unwrap().cast()).unwrap())
    }

    fn forbid(&self) {
        // SAFETY: the page is ours, and that nobody touches it from here on is what the test checks.
        unsafe { mprotect(self.0.as_ptr().cast(), Self::SIZE, MprotectFlags::empty()) }.unwrap();
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: the page is ours and nobody else knows it any more.
        unsafe { munmap(self.0.as_ptr().cast(), Self::SIZE) }.unwrap();
    }
}

fn is_left_alone<L: RawLock, const PARAVIRT: bool>(hypervisor: bool) {
    let machine = Machine::new(params(1, hypervisor, 2));
    for _ in 0..ROUNDS {
        // Of the lock's own, for a vCPU may have a node of `clh` for its own that lies in the lock.
        let blocks = blocks::<L>(&machine);
        let page = Page::new();
        let place = page.0.cast::<L>();
        assert!(size_of::<L>() <= Page::SIZE);
        // SAFETY: the page is large enough, aligned for anything and ours.
        unsafe { place.write(machine.lock::<L, PARAVIRT>()) };
        let (machine, blocks, page) = (&machine, &blocks, &page);
        let context = |me| Vcpu::<PARAVIRT>::context::<L>(machine, blocks, me);
        let first = context(0);
        // SAFETY: the lock was written above; it is used by two vCPUs that hold it in turn, and the second one
        // forbids it only while holding it.
        let lock = || unsafe { page.0.cast::<L>().as_ref() };
        lock().acquire(&first);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                lock().acquire(&context(1));
                page.forbid();
            });
            std::thread::yield_now();
            lock().release(&first);
        });
    }
}

fn check<L: RawLock>() {
    // The byte lock's historical unlock reads the count of sleepers after the store that frees the lock.
    if L::NAME != PvByte::NAME {
        // A lock that blocks has halt and kick in every form.
        if !L::BLOCKS {
            is_left_alone::<L, false>(false);
        }
        is_left_alone::<L, true>(false);
        is_left_alone::<L, true>(true);
    }
}

#[test]
fn a_released_lock_is_left_alone() {
    macro_rules! every { ($($lock:path),+) => { $(check::<$lock>();)+ } }
    for_each_lock!(every);
}
