//! The compact NUMA-aware lock.

use core::ptr;

use crate::line::successor;
use crate::sync::{AtomicPtr, AtomicU32, Ordering};
use crate::{Ctx, Order, Params, Platform, RawLock, Variant};

/// [`Mcs`](crate::Mcs) whose holder hands the lock to the first waiter of its own NUMA node. The waiters that it passes over go into
/// a second queue, which travels with the lock. After `LOCAL` handovers within a node the second queue comes first.
#[derive(Debug)]
pub struct Cna<const LOCAL: u32 = 65_536> {
    tail: AtomicPtr<Node>,
}

/// A vCPU's place in a queue, on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Node {
    /// The next in the queue, primary or secondary.
    next: AtomicPtr<Node>,
    /// Null while the vCPU waits. Then the first of the secondary queue, or [`GRANTED`] where there is none.
    granted: AtomicPtr<Node>,
    /// The last of the secondary queue, in the first of it.
    secondary_last: AtomicPtr<Node>,
    /// NUMA node of the vCPU, told once it waits.
    place: AtomicU32,
    /// How many handovers within one NUMA node came in a row before this one.
    local: AtomicU32,
}

/// No node lies there.
const GRANTED: *mut Node = ptr::without_provenance_mut(1);

impl Node {
    #[inline(always)]
    fn address(&self) -> *mut Self {
        ptr::from_ref(self).cast_mut()
    }

    /// The node behind a pointer that was read in a queue; none behind null.
    ///
    /// # Safety
    ///
    /// `node` must be null or a node that is still in a queue while the caller looks at it.
    #[inline(always)]
    unsafe fn at<'a>(node: *mut Self) -> Option<&'a Self> {
        // SAFETY: as the caller vouches; nodes lie in the contexts' blocks, which outlive the lock's use, and are only shared.
        unsafe { node.as_ref() }
    }

    /// Hands the lock over, with the secondary queue. Nothing of the caller's node is needed any more.
    #[inline(always)]
    fn grant(&self, secondary: *mut Self, local: u32) {
        self.local.store(local, Ordering::Relaxed);
        // Release: the section and both queues, for whoever finds itself granted.
        self.granted.store(secondary, Ordering::Release);
    }

    /// The successor, once it has linked itself.
    #[inline(always)]
    fn wait_for_next<'a>(&self, platform: &impl Platform) -> &'a Self {
        // SAFETY: a successor waits, and so keeps its node in the queue, until it is granted the lock by the caller.
        unsafe { &*successor(&self.next, platform) }
    }
}

impl<const LOCAL: u32> Cna<LOCAL> {
    /// Ends the queue at `last`, which must be its last. Release, so that whoever queues next finds the lock as this holder left it;
    /// `with` takes its place.
    #[inline(always)]
    fn replace_tail(&self, last: *mut Node, with: *mut Node) -> bool {
        self.tail.compare_exchange(last, with, Ordering::Release, Ordering::Relaxed).is_ok()
    }

    /// The first waiter on NUMA node `place` from `next` on, and those before it moved to the end of the secondary queue of `mine`;
    /// none, and nothing moved, where there is none.
    fn local_successor<'a>(mine: &'a Node, next: &'a Node, place: u32) -> Option<&'a Node> {
        if next.place.load(Ordering::Relaxed) == place {
            return Some(next);
        }
        let mut last = next;
        loop {
            // Acquire: what the waiter wrote into its node before it linked itself.
            // SAFETY: everybody behind the holder waits.
            let waiter = unsafe { Node::at(last.next.load(Ordering::Acquire)) }?;
            if waiter.place.load(Ordering::Relaxed) == place {
                // Only the holder reads and writes what follows: whoever queues meanwhile links itself to the queue's last node, and
                // `waiter` stands between.
                last.next.store(ptr::null_mut(), Ordering::Relaxed);
                let secondary = mine.granted.load(Ordering::Relaxed);
                let first = if secondary == GRANTED {
                    mine.granted.store(next.address(), Ordering::Relaxed);
                    next
                } else {
                    // SAFETY: who is in the secondary queue waits.
                    let first = unsafe { Node::at(secondary) }?;
                    // SAFETY: as above.
                    unsafe { Node::at(first.secondary_last.load(Ordering::Relaxed)) }?
                        .next
                        .store(next.address(), Ordering::Relaxed);
                    first
                };
                first.secondary_last.store(last.address(), Ordering::Relaxed);
                return Some(waiter);
            }
            last = waiter;
        }
    }

