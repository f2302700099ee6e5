//! The ticket lock: the kernel's x86 spinlock from 2.6.25 to 4.1.

use crate::sync::{TicketWord, Tickets};
use crate::{Ctx, Kernel, Order, Params, Platform, RawLock, Variant};

/// Two counters: take a number from one, wait until the other shows it.
///
/// Strictly FIFO: with k vCPUs per pCPU the next in line is off its pCPU with a probability of at least 1 - 1/k, and
/// everybody behind waits for it.
///
/// The number is taken by a locked addition to the whole word, the lock freed by a plain one to its lower half. Uncontended,
/// the next addition finds the half still on its way to the cache and has to wait for it, for the processor cannot put
/// a word together from a store of half of it: [`TicketSplit`](crate::TicketSplit) shows what that costs.
#[derive(Debug)]
pub struct Ticket {
    tickets: TicketWord,
}

impl Ticket {
    /// A free lock whose next number is `first` (an even one), for tests of the wrap-around.
    #[doc(hidden)]
    pub fn starting_at(first: u16) -> Self {
        Self { tickets: TicketWord::starting_at(first) }
    }
}

impl RawLock for Ticket {
    const NAME: &'static str = "ticket";
    const VARIANTS: &'static [Variant] = &[Variant::new("ticket", "plain ticket lock, FIFO").against("ticket").core().of_kernel(Kernel { series: false, paravirt: false, native: true, guest: true }).lock_of("Linux 2.6.25 to 4.1 without paravirtual spinlocks")];
    const ORDER: Order = Order::Fifo;
    const SOURCE: &'static str = "Linux commit 314cdbefd1fd (2.6.25)";
    // 2: 16-bit halves, and a number is taken by an addition to the whole word.
    const REVISION: u32 = 2;
    const LEAF: bool = true;
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self::starting_at(0)
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        wait(&self.tickets, self.tickets.take(), ctx.platform());
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        self.tickets.try_take()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        self.tickets.advance();
    }
}

/// Waits until the number that was taken as `mine` is called.
#[inline(always)]
pub(crate) fn wait(tickets: &TicketWord, mine: Tickets, platform: &impl Platform) {
    if mine.head != mine.tail {
        contend(tickets, mine.tail, platform);
    }
}

/// Out of line, as the paravirtual lock's: where the waiting stands decides how the uncontended path is laid out, and
/// the two are to differ by nothing but their paravirtual code.
#[cold]
#[inline(never)]
fn contend(tickets: &TicketWord, mine: u16, platform: &impl Platform) {
    while tickets.head() != mine {
        platform.relax();
    }
}
