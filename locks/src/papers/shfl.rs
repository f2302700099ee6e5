//! The shuffling lock, in its non-blocking form.

use core::ptr;

use crate::sync::{AtomicBool, AtomicPtr, AtomicU32, Ordering, QueueWord};
use crate::{Ctx, Event, Order, Params, Platform, RawLock, Variant};

/// A test-and-set byte before an MCS queue. One waiter at a time, the shuffler, moves those of its own NUMA node forward, behind
/// itself, until `SHUFFLES` of them form a batch.
///
/// The word is the queued spinlock's without its tail: the locked byte, and as its pending byte the one that forbids stealing.
#[derive(Debug)]
pub struct Shfl<const SHUFFLES: u32 = 1024> {
    word: QueueWord,
    tail: AtomicPtr<Node>,
}

/// A vCPU's place in the queue, on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Node {
    next: AtomicPtr<Node>,
    /// Whether this is the queue's head.
    ready: AtomicBool,
    /// Whether this waiter is to shuffle.
    shuffler: AtomicBool,
    /// How many of its NUMA node were put before it, itself included; 0 before anybody looked at it.
    batch: AtomicU32,
    /// NUMA node of the vCPU.
    place: AtomicU32,
}

impl Node {
    #[inline(always)]
    fn address(&self) -> *mut Self {
        ptr::from_ref(self).cast_mut()
    }

    /// The next in the queue; none if it has not linked itself. Acquire: what it wrote into its node before.
    #[inline(always)]
    fn next<'a>(&self) -> Option<&'a Self> {
        // SAFETY: nodes lie in the contexts' blocks, which outlive the lock's use and are only shared. Who reads the link comes
        // before the node in the queue, so that the node's vCPU waits.
        unsafe { self.next.load(Ordering::Acquire).as_ref() }
    }
}

impl<const SHUFFLES: u32> Shfl<SHUFFLES> {
    #[inline(always)]
    fn is_free(&self) -> bool {
        self.word.load(Ordering::Relaxed) & QueueWord::LOCKED_MASK == 0
    }

    #[cold]
    #[inline(never)]
    fn contend<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let (node, platform) = (ctx.mine(), ctx.platform());
        platform.count(Event::LockSlowpath);
        node.next.store(ptr::null_mut(), Ordering::Relaxed);
        node.ready.store(false, Ordering::Relaxed);
        node.shuffler.store(false, Ordering::Relaxed);
        node.batch.store(0, Ordering::Relaxed);
        node.place.store(platform.node_of(ctx.me()) as u32, Ordering::Relaxed);
        // Release publishes the node to the successor, acquire makes the predecessor's readable.
        let previous = self.tail.swap(node.address(), Ordering::AcqRel);
        // SAFETY: as in `next`; the predecessor cannot leave before it has seen the link.
        if let Some(previous) = unsafe { previous.as_ref() } {
            previous.next.store(node.address(), Ordering::Release);
            // Acquire: what the head before did to the queue.
            while !node.ready.load(Ordering::Acquire) {
                if node.shuffler.load(Ordering::Acquire) {
                    self.shuffle(node, || node.ready.load(Ordering::Relaxed));
                }
                platform.relax();
            }
        } else {
            self.word.forbid_stealing();
        }
        self.wait_for_word(node, platform);
        self.leave_queue(node, platform);
    }

    /// Waits, as the queue's head, until the lock is free, and takes it.
    #[inline(always)]
    fn wait_for_word(&self, node: &Node, platform: &impl Platform) {
        loop {
            // The first of a batch, or the last that was put into it.
            if node.batch.load(Ordering::Relaxed) == 0 || node.shuffler.load(Ordering::Acquire) {
                self.shuffle(node, || self.is_free());
            }
            while !self.is_free() {
                platform.relax();
            }
            // May fail: until the word says otherwise, whoever comes may be faster.
            if self.word.try_steal() {
                return;
            }
            platform.relax();
        }
    }

    /// Makes the next waiter the head. The lock is held already, so that the release has nothing to do with the queue.
    #[inline(always)]
    fn leave_queue(&self, node: &Node, platform: &impl Platform) {
        if node.next().is_none() {
            let last = node.address();
            // Release: the next to queue here finds the node of the one before it as it was left.
            if self.tail.compare_exchange(last, ptr::null_mut(), Ordering::Release, Ordering::Relaxed).is_ok() {
                // A new head may have come meanwhile and set it: then its queue can be overtaken.
                self.word.clear_pending();
                return;
            }
        }
        let next = loop {
            match node.next() {
                Some(next) => break next,
                None => platform.relax(),
            }
        };
        // Release: everything that was done to the queue.
        next.ready.store(true, Ordering::Release);
    }

    /// Moves waiters of the NUMA node of `node` to just behind it, and makes the last of them the next shuffler. Only one vCPU
    /// does this at a time, and all that it touches is behind `node`: nobody there can leave.
    fn shuffle(&self, node: &Node, is_over: impl Fn() -> bool) {
        let place = node.place.load(Ordering::Relaxed);
        let is_near = |of: &Node| of.place.load(Ordering::Relaxed) == place;
        let mut batch = node.batch.load(Ordering::Relaxed);
        if batch == 0 {
            batch = 1;
            node.batch.store(batch, Ordering::Relaxed);
        }
        node.shuffler.store(false, Ordering::Relaxed);
        if batch >= SHUFFLES {
            return;
        }
        let (mut last, mut previous) = (node, node);
        while let Some(waiter) = previous.next() {
            if waiter.address() == self.tail.load(Ordering::Relaxed) {
                break;
            }
            if !is_near(waiter) {
                previous = waiter;
            } else if is_near(previous) {
                batch += 1;
                waiter.batch.store(batch, Ordering::Relaxed);
                last = waiter;
                previous = waiter;
            } else {
                // Whoever queues links itself to the queue's last node, which has no link yet and is left where it is.
                let Some(behind) = waiter.next() else { break };
                batch += 1;
                waiter.batch.store(batch, Ordering::Relaxed);
                // Release, three times: who walks along these links must find the nodes behind them initialised.
                previous.next.store(behind.address(), Ordering::Release);
                waiter.next.store(last.next.load(Ordering::Relaxed), Ordering::Release);
                last.next.store(waiter.address(), Ordering::Release);
                last = waiter;
            }
            if is_over() {
                break;
            }
        }
        // Release: the links, for the next who walks along them.
        last.shuffler.store(true, Ordering::Release);
    }
}

impl<const SHUFFLES: u32> RawLock for Shfl<SHUFFLES> {
    const NAME: &'static str = "shfl";
    const VARIANTS: &'static [Variant] = &[Variant::new("shfl", "test-and-set before a queue that its waiters sort by NUMA node (ShflLock)").against("mcs")];
    const ORDER: Order = Order::Hybrid;
    const SOURCE: &'static str = "Kashyap, Calciu, Cheng, Min and Kim, SOSP 2019";
    const LEAF: bool = true;
    const BY_NODE: bool = true;
    type PerVcpu = Node;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { word: QueueWord::default(), tail: AtomicPtr::new(ptr::null_mut()) }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        if !self.try_acquire(ctx) {
            self.contend(ctx);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        // Looking first spares the line of a held lock a write. A word that forbids stealing is not 0.
        self.word.load(Ordering::Relaxed) == 0 && self.word.try_lock().is_ok()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        self.word.unlock();
    }
}
