//! The opportunistic ticket lock: a paravirtual ticket lock whose near waiters spin longer and are woken ahead of time.

use crate::pv_ticket::{HaltingTickets, Waiting};
use crate::sync::TicketWord;
use crate::{Ctx, Order, Params, Paravirt, Platform, RawLock, Variant};

/// The paravirtual ticket lock with two changes. How long a waiter spins before it halts depends on how many are before it: the
/// next in line spins 2^19 times as long as a far one. And an unlock that finds halted waiters kicks those of the next four
/// tickets, so that all but the first are awake when their turn comes.
#[derive(Debug)]
pub struct Oticket {
    tickets: TicketWord,
}

/// Waiters with at least so many tickets before them spin as in the paravirtual ticket lock.
const FAR: u16 = 18;
/// The next in line spins 2^19 times that; each ticket more halves it.
const NEXT_SHIFT: u32 = 19;
/// So many tickets are woken by an unlock.
const WOKEN: u16 = 4;

impl Oticket {
    /// How many iterations a waiter spins that finds so many tickets before it.
    #[inline(always)]
    fn patience(before: u16, threshold: u32) -> u64 {
        let shift = if before < FAR { NEXT_SHIFT - u32::from(before - 1) } else { 0 };
        u64::from(threshold) << shift
    }

    #[cold]
    #[inline(never)]
    fn wait<P: Platform>(&self, mine: u16, before: u16, ctx: &Ctx<'_, Self, P>) {
        let mut spins = 0;
        let head = loop {
            let head = self.tickets.head();
            if head & !TicketWord::SLOW == mine {
                break head;
            }
            ctx.platform().relax();
            if ctx.halting() {
                spins += 1;
                if spins >= Self::patience(before, ctx.params().spin_threshold) {
                    spins = 0;
                    self.halt(mine, ctx);
                }
            }
        };
        if head & TicketWord::SLOW != 0 {
            self.tickets.clear_slow(mine);
        }
    }

    /// Kicks whoever halts for one of the next tickets. Works on the address, as [`HaltingTickets::kick`] does.
    #[cold]
    #[inline(never)]
    fn kick_next<P: Platform>(address: usize, mut next: u16, ctx: &Ctx<'_, Self, P>) {
        for _ in 0..WOKEN {
            Self::kick(address, next, ctx);
            next = TicketWord::after(next);
        }
    }
}

impl HaltingTickets for Oticket {
    #[inline(always)]
    fn tickets(&self) -> &TicketWord {
        &self.tickets
    }
}

impl RawLock for Oticket {
    const NAME: &'static str = "oticket";
    const VARIANTS: &'static [Variant] = &[Variant::new("oticket", "pv-ticket whose near waiters spin longer and are kicked four ahead").against("ticket").carrying(Paravirt::On)];
    const ORDER: Order = Order::Fifo;
    const SOURCE: &'static str = "Kashyap, Min and Kim, APSys 2015";
    const LEAF: bool = true;
    type PerVcpu = Waiting;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { tickets: TicketWord::starting_at(0) }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let tickets = self.tickets.take();
        if tickets.head != tickets.tail {
            // At least 1: with the flag set and nobody before it, the waiter finds its ticket called at once.
            let before = tickets.tail.wrapping_sub(tickets.head & !TicketWord::SLOW) / TicketWord::STEP;
            self.wait(tickets.tail, before.max(1), ctx);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        self.tickets.try_take()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        if ctx.halting() {
            let address = self.address();
            let head = self.tickets.advance_and_look();
            if head & TicketWord::SLOW != 0 {
                Self::kick_next(address, TicketWord::after(head & !TicketWord::SLOW), ctx);
            }
        } else {
            self.tickets.advance();
        }
    }
}
