//! The resilient queued spinlock: the queued one, whose waiters give up after a while, or once they see a deadlock.

use core::ptr;

use crate::queue::{Node, NodeId, Nodes, PENDING_LOOPS, Queue};
use crate::sync::{AtomicU32, AtomicUsize, Ordering, QueueWord};
use crate::{Ctx, Event, Order, Params, Platform, RawLock, Variant};

/// The queued spinlock's word. Which locks a vCPU holds or asks for stands in its block.
#[derive(Debug)]
pub struct Rqspinlock {
    word: QueueWord,
}

/// A vCPU's queue nodes, and its table of locks.
#[derive(Debug, Default)]
pub struct Resilient {
    nodes: Nodes,
    held: Held,
}

/// How many locks a vCPU's table has room for.
const TABLE: usize = 31;

/// The locks that a vCPU holds, in the order of acquisition, and last the one that it asks for. Only its own vCPU writes it.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Held {
    /// How many there are; more than there is room for, and the last ones are not in the table.
    count: AtomicU32,
    locks: [AtomicUsize; TABLE],
}

/// Why an acquisition failed.
enum Failure {
    Timeout,
    Deadlock,
}

/// The state of a node whose queue was given up. A node that waits is in state 0.
const GIVEN_UP: u8 = 3;

/// For how long the pending waiter waits, in microseconds; the queue's head waits for twice as long.
const PATIENCE_US: u64 = 250_000;
/// How often a waiter looks for a deadlock, in microseconds.
const LOOK_US: u64 = 1_000;
/// A waiter reads the time in every so many iterations, the first one included. A model cannot wait so long.
const EACH: u32 = if cfg!(locks_loom) { 1 } else { 1 << 16 };

/// What of the word must be clear for the wait to be over.
const BUSY: u32 = QueueWord::LOCKED_MASK | QueueWord::PENDING;

impl Held {
    /// Enters a lock that is asked for or was taken.
    #[inline(always)]
    fn enter(&self, lock: usize) {
        let count = self.count.load(Ordering::Relaxed);
        if let Some(entry) = self.locks.get(count as usize) {
            entry.store(lock, Ordering::Relaxed);
        }
        // Release: who sees the count sees the entry.
        self.count.store(count + 1, Ordering::Release);
    }

    /// Takes the last one out.
    #[inline(always)]
    fn leave(&self) {
        let count = self.count.load(Ordering::Relaxed).wrapping_sub(1);
        if let Some(entry) = self.locks.get(count as usize) {
            // Release: nobody may find the entry of a lock that the finder holds itself.
            entry.store(0, Ordering::Release);
        }
        self.count.store(count, Ordering::Relaxed);
    }

    /// The table without its last entry, and that last entry; none where the table is empty, or too short for all locks.
    #[inline(always)]
    fn held_and_asked(&self) -> Option<(&[AtomicUsize], usize)> {
        let count = self.count.load(Ordering::Acquire) as usize;
        let (asked, held) = self.locks.get(..count)?.split_last()?;
        Some((held, asked.load(Ordering::Acquire)))
    }
}

#[inline(always)]
fn has(locks: &[AtomicUsize], lock: usize) -> bool {
    locks.iter().any(|entry| entry.load(Ordering::Relaxed) == lock)
}

/// How long a waiter waits yet.
struct Patience {
    ticks_per_us: u64,
    spins: u32,
    /// When its wait ends, and when it last looked for a deadlock; none before it first read the time.
    until: Option<(u64, u64)>,
    /// For how many ticks it waits.
    lasts: u64,
}

impl Patience {
    #[inline(always)]
    fn new(params: &Params) -> Self {
        Self { ticks_per_us: u64::from(params.ticks_per_us), spins: 0, until: None, lasts: 0 }
    }

    /// Begins a wait of so many microseconds.
    #[inline(always)]
    fn restart(&mut self, us: u64) {
        (self.until, self.lasts) = (None, us * self.ticks_per_us);
    }

