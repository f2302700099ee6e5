//! A test-and-set lock with an MCS queue before it.

use core::ptr;

use crate::sync::{AtomicBool, AtomicPtr, AtomicU8, Ordering};
use crate::{Ctx, Order, Params, Platform, RawLock, Variant};

/// Whoever comes tries the word once. Who loses queues; the queue's head alone spins on the word, and lets the next become
/// head as soon as it has the lock. So the word has at most one steady contender, and a waiter that is off its pCPU can
/// stall the queue, but not those who come while the word is free.
#[derive(Debug)]
pub struct McsTas {
    word: Word,
    tail: Tail,
}

#[derive(Debug)]
#[repr(align(128))]
struct Word(AtomicU8);

#[derive(Debug)]
#[repr(align(128))]
struct Tail(AtomicPtr<Node>);

/// A vCPU's place in the queue, on cache lines of its own; in use while it waits, and no longer.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Node {
    next: AtomicPtr<Node>,
    /// Whether it is the queue's head.
    head: AtomicBool,
}

impl McsTas {
    #[inline(always)]
    fn try_word(&self) -> bool {
        // Acquire: the section comes after the one whose release is read here. Not a swap: see `Tas`.
        self.word.0.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[cold]
    #[inline(never)]
    fn queue<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let node = ctx.mine();
        let mine = ptr::from_ref(node).cast_mut();
        node.next.store(ptr::null_mut(), Ordering::Relaxed);
        node.head.store(false, Ordering::Relaxed);
        // Release publishes the node's two stores to the successor; acquire makes the predecessor's node readable.
        let previous = self.tail.0.swap(mine, Ordering::AcqRel);
        if !previous.is_null() {
            // SAFETY: `tail` only ever holds nodes out of the contexts' blocks, which outlive the lock's use; the
            // predecessor cannot leave the queue before it has seen this link.
            unsafe { &*previous }.next.store(mine, Ordering::Release);
            // Acquire: the predecessor's last access to this node comes before this vCPU queues with it again.
            while !node.head.load(Ordering::Acquire) {
                ctx.platform().relax();
            }
        }
        while self.word.0.load(Ordering::Relaxed) != 0 || !self.try_word() {
            ctx.platform().relax();
        }
        self.leave_queue(node, ctx);
    }

    /// The head has the lock: the next in the queue becomes head.
    #[inline(always)]
    fn leave_queue<P: Platform>(&self, node: &Node, ctx: &Ctx<'_, Self, P>) {
        // Acquire: the link's owner initialised its node before it.
        let mut next = node.next.load(Ordering::Acquire);
        if next.is_null() {
            let mine = ptr::from_ref(node).cast_mut();
            // Release: this vCPU's use of the queue comes before that of whoever finds it empty.
            if self.tail.0.compare_exchange(mine, ptr::null_mut(), Ordering::Release, Ordering::Relaxed).is_ok() {
                return;
            }
            loop {
                // Somebody swapped the tail and is about to link itself.
                next = node.next.load(Ordering::Acquire);
                if !next.is_null() {
                    break;
                }
                ctx.platform().relax();
            }
        }
        // SAFETY: `next` was published by its owner, which spins on `head` and so keeps the node in place.
        unsafe { &*next }.head.store(true, Ordering::Release);
    }
}

impl RawLock for McsTas {
    const NAME: &'static str = "mcs-tas";
    const VARIANTS: &'static [Variant] = &[Variant::new("mcs-tas", "test-and-set, but all waiters except one queue as in mcs, unfair").against("mcs").and_against("tas")];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "the MCS-TAS of FlexGuard, SOSP 2025";
    const LEAF: bool = true;
    type PerVcpu = Node;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { word: Word(AtomicU8::new(0)), tail: Tail(AtomicPtr::new(ptr::null_mut())) }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        if !self.try_word() {
            self.queue(ctx);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        self.try_word()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        // Release: the section comes before whatever the next holder does.
        self.word.0.store(0, Ordering::Release);
    }
}
