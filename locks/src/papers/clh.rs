//! The CLH queue lock: each waiter spins on the node of the one before it.

use core::ptr;

use crate::sync::{AtomicBool, AtomicPtr, Ordering};
use crate::{Ctx, Order, Params, Platform, RawLock, Variant};

/// A queue that nobody links: a waiter knows its predecessor's node from the tail, spins on it, and has it for its own when
/// the lock is taken. So nodes wander, and there is one more of them than vCPUs.
#[derive(Debug)]
pub struct Clh {
    tail: Tail,
    /// The node of nobody, behind which the first vCPU of all queues. It leaves with that vCPU and does not come back.
    first: Node,
}

/// The last node of the queue; null stands for [`Clh::first`], whose address a lock does not know when it is made.
#[derive(Debug)]
#[repr(align(128))]
struct Tail(AtomicPtr<Node>);

/// Whether whoever queued with this node still holds the lock or waits for it; on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Node(AtomicBool);

/// The nodes that a vCPU has at the moment, and the one that it begins with. The blocks must belong to a single lock.
#[derive(Debug, Default)]
pub struct Place {
    own: Own,
    initial: Node,
}

/// Which nodes these are, for the vCPU alone to know.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Own {
    /// The node to queue with next; null stands for the initial one.
    spare: AtomicPtr<Node>,
    /// The node that it holds the lock with.
    held: AtomicPtr<Node>,
}

impl Place {
    /// Address of the node that this vCPU queues with next.
    #[doc(hidden)]
    pub fn node(&self) -> usize {
        self.spare().addr()
    }

    /// The node to queue with next.
    #[inline(always)]
    fn spare(&self) -> *mut Node {
        let spare = self.own.spare.load(Ordering::Relaxed);
        if spare.is_null() { ptr::from_ref(&self.initial).cast_mut() } else { spare }
    }

    /// The lock was taken with `node`, and the predecessor has no more use for `previous`.
    #[inline(always)]
    fn took(&self, node: *mut Node, previous: *mut Node) {
        self.own.held.store(node, Ordering::Relaxed);
        self.own.spare.store(previous, Ordering::Relaxed);
    }
}

impl Clh {
    #[inline(always)]
    fn known(&self, node: *mut Node) -> *mut Node {
        if node.is_null() { ptr::from_ref(&self.first).cast_mut() } else { node }
    }

    /// Whether `node` is of somebody who holds the lock or waits for it.
    #[inline(always)]
    fn is_busy(node: *mut Node) -> bool {
        // SAFETY: nodes lie in the vCPUs' blocks, or one in the lock, and live as long as these.
        let node = unsafe { &*node };
        // Acquire: finding it free is taking the lock; and whoever took the node over may only then write to it again.
        node.0.load(Ordering::Acquire)
    }

    #[cold]
    #[inline(never)]
    fn wait<P: Platform>(&self, node: *mut Node, previous: *mut Node, ctx: &Ctx<'_, Self, P>) {
        while Self::is_busy(previous) {
            ctx.platform().relax();
        }
        ctx.mine().took(node, previous);
    }

    /// The node to queue with, marked.
    #[inline(always)]
    fn node<P: Platform>(ctx: &Ctx<'_, Self, P>) -> *mut Node {
        let node = ctx.mine().spare();
        // SAFETY: as in `is_busy`. Relaxed: the swap or exchange of the tail publishes it.
        unsafe { &*node }.0.store(true, Ordering::Relaxed);
        node
    }
}

impl RawLock for Clh {
    const NAME: &'static str = "clh";
    const VARIANTS: &'static [Variant] = &[Variant::new("clh", "queue lock whose waiters spin on the node before theirs, FIFO").against("mcs")];
    const ORDER: Order = Order::Fifo;
    const SOURCE: &'static str = "Craig, TR 93-02-02, University of Washington, 1993";
    const LEAF: bool = true;
    type PerVcpu = Place;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { tail: Tail(AtomicPtr::new(ptr::null_mut())), first: Node::default() }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let node = Self::node(ctx);
        // Release publishes the mark to the successor; acquire makes the predecessor's mark visible, without which a
        // node that was used before would look free.
        let previous = self.known(self.tail.0.swap(node, Ordering::AcqRel));
        if Self::is_busy(previous) {
            self.wait(node, previous, ctx);
        } else {
            ctx.mine().took(node, previous);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        // Acquire: as in `acquire`, so that the node's mark is seen.
        let tail = self.tail.0.load(Ordering::Acquire);
        let previous = self.known(tail);
        if Self::is_busy(previous) {
            return false;
        }
        let node = Self::node(ctx);
        if self.tail.0.compare_exchange(tail, node, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return false;
        }
        // In between others may have taken and given back the lock, and one of them queued with this very node. Then it
        // is busy again, and this vCPU leaves the queue unless another already waits behind it.
        if Self::is_busy(previous) {
            if self.tail.0.compare_exchange(node, tail, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return false;
            }
            self.wait(node, previous, ctx);
        } else {
            ctx.mine().took(node, previous);
        }
        true
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        // SAFETY: as in `is_busy`; this vCPU took the lock with the node.
        let node = unsafe { &*ctx.mine().own.held.load(Ordering::Relaxed) };
        // Release: the section comes before the successor's. From here on the node is the successor's, or the tail's.
        node.0.store(false, Ordering::Release);
    }
}
