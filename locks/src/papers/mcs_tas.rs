//! A test-and-set lock with an MCS queue before it.

use crate::line::{Line, Place};
use crate::sync::{AtomicU8, Ordering};
use crate::{Ctx, Order, Params, Platform, RawLock, Variant};

/// Whoever comes tries the word once. Who loses queues; the queue's head alone spins on the word, and lets the next become
/// head as soon as it has the lock. So the word has at most one steady contender, and a waiter that is off its pCPU can
/// stall the queue, but not those who come while the word is free.
#[derive(Debug)]
pub struct McsTas {
    word: Word,
    queue: Queue,
}

#[derive(Debug)]
#[repr(align(128))]
struct Word(AtomicU8);

#[derive(Debug)]
#[repr(align(128))]
struct Queue(Line);

/// A vCPU's place in the queue; in use while it waits, and no longer.
#[derive(Debug, Default)]
pub struct Node(Place);

impl McsTas {
    #[inline(always)]
    fn try_word(&self) -> bool {
        // Acquire: the section comes after the one whose release is read here. Not a swap: see `Tas`.
        self.word.0.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[cold]
    #[inline(never)]
    fn wait<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let (Queue(queue), Node(mine)) = (&self.queue, ctx.mine());
        queue.wait(mine, ctx.platform());
        while self.word.0.load(Ordering::Relaxed) != 0 || !self.try_word() {
            ctx.platform().relax();
        }
        queue.leave(mine, ctx.platform());
    }
}

impl RawLock for McsTas {
    const NAME: &'static str = "mcs-tas";
    const VARIANTS: &'static [Variant] =
        &[Variant::new("mcs-tas", "test-and-set, but all waiters except one queue as in mcs, unfair").against("mcs").and_against("tas")];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "the MCS-TAS of FlexGuard, SOSP 2025";
    const LEAF: bool = true;
    type PerVcpu = Node;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { word: Word(AtomicU8::new(0)), queue: Queue(Line::empty()) }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        if !self.try_word() {
            self.wait(ctx);
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
