//! A queue of waiters inside another lock: MCS without the lock. And the wait for a link, as every queue of this kind has it.

use core::ptr;

use crate::Platform;
use crate::sync::{AtomicBool, AtomicPtr, Ordering};

/// The queue's end.
#[derive(Debug)]
pub(crate) struct Line {
    tail: AtomicPtr<Place>,
}

/// A vCPU's place in a [`Line`], on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Place {
    next: AtomicPtr<Place>,
    first: AtomicBool,
}

/// The successor of whoever has the link `next`: somebody has swapped the tail behind it, and has linked itself or is about to.
#[inline(always)]
pub(crate) fn successor<T>(next: &AtomicPtr<T>, platform: &impl Platform) -> *mut T {
    loop {
        // Acquire: what the successor wrote into its node before it linked itself.
        let successor = next.load(Ordering::Acquire);
        if !successor.is_null() {
            return successor;
        }
        platform.relax();
    }
}

impl Line {
    /// A line that nobody stands in.
    pub(crate) fn empty() -> Self {
        Self { tail: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Queues, and tells whether `mine` is the first at once.
    #[inline(always)]
    pub(crate) fn join(&self, mine: &Place) -> bool {
        mine.next.store(ptr::null_mut(), Ordering::Relaxed);
        mine.first.store(false, Ordering::Relaxed);
        let address = ptr::from_ref(mine).cast_mut();
        // Release publishes the two stores; acquire makes the predecessor's place readable, and orders what the first does after
        // what an earlier first did.
        let previous = self.tail.swap(address, Ordering::AcqRel);
        if previous.is_null() {
            return true;
        }
        // SAFETY: the tail only ever holds places out of the contexts' blocks, which outlive the lock's use; the predecessor
        // leaves, and so reuses its place, only after it has seen this link.
        unsafe { &*previous }.next.store(address, Ordering::Release);
        false
    }

    /// Queues, and waits until `mine` is the first.
    #[inline(always)]
    pub(crate) fn wait(&self, mine: &Place, platform: &impl Platform) {
        if !self.join(mine) {
            while !mine.is_first() {
                platform.relax();
            }
        }
    }

    /// Leaves the line, and tells whoever stands behind that it is the first.
    #[inline(always)]
    pub(crate) fn leave(&self, mine: &Place, platform: &impl Platform) {
        let address = ptr::from_ref(mine).cast_mut();
        // Acquire: the successor's place is readable.
        let mut next = mine.next.load(Ordering::Acquire);
        if next.is_null() {
            if self
                .tail
                .compare_exchange(address, ptr::null_mut(), Ordering::Release, Ordering::Relaxed)
                .is_ok()
            {
                return;
            }
            next = successor(&mine.next, platform);
        }
        // SAFETY: a place in a block, as above; only atomics of it are touched.
        unsafe { &*next }.first.store(true, Ordering::Release);
    }
}

impl Place {
    /// Whether everybody who stood before has left.
    #[inline(always)]
    pub(crate) fn is_first(&self) -> bool {
        self.first.load(Ordering::Acquire)
    }
}
