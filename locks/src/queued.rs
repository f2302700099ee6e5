//! The queued spinlock: the kernel's from 4.2 on.

use crate::queue::{self, Nodes, Queue, Spinning, Waiting};
use crate::sync::QueueWord;
use crate::{Ctx, Order, Params, Platform, RawLock, Variant};

/// A word that is the lock, a place for one waiter, and the tail of a queue for the others, who spin each on a line of
/// its own.
#[derive(Debug)]
pub struct Queued {
    word: QueueWord,
}

#[cfg(locks_loom)]
impl Queued {
    /// Acquires through the queue whatever the word says: in a model of two vCPUs nobody would ever queue.
    #[doc(hidden)]
    pub fn queue<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        queue::enqueue::<Spinning, _, _>(self, ctx);
    }
}

impl Queue for Queued {
    #[inline(always)]
    fn word(&self) -> &QueueWord {
        &self.word
    }

    #[inline(always)]
    fn nodes(block: &Nodes) -> &Nodes {
        block
    }
}

impl RawLock for Queued {
    const NAME: &'static str = "queued";
    const VARIANTS: &'static [Variant] = &[Variant::new("queued", "queued spinlock in one word, FIFO behind a first waiter").against("queued").core().lock_of("Linux since 4.2, natively or in a guest with nopvspin")];
    const ORDER: Order = Order::Fifo;
    const SOURCE: &'static str = "Linux 4.2 and later (kernel/locking/qspinlock.c as of 6.12)";
    // 2: the pending bit is set by a locked bit-test-and-set and cleared by a byte store; the next node is prefetched.
    const REVISION: u32 = 2;
    const LEAF: bool = true;
    const SHARES_BLOCKS: bool = true;
    type PerVcpu = Nodes;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { word: QueueWord::default() }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        if let Err(value) = self.word.try_lock() {
            queue::contend(self, value, ctx);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        Spinning::try_lock(self, ctx)
    }

    #[inline(always)]
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        self.word.unlock();
    }
}
