//! MCS-TP: an MCS queue whose waiters publish the time, so that the holder can skip those who are off their pCPUs.

use core::ptr;

use crate::line::successor;
use crate::sync::{AtomicPtr, AtomicU8, AtomicU64, Ordering};
use crate::{Ctx, Order, Params, Platform, RawLock, Variant};

/// A queue of nodes, one per vCPU; each waiter writes the time into its node while it spins. A release takes nodes whose time is
/// old out of the queue, and hands the lock to the first whose time is not. Whoever was taken out queues again.
#[derive(Debug)]
pub struct McsTp {
    tail: AtomicPtr<Node>,
}

/// A vCPU's place in the queue, on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Node {
    next: AtomicPtr<Node>,
    state: AtomicU8,
    /// When its owner last looked at `state`, in ticks.
    seen: AtomicU64,
}

const WAITING: u8 = 0;
const GRANTED: u8 = 1;
/// Taken out of the queue, and its owner's again.
const SKIPPED: u8 = 2;

/// Whoever has not published the time for so many ticks is taken to be off its pCPU.
const STALE: u64 = 1 << 15;

impl McsTp {
    /// Queues, and tells whether it has the lock then: not if it was skipped.
    #[inline(always)]
    fn queue<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        let node = ctx.mine();
        node.next.store(ptr::null_mut(), Ordering::Relaxed);
        node.state.store(WAITING, Ordering::Relaxed);
        // Release publishes the node's stores to whoever walks the queue; acquire orders the section after the previous
        // holder's release of an empty queue, and makes the predecessor's node readable.
        let previous = self.tail.swap(ptr::from_ref(node).cast_mut(), Ordering::AcqRel);
        if previous.is_null() {
            return true;
        }
        Self::wait(node, previous, ctx)
    }

    /// Waits behind `previous`, and returns whether the lock was handed over.
    #[cold]
    #[inline(never)]
    fn wait<P: Platform>(node: &Node, previous: *mut Node, ctx: &Ctx<'_, Self, P>) -> bool {
        node.seen.store(ctx.platform().now(), Ordering::Relaxed);
        // SAFETY: `tail` only ever holds nodes out of the contexts' blocks, which outlive the lock's use; no node leaves the
        // queue before whoever takes it out has seen this link. Release: who follows it finds the time above.
        unsafe { &*previous }.next.store(ptr::from_ref(node).cast_mut(), Ordering::Release);
        loop {
            // Acquire: the section comes after the previous holder's; and after its last access to a node that it took out,
            // the owner may use the node again.
            match node.state.load(Ordering::Acquire) {
                WAITING => {
                    ctx.platform().relax();
                    node.seen.store(ctx.platform().now(), Ordering::Relaxed);
                }
                state => return state == GRANTED,
            }
        }
    }

    /// The node behind `node`, or none: then the queue is empty, and the lock free.
    #[inline(always)]
    fn behind<'a, P: Platform>(&self, node: &Node, ctx: &Ctx<'a, Self, P>) -> Option<&'a Node> {
        let mut next = node.next.load(Ordering::Acquire);
        if next.is_null() {
            let last = ptr::from_ref(node).cast_mut();
            // Release: the section comes before that of whoever finds the queue empty.
            if self.tail.compare_exchange(last, ptr::null_mut(), Ordering::Release, Ordering::Relaxed).is_ok() {
                return None;
            }
            next = successor(&node.next, ctx.platform());
        }
        // SAFETY: `next` was published by its owner, which spins on `state` and so keeps the node in place.
        Some(unsafe { &*next })
    }

    /// Hands the lock to the first waiter behind `waiter`, itself included, that has lately published the time.
    #[cold]
    #[inline(never)]
    fn hand_over<'a, P: Platform>(&self, mut waiter: &'a Node, ctx: &Ctx<'a, Self, P>) {
        // Skipped ones may queue again meanwhile, and be off again: so the search ends with as many nodes as there are vCPUs.
        for _ in 1..ctx.vcpus() {
            let age = ctx.platform().now().wrapping_sub(waiter.seen.load(Ordering::Relaxed)).cast_signed();
            // Negative where the other pCPU's counter is ahead.
            if age <= STALE.cast_signed() {
                break;
            }
            let next = self.behind(waiter, ctx);
            // Release: its owner uses the node again only after the accesses to it here.
            waiter.state.store(SKIPPED, Ordering::Release);
            match next {
                Some(next) => waiter = next,
                None => return,
            }
        }
        // Release: the section comes before the waiter's.
        waiter.state.store(GRANTED, Ordering::Release);
    }
}

impl RawLock for McsTp {
    const NAME: &'static str = "mcs-tp";
    const VARIANTS: &'static [Variant] = &[Variant::new("mcs-tp", "mcs whose waiters publish the time; those that do not are skipped").against("mcs")];
    const ORDER: Order = Order::Hybrid;
    const SOURCE: &'static str = "He, Scherer and Scott, HiPC 2005";
    const LEAF: bool = true;
    type PerVcpu = Node;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { tail: AtomicPtr::new(ptr::null_mut()) }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        while !self.queue(ctx) {}
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        let node = ctx.mine();
        node.next.store(ptr::null_mut(), Ordering::Relaxed);
        let mine = ptr::from_ref(node).cast_mut();
        // As in `queue`.
        self.tail.compare_exchange(ptr::null_mut(), mine, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        if let Some(waiter) = self.behind(ctx.mine(), ctx) {
            self.hand_over(waiter, ctx);
        }
    }
}
