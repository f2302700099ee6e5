//! The ticket lock behind a table of function pointers: what a paravirtual kernel ran natively before 3.12.

use crate::optable::Op;
use crate::sync::{TicketWord, Tickets};
use crate::ticket;
use crate::{Ctx, Kernel, Order, Params, Platform, RawLock, Variant};

/// The ticket lock, each of its operations called indirectly.
///
/// The calls were on every lock and unlock whether contended or not: up to 5 % of a native workload, and the reason
/// for the series that made [`PvTicket`](crate::PvTicket).
#[derive(Debug)]
pub struct PvopsTicket {
    tickets: TicketWord,
    ops: Ops,
}

/// The table. On cache lines of its own, as the kernel's is read-mostly: waiters must not slow its loads down.
#[derive(Debug)]
#[repr(align(128))]
struct Ops {
    lock: Op<TicketWord, Tickets>,
    trylock: Op<TicketWord, bool>,
    unlock: Op<TicketWord, ()>,
}

impl RawLock for PvopsTicket {
    const NAME: &'static str = "pvops-ticket";
    const VARIANTS: &'static [Variant] = &[Variant::new("pvops-ticket", "ticket lock through a table of function pointers").against("ticket").core().natively("the ticket lock behind a table of function pointers, as before the series").of_kernel(Kernel { patched: false, paravirt: true, native: true, guest: false })];
    const ORDER: Order = Order::Fifo;
    const SOURCE: &'static str = "Linux 2.6.27 to 3.11 (pv_lock_ops in arch/x86/include/asm/paravirt.h)";
    const LEAF: bool = true;
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self {
            tickets: TicketWord::starting_at(0),
            ops: Ops {
                lock: Op::new(take),
                trylock: Op::new(try_take),
                unlock: Op::new(advance),
            },
        }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        // The kernel's whole loop sat behind the call. Here the wait stays with the caller, who knows the platform:
        // one call either way, and the table needs no type for it.
        let mine = self.ops.lock.call(&self.tickets);
        ticket::wait(&self.tickets, mine, ctx.platform());
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        self.ops.trylock.call(&self.tickets)
    }

    #[inline(always)]
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        self.ops.unlock.call(&self.tickets);
    }
}

extern "C" fn take(tickets: &TicketWord) -> Tickets {
    tickets.take()
}

extern "C" fn try_take(tickets: &TicketWord) -> bool {
    tickets.try_take()
}

extern "C" fn advance(tickets: &TicketWord) {
    tickets.advance();
}
