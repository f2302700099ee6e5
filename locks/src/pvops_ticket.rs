//! The ticket lock behind calls: what a paravirtual kernel ran natively before 3.12.

use crate::optable::Op;
use crate::sync::{TicketWord, Tickets};
use crate::ticket;
use crate::{Code, Ctx, Kernel, Order, Params, Paravirt, Platform, RawLock, Variant, direct_call, patched};

/// The ticket lock, each of its operations called out of line, and before boot-time patching through a table.
///
/// The calls were on every lock and unlock whether contended or not: up to 5 % of a native workload, and the reason
/// for the series that made [`PvTicket`](crate::PvTicket). A kernel patched its call sites at boot, natively to direct
/// calls; an indirect call is what a site costs that nobody patched.
#[derive(Debug)]
#[repr(C)]
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

impl PvopsTicket {
    /// A free lock whose next number is `first` (an even one), for tests of the wrap-around.
    #[doc(hidden)]
    pub fn starting_at(first: u16) -> Self {
        Self {
            tickets: TicketWord::starting_at(first),
            ops: Ops { lock: Op::new(take), trylock: Op::new(try_take), unlock: Op::new(advance) },
        }
    }
}

impl RawLock for PvopsTicket {
    const NAME: &'static str = "pvops-ticket";
    const VARIANTS: &'static [Variant] = &[
        Variant::new("pvops-ticket", "ticket lock through a table of function pointers, as a call site that nobody patched").against("ticket").natively("a call site that nobody patched: the ticket lock behind a table of function pointers"),
        Variant::new("pvops-ticket-patched", "ticket lock behind direct calls, as boot-time patching leaves them").against("ticket").carrying(Paravirt::Patched).core().natively("Linux 2.6.27 to 3.11 with paravirtual spinlocks: call sites patched to direct calls").of_kernel(Kernel { series: false, paravirt: true, native: true, guest: false }).lock_of("Linux 2.6.27 to 3.11 with paravirtual spinlocks, natively"),
    ];
    const ORDER: Order = Order::Fifo;
    const SOURCE: &'static str = "Linux 2.6.27 to 3.11 (pv_lock_ops in arch/x86/include/asm/paravirt.h)";
    // 2: as `ticket`.
    const REVISION: u32 = 2;
    const LEAF: bool = true;
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self::starting_at(0)
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        // The kernel's whole loop sat behind the call. Here the wait stays with the caller, who knows the platform:
        // one call either way, and the table needs no type for it.
        let mine = match P::CODE {
            Code::Patched => direct_call::call!(take, &self.tickets),
            Code::Bare | Code::Paravirt => self.ops.lock.call(&self.tickets),
        };
        ticket::wait(&self.tickets, mine, ctx.platform());
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        match P::CODE {
            Code::Patched => direct_call::call!(try_take, &self.tickets),
            Code::Bare | Code::Paravirt => self.ops.trylock.call(&self.tickets),
        }
    }

    #[inline(always)]
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        match P::CODE {
            Code::Patched => direct_call::call!(advance, &self.tickets),
            Code::Bare | Code::Paravirt => {
                self.ops.unlock.call(&self.tickets);
                patched::call_site();
            }
        }
    }
}

#[inline(never)]
extern "C" fn take(tickets: &TicketWord) -> Tickets {
    tickets.take()
}

#[inline(never)]
extern "C" fn try_take(tickets: &TicketWord) -> bool {
    tickets.try_take()
}

#[inline(never)]
extern "C" fn advance(tickets: &TicketWord) {
    tickets.advance();
}