    /// One iteration of the wait, at whose end the word is to be clear in `mask`. Tells if it is to be given up.
    #[inline(always)]
    fn spin<P: Platform>(
        &mut self,
        lock: &Rqspinlock,
        mask: u32,
        ctx: &Ctx<'_, Rqspinlock, P>,
    ) -> Option<Failure> {
        let look = self.spins.is_multiple_of(EACH);
        self.spins = self.spins.wrapping_add(1);
        if look && let Some(failure) = self.look(lock, mask, ctx) {
            return Some(failure);
        }
        ctx.platform().relax();
        None
    }

    #[cold]
    #[inline(never)]
    fn look<P: Platform>(
        &mut self,
        lock: &Rqspinlock,
        mask: u32,
        ctx: &Ctx<'_, Rqspinlock, P>,
    ) -> Option<Failure> {
        let now = ctx.platform().now();
        let Some((end, last)) = self.until else {
            self.until = Some((now.saturating_add(self.lasts), now));
            return None;
        };
        // Nobody tells how long a tick is: then nobody gives up.
        if self.ticks_per_us == 0 {
            return None;
        }
        if now > end {
            return Some(Failure::Timeout);
        }
        if last + LOOK_US * self.ticks_per_us < now {
            self.until = Some((end, now));
            return lock.is_deadlocked(mask, ctx).then_some(Failure::Deadlock);
        }
        None
    }
}

impl Queue for Rqspinlock {
    #[inline(always)]
    fn word(&self) -> &QueueWord {
        &self.word
    }

    #[inline(always)]
    fn nodes(block: &Resilient) -> &Nodes {
        &block.nodes
    }
}

impl Rqspinlock {
    #[inline(always)]
    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Whether this vCPU, whose last entry is this lock, holds it already, or another vCPU holds it and asks for one that this
    /// vCPU holds. Longer circles are not found.
    fn is_deadlocked<P: Platform>(&self, mask: u32, ctx: &Ctx<'_, Self, P>) -> bool {
        let Some((mine, _)) = ctx.mine().held.held_and_asked() else { return false };
        if has(mine, self.address()) {
            return true;
        }
        for cpu in 0..ctx.vcpus() {
            if self.word.load(Ordering::Acquire) & mask == 0 {
                return false;
            }
            if cpu == ctx.me() {
                continue;
            }
            let Some((theirs, asked)) = ctx.of(cpu).held.held_and_asked() else { continue };
            // 0: that vCPU changes its table just now.
            if asked != 0 && has(theirs, self.address()) {
                return has(mine, asked);
            }
        }
        false
    }

