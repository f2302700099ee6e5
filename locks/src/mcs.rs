//! The MCS queue lock.

use core::ptr;

use crate::sync::{AtomicBool, AtomicPtr, Ordering};
use crate::{Ctx, Order, Params, Platform, RawLock, Variant};

/// A queue of nodes, one per vCPU; each waiter spins on a flag of its own.
#[derive(Debug)]
pub struct Mcs {
    tail: AtomicPtr<Node>,
}

/// A vCPU's place in the queue, on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Node {
    next: AtomicPtr<Node>,
    granted: AtomicBool,
}

impl RawLock for Mcs {
    const NAME: &'static str = "mcs";
    const VARIANTS: &'static [Variant] = &[Variant::new("mcs", "queue lock with local spinning, FIFO").core()];
    const ORDER: Order = Order::Fifo;
    const SOURCE: &'static str = "Mellor-Crummey and Scott, ACM TOCS 9(1), 1991";
    const LEAF: bool = true;
    type PerVcpu = Node;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { tail: AtomicPtr::new(ptr::null_mut()) }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let node = ctx.mine();
        node.next.store(ptr::null_mut(), Ordering::Relaxed);
        node.granted.store(false, Ordering::Relaxed);
        // Release publishes the node's two stores to the successor; acquire orders the section after the previous
        // holder's release of an empty queue, and makes the predecessor's node readable.
        let previous = self.tail.swap(ptr::from_ref(node).cast_mut(), Ordering::AcqRel);
        if previous.is_null() {
            return;
        }
        // SAFETY: `tail` only ever holds nodes out of the contexts' blocks, which outlive the lock's use; the
        // predecessor cannot reuse its node before it has seen this link.
        unsafe { &*previous }.next.store(ptr::from_ref(node).cast_mut(), Ordering::Release);
        while !node.granted.load(Ordering::Acquire) {
            ctx.platform().relax();
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        let node = ctx.mine();
        node.next.store(ptr::null_mut(), Ordering::Relaxed);
        let mine = ptr::from_ref(node).cast_mut();
        self.tail.compare_exchange(ptr::null_mut(), mine, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let node = ctx.mine();
        let mut next = node.next.load(Ordering::Acquire);
        if next.is_null() {
            let mine = ptr::from_ref(node).cast_mut();
            if self.tail.compare_exchange(mine, ptr::null_mut(), Ordering::Release, Ordering::Relaxed).is_ok() {
                return;
            }
            // Somebody swapped the tail and is about to link itself.
            loop {
                next = node.next.load(Ordering::Acquire);
                if !next.is_null() {
                    break;
                }
                ctx.platform().relax();
            }
        }
        // SAFETY: `next` was published by its owner, which spins on `granted` and so keeps the node in place.
        unsafe { &*next }.granted.store(true, Ordering::Release);
    }
}