    #[cold]
    #[inline(never)]
    fn wait<P: Platform>(mine: &Node, previous: *mut Node, ctx: &Ctx<'_, Self, P>) {
        mine.place.store(ctx.platform().node_of(ctx.me()) as u32, Ordering::Relaxed);
        // Release: the node as it is now. Whoever was the last before waits for this link.
        // SAFETY: the predecessor cannot reuse its node before it has seen this link.
        if let Some(previous) = unsafe { Node::at(previous) } {
            previous.next.store(mine.address(), Ordering::Release);
        }
        while mine.granted.load(Ordering::Acquire).is_null() {
            ctx.platform().relax();
        }
    }

    /// Hands the lock to a waiter: there is one, or there was a secondary queue.
    #[inline(never)]
    fn hand_over<P: Platform>(&self, mine: &Node, ctx: &Ctx<'_, Self, P>) {
        // SAFETY: who is in the secondary queue waits; `GRANTED` is told apart first.
        let secondary = |of: *mut Node| if of == GRANTED { None } else { unsafe { Node::at(of) } };
        let first = secondary(mine.granted.load(Ordering::Relaxed));
        // SAFETY: as above.
        let last = first.and_then(|first| unsafe { Node::at(first.secondary_last.load(Ordering::Relaxed)) });
        if mine.next.load(Ordering::Acquire).is_null()
            && let (Some(first), Some(last)) = (first, last)
            && self.replace_tail(mine.address(), last.address())
        {
            // Nobody but the secondary queue waits: it becomes the primary one.
            first.grant(GRANTED, 0);
            return;
        }
        let next = mine.wait_for_next(ctx.platform());
        let local = mine.local.load(Ordering::Relaxed);
        if local < LOCAL
            && let Some(near) =
                Self::local_successor(mine, next, ctx.platform().node_of(ctx.me()) as u32)
        {
            near.grant(mine.granted.load(Ordering::Relaxed), local + 1);
        } else if let (Some(first), Some(last)) = (first, last) {
            // The secondary queue goes to the head of the primary one.
            last.next.store(next.address(), Ordering::Relaxed);
            first.grant(GRANTED, 0);
        } else {
            next.grant(GRANTED, 0);
        }
    }
}

impl<const LOCAL: u32> RawLock for Cna<LOCAL> {
    const NAME: &'static str = "cna";
    const VARIANTS: &'static [Variant] = &[Variant::new("cna", "mcs that prefers waiters of the holder's NUMA node, a second queue for the others").against("mcs")];
    const ORDER: Order = Order::Hybrid;
    const SOURCE: &'static str = "Dice and Kogan, EuroSys 2019 (arXiv 1810.05600)";
    const LEAF: bool = true;
    const BY_NODE: bool = true;
    type PerVcpu = Node;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { tail: AtomicPtr::new(ptr::null_mut()) }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let node = ctx.mine();
        node.next.store(ptr::null_mut(), Ordering::Relaxed);
        node.granted.store(ptr::null_mut(), Ordering::Relaxed);
        // Release publishes the node to the successor; acquire orders the section after the previous holder's release of an empty
        // queue, and makes the predecessor's node readable.
        let previous = self.tail.swap(node.address(), Ordering::AcqRel);
        if previous.is_null() {
            node.granted.store(GRANTED, Ordering::Relaxed);
            node.local.store(0, Ordering::Relaxed);
        } else {
            Self::wait(node, previous, ctx);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        let node = ctx.mine();
        node.next.store(ptr::null_mut(), Ordering::Relaxed);
        node.granted.store(GRANTED, Ordering::Relaxed);
        node.local.store(0, Ordering::Relaxed);
        let exchanged = self.tail.compare_exchange(
            ptr::null_mut(),
            node.address(),
            // As in `acquire`.
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        exchanged.is_ok()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let node = ctx.mine();
        // Relaxed: a successor that is seen here is looked at again, with acquire.
        if node.next.load(Ordering::Relaxed).is_null()
            && node.granted.load(Ordering::Relaxed) == GRANTED
            && self.replace_tail(node.address(), ptr::null_mut())
        {
            return;
        }
        self.hand_over(node, ctx);
    }
}