    /// Takes the lock by the pending bit or the queue. `value` is the word that the fast path found. The lock is entered in the
    /// table when this returns, unless it failed.
    #[cold]
    #[inline(never)]
    fn contend<P: Platform>(&self, mut value: u32, ctx: &Ctx<'_, Self, P>) -> Result<(), Failure> {
        const CONTENDED: u32 = !QueueWord::LOCKED_MASK;
        let (word, held) = (&self.word, &ctx.mine().held);
        let mut patience = Patience::new(ctx.params());
        // As in the queued lock.
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
                held.enter(self.address());
                patience.restart(PATIENCE_US);
                while value & QueueWord::LOCKED_MASK != 0 {
                    if let Some(failure) = patience.spin(self, QueueWord::LOCKED_MASK, ctx) {
                        word.clear_pending();
                        held.leave();
                        return Err(failure);
                    }
                    value = word.load(Ordering::Acquire);
                }
                word.pending_to_locked();
                ctx.platform().count(Event::LockPending);
                return Ok(());
            }
            if value & QueueWord::PENDING == 0 {
                word.clear_pending();
            }
        }
        ctx.platform().count(Event::LockSlowpath);
        held.enter(self.address());
        let taken = self.enqueue(&mut patience, ctx);
        if taken.is_err() {
            held.leave();
        }
        taken
    }

    #[inline(always)]
    fn enqueue<P: Platform>(&self, patience: &mut Patience, ctx: &Ctx<'_, Self, P>) -> Result<(), Failure> {
        let mine = &ctx.mine().nodes;
        let level = mine.depth.load(Ordering::Relaxed);
        mine.depth.store(level + 1, Ordering::Relaxed);
        let taken = match mine.nodes.get(level as usize) {
            Some(node) => self.wait_in_line(node, NodeId::new(ctx.me(), level as usize), patience, ctx),
            None => {
                ctx.platform().count(Event::LockNoNode);
                patience.restart(PATIENCE_US);
                loop {
                    if self.try_lock() {
                        break Ok(());
                    }
                    if let Some(failure) = patience.spin(self, u32::MAX, ctx) {
                        break Err(failure);
                    }
                }
            }
        };
        mine.depth.store(level, Ordering::Relaxed);
        taken
    }

    #[inline(always)]
    fn wait_in_line<P: Platform>(
        &self,
        node: &Node,
        id: NodeId,
        patience: &mut Patience,
        ctx: &Ctx<'_, Self, P>,
    ) -> Result<(), Failure> {
        let word = &self.word;
        node.prepare();
        if self.try_lock() {
            return Ok(());
        }
        let previous = NodeId(word.swap_tail(id.0));
        if previous != NodeId::NONE {
            // Release: who reads the link must find the node initialised.
            previous.node(ctx).next.store(id.0, Ordering::Release);
            while !node.granted.load(Ordering::Acquire) {
                ctx.platform().relax();
            }
            if node.state.load(Ordering::Relaxed) == GIVEN_UP {
                self.give_up(node, id, ctx);
                return Err(Failure::Deadlock);
            }
        }
        patience.restart(2 * PATIENCE_US);
        let value = loop {
            let value = word.load(Ordering::Acquire);
            if value & BUSY == 0 {
                break value;
            }
            if let Some(failure) = patience.spin(self, BUSY, ctx) {
                self.give_up(node, id, ctx);
                return Err(failure);
            }
        };
        if value & QueueWord::TAIL_MASK == id.0 && word.try_lock_last(value) {
            return Ok(());
        }
        word.set_locked();
        let next = node.successor(ctx.platform());
        next.node(ctx).granted.store(true, Ordering::Release);
        Ok(())
    }

    /// The queue's head leaves, and everybody behind it does so too, one after the other.
    fn give_up<P: Platform>(&self, node: &Node, id: NodeId, ctx: &Ctx<'_, Self, P>) {
        if !self.word.try_clear_tail(id.0) {
            let next = node.successor(ctx.platform()).node(ctx);
            next.state.store(GIVEN_UP, Ordering::Relaxed);
            // Release: the state comes with it.
            next.granted.store(true, Ordering::Release);
        }
    }

    #[inline(always)]
    fn try_lock(&self) -> bool {
        // Looking first spares the line of a held lock a write.
        self.word.load(Ordering::Relaxed) == 0 && self.word.try_lock().is_ok()
    }
}

impl RawLock for Rqspinlock {
    const NAME: &'static str = "rqspinlock";
    const VARIANTS: &'static [Variant] = &[Variant::new("rqspinlock", "queued spinlock whose waiters time out and find deadlocks, FIFO").against("queued")];
    const ORDER: Order = Order::Fifo;
    const SOURCE: &'static str = "Linux 6.15 (kernel/bpf/rqspinlock.c)";
    const LEAF: bool = true;
    const SHARES_BLOCKS: bool = true;
    type PerVcpu = Resilient;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { word: QueueWord::default() }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        while !self.acquire_or_fail(ctx) {
            ctx.platform().relax();
        }
    }

    #[inline(always)]
    fn acquire_or_fail<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        match self.word.try_lock() {
            Ok(()) => ctx.mine().held.enter(self.address()),
            Err(value) => {
                if let Err(failure) = self.contend(value, ctx) {
                    ctx.platform().count(match failure {
                        Failure::Timeout => Event::LockTimeout,
                        Failure::Deadlock => Event::LockDeadlock,
                    });
                    return false;
                }
            }
        }
        true
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        let taken = self.try_lock();
        if taken {
            ctx.mine().held.enter(self.address());
        }
        taken
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        // Before the lock is free: see `leave`.
        ctx.mine().held.leave();
        self.word.unlock();
    }
}
