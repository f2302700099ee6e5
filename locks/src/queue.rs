//! The queued spinlock's slow path, which the paravirtual one shares.

use crate::sync::{AtomicBool, AtomicU8, AtomicU32, Ordering, QueueWord, prefetch_for_write};
use crate::{Ctx, Event, Platform, RawLock};

/// A vCPU may be interrupted while it waits, and the handler may wait for another lock: so many levels have a node.
pub(crate) const NODES: usize = 4;

/// How often a waiter looks whether a pending waiter becomes the holder before it queues (x86's choice).
pub(crate) const PENDING_LOOPS: usize = 512;

/// A vCPU's queue nodes, on cache lines of their own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Nodes {
    pub(crate) nodes: [Node; NODES],
    /// How many of them are in use. Only its own vCPU reads and writes it.
    pub(crate) depth: AtomicU32,
}

/// A place in a queue.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Id of the successor.
    pub(crate) next: AtomicU32,
    /// Whether this is the queue's head.
    pub(crate) granted: AtomicBool,
    /// What the vCPU is doing, at first [`RUNNING`]; only the paravirtual lock has more states, and looks.
    pub(crate) state: AtomicU8,
}

impl Node {
    /// Makes the node ready for a wait; the exchange of the tail publishes that.
    #[inline(always)]
    pub(crate) fn prepare(&self) {
        self.next.store(NodeId::NONE.0, Ordering::Relaxed);
        self.granted.store(false, Ordering::Relaxed);
        self.state.store(RUNNING, Ordering::Relaxed);
    }

    /// The node's successor, which is there or about to link itself.
    #[inline(always)]
    pub(crate) fn successor(&self, platform: &impl Platform) -> NodeId {
        loop {
            let next = NodeId(self.next.load(Ordering::Acquire));
            if next != NodeId::NONE {
                return next;
            }
            platform.relax();
        }
    }
}

/// State of a node whose vCPU has not halted.
pub(crate) const RUNNING: u8 = 0;

/// A node's name, by which the word's tail and the links know it: (vCPU + 1, level), or 0 for none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeId(pub(crate) u32);

impl NodeId {
    pub(crate) const NONE: Self = Self(0);

    #[inline(always)]
    pub(crate) fn new(cpu: usize, level: usize) -> Self {
        Self((cpu as u32 + 1) << 18 | (level as u32) << 16)
    }

    #[inline(always)]
    pub(crate) fn cpu(self) -> usize {
        (self.0 >> 18) as usize - 1
    }

    #[inline(always)]
    fn level(self) -> usize {
        (self.0 >> 16) as usize % NODES
    }

    #[inline(always)]
    pub(crate) fn node<'a, L: Queue, P: Platform>(self, ctx: &Ctx<'a, L, P>) -> &'a Node {
        &L::nodes(ctx.of(self.cpu())).nodes[self.level()]
    }
}

/// A lock that is a word and, in its vCPUs' blocks, nodes.
pub(crate) trait Queue: RawLock {
    fn word(&self) -> &QueueWord;
    fn nodes(block: &Self::PerVcpu) -> &Nodes;
}

