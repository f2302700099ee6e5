//! The ticket lock: the kernel's x86 spinlock from 2.6.25 to 4.1.

use crate::sync::{AtomicU32, Ordering};
use crate::{Ctx, Order, Params, Paravirt, Platform, RawLock, Variant};

/// Two counters: take a number from one, wait until the other shows it.
///
/// Strictly FIFO: with k vCPUs per pCPU the next in line is off its pCPU with a probability of at least 1 - 1/k, and
/// everybody behind waits for it.
#[derive(Debug)]
pub struct Ticket {
    next: AtomicU32,
    owner: AtomicU32,
}

impl RawLock for Ticket {
    const NAME: &'static str = "ticket";
    const VARIANTS: &'static [Variant] = &[Variant {
        name: "ticket",
        paravirt: Paravirt::CompiledOut,
        baseline: Some("ticket"),
        about: "plain ticket lock, FIFO",
    }];
    const ORDER: Order = Order::Fifo;
    const SOURCE: &'static str = "Linux commit 314cdbefd1fd (2.6.25)";
    const LEAF: bool = true;
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self::starting_at(0)
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let mine = self.take();
        self.wait(mine, ctx.platform());
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        self.try_take()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        self.advance();
    }
}

/// The operations themselves, which [`PvopsTicket`](crate::PvopsTicket) calls through its table.
impl Ticket {
    #[inline(always)]
    pub(crate) fn take(&self) -> u32 {
        // Relaxed: a number is only a place in the queue; the acquire in `wait` is what orders the section.
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    #[inline(always)]
    pub(crate) fn wait(&self, mine: u32, platform: &impl Platform) {
        while self.owner.load(Ordering::Acquire) != mine {
            platform.relax();
        }
    }

    #[inline(always)]
    pub(crate) fn try_take(&self) -> bool {
        let owner = self.owner.load(Ordering::Acquire);
        // Acquire came with the load of `owner`: it is the previous holder's release that must be seen.
        self.next.compare_exchange(owner, owner.wrapping_add(1), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    #[inline(always)]
    pub(crate) fn advance(&self) {
        // Only the holder writes `owner`, so a plain load and store do: no locked instruction on the unlock path.
        let owner = self.owner.load(Ordering::Relaxed);
        self.owner.store(owner.wrapping_add(1), Ordering::Release);
    }

    /// A free lock whose next number is `first`, for tests of the wrap-around.
    #[doc(hidden)]
    pub fn starting_at(first: u32) -> Self {
        Self { next: AtomicU32::new(first), owner: AtomicU32::new(first) }
    }
}
