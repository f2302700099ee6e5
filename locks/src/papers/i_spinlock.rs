//! I-Spinlock: a ticket is taken only by a vCPU whose timeslice lasts until its turn is over.

use crate::sync::TicketWord;
use crate::{Ctx, Event, Order, Params, Platform, RawLock, Variant, ticket};

/// A ticket lock whose vCPUs know when their timeslices end.
#[derive(Debug)]
pub struct ISpinlock {
    tickets: TicketWord,
}

/// How long a turn is taken to last, in ticks of the processor's counter.
const TURN: u64 = 1 << 15;

impl ISpinlock {
    /// Waits for the next timeslice if what is left of the present one is too short for `turns`.
    #[inline(always)]
    fn wait_for_room<P: Platform>(turns: u16, end: u64, platform: &P) {
        if end.saturating_sub(platform.now()) >= TURN * u64::from(turns) {
            return;
        }
        platform.count(Event::PvWaitEarly);
        // The next slice has another end. Whoever is preempted here holds nothing and is waited for by nobody.
        while platform.slice_end() == Some(end) {
            platform.relax();
        }
    }
}

impl RawLock for ISpinlock {
    const NAME: &'static str = "i-spinlock";
    const VARIANTS: &'static [Variant] = &[Variant::new("i-spinlock", "ticket lock that a vCPU queues for only if its timeslice lasts, FIFO").against("ticket")];
    const ORDER: Order = Order::Fifo;
    const SOURCE: &'static str = "Teabe, Nitu, Tchana and Hagimont, EuroSys 2017";
    const LEAF: bool = true;
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self { tickets: TicketWord::starting_at(0) }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let platform = ctx.platform();
        if let Some(end) = platform.slice_end() {
            Self::wait_for_room(self.tickets.in_line().saturating_add(1), end, platform);
        }
        ticket::wait(&self.tickets, self.tickets.take(), platform);
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        let lasts = |end: u64| end.saturating_sub(ctx.platform().now()) >= TURN;
        ctx.platform().slice_end().is_none_or(lasts) && self.tickets.try_take()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        self.tickets.advance();
    }
}
