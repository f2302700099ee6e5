//! A ticket lock that takes its number from the tail's half alone, as no kernel did.

use crate::sync::TicketWord;
use crate::ticket;
use crate::{Ctx, Order, Params, Platform, RawLock, Variant};

/// [`Ticket`](crate::Ticket) but for the instruction that takes a number: a locked addition to the tail's half, and then a
/// load of the head's. Both halves are read as they were written, so nothing waits for the unlock's store.
///
/// It is no kernel's lock, and so never what the price of paravirtual code is measured against.
#[derive(Debug)]
pub struct TicketSplit {
    tickets: TicketWord,
}

impl TicketSplit {
    /// A free lock whose next number is `first` (an even one), for tests of the wrap-around.
    #[doc(hidden)]
    pub fn starting_at(first: u16) -> Self {
        Self { tickets: TicketWord::starting_at(first) }
    }
}

impl RawLock for TicketSplit {
    const NAME: &'static str = "ticket-split";
    const VARIANTS: &'static [Variant] = &[Variant::new("ticket-split", "ticket lock that adds to the tail's half alone, as no kernel did, FIFO").against("ticket").natively("no kernel's: the number is taken from the tail's half alone, which spares the wait for the unlock's narrower store")];
    const ORDER: Order = Order::Fifo;
    const SOURCE: &'static str = "ticket with halves that are read and written apart";
    const LEAF: bool = true;
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self::starting_at(0)
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        ticket::wait(&self.tickets, self.tickets.take_split(), ctx.platform());
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