/// How a queue's members wait: the places where the paravirtual lock differs.
pub(crate) trait Waiting<L: Queue> {
    /// Tries to take the lock before queueing.
    fn try_lock<P: Platform>(lock: &L, ctx: &Ctx<'_, L, P>) -> bool;

    /// Waits until `node`, which queues behind `previous`, is the queue's head.
    fn wait_node<P: Platform>(lock: &L, node: &Node, previous: NodeId, ctx: &Ctx<'_, L, P>);

    /// Called by the queue's head: waits until the lock is free, or taken for it, and returns the word then.
    fn wait_head<P: Platform>(lock: &L, node: &Node, ctx: &Ctx<'_, L, P>) -> u32;

    /// Called by the holder after it made `next` the queue's head.
    fn granted<P: Platform>(lock: &L, next: NodeId, ctx: &Ctx<'_, L, P>);
}

/// Waiting without a hypervisor.
pub(crate) struct Spinning;

impl<L: Queue> Waiting<L> for Spinning {
    #[inline(always)]
    fn try_lock<P: Platform>(lock: &L, _: &Ctx<'_, L, P>) -> bool {
        // Looking first spares the line of a held lock a write.
        lock.word().load(Ordering::Relaxed) == 0 && lock.word().try_lock().is_ok()
    }

    #[inline(always)]
    fn wait_node<P: Platform>(_: &L, node: &Node, _: NodeId, ctx: &Ctx<'_, L, P>) {
        while !node.granted.load(Ordering::Acquire) {
            ctx.platform().relax();
        }
    }

    #[inline(always)]
    fn wait_head<P: Platform>(lock: &L, _: &Node, ctx: &Ctx<'_, L, P>) -> u32 {
        loop {
            let value = lock.word().load(Ordering::Acquire);
            if value & (QueueWord::LOCKED_MASK | QueueWord::PENDING) == 0 {
                return value;
            }
            ctx.platform().relax();
        }
    }

    #[inline(always)]
    fn granted<P: Platform>(_: &L, _: NodeId, _: &Ctx<'_, L, P>) {}
}

/// The slow path without a hypervisor: `value` is the word that the fast path found.
#[cold]
#[inline(never)]
pub(crate) fn contend<L: Queue, P: Platform>(lock: &L, mut value: u32, ctx: &Ctx<'_, L, P>) {
    const CONTENDED: u32 = !QueueWord::LOCKED_MASK;
    let word = lock.word();
    // Only the pending bit is set: its owner is about to become the holder, and this vCPU may then become the next pending
    // one. The wait is bounded, because another vCPU may set the bit first each time.
    for _ in 0..PENDING_LOOPS {
        if value != QueueWord::PENDING {
            break;
        }
        ctx.platform().relax();
        value = word.load(Ordering::Relaxed);
    }
    if value & CONTENDED == 0 {
        value = word.set_pending();
        if value & CONTENDED == 0 {
            // The only waiter. Whoever comes now queues, and the queue waits for the pending bit to go.
            while value & QueueWord::LOCKED_MASK != 0 {
                ctx.platform().relax();
                value = word.load(Ordering::Acquire);
            }
            word.pending_to_locked();
            ctx.platform().count(Event::LockPending);
            return;
        }
        // Somebody came first. Undo the bit only if it was not theirs.
        if value & QueueWord::PENDING == 0 {
            word.clear_pending();
        }
    }
    ctx.platform().count(Event::LockSlowpath);
    enqueue::<Spinning, _, _>(lock, ctx);
}

/// Queues, and returns with the lock taken.
#[inline(always)]
pub(crate) fn enqueue<W: Waiting<L>, L: Queue, P: Platform>(lock: &L, ctx: &Ctx<'_, L, P>) {
    let mine = L::nodes(ctx.mine());
    let level = mine.depth.load(Ordering::Relaxed);
    mine.depth.store(level + 1, Ordering::Relaxed);
    match mine.nodes.get(level as usize) {
        Some(node) => wait_in_line::<W, _, _>(lock, node, NodeId::new(ctx.me(), level as usize), ctx),
        None => {
            ctx.platform().count(Event::LockNoNode);
            while !W::try_lock(lock, ctx) {
                ctx.platform().relax();
            }
        }
    }
    mine.depth.store(level, Ordering::Relaxed);
}

#[inline(always)]
fn wait_in_line<W: Waiting<L>, L: Queue, P: Platform>(
    lock: &L,
    node: &Node,
    id: NodeId,
    ctx: &Ctx<'_, L, P>,
) {
    let word = lock.word();
    node.prepare();
    // Once more, for the holder may have left while the node's line was fetched.
    if W::try_lock(lock, ctx) {
        return;
    }
    let previous = NodeId(word.swap_tail(id.0));
    if previous != NodeId::NONE {
        // Release: who reads the link must find the node initialised.
        previous.node(ctx).next.store(id.0, Ordering::Release);
        W::wait_node(lock, node, previous, ctx);
        // Its line comes while the lock is waited for. Relaxed: nothing is read there.
        let next = NodeId(node.next.load(Ordering::Relaxed));
        if next != NodeId::NONE {
            prefetch_for_write(next.node(ctx));
        }
    }
    let value = W::wait_head(lock, node, ctx);
    if value & QueueWord::TAIL_MASK == id.0 && word.try_lock_last(value) {
        return;
    }
    // There is a successor, or one is about to link itself. Where a mere pending bit made the exchange fail, the owner of the
    // bit has seen this tail and will queue.
    word.set_locked();
    let next = node.successor(ctx.platform());
    next.node(ctx).granted.store(true, Ordering::Release);
    W::granted(lock, next, ctx);
}
