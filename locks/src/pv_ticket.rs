//! The paravirtual ticket lock: the kernel's x86 spinlock in guests from 3.12 to 4.1.

use core::ptr;

use crate::sync::{AtomicU16, AtomicUsize, Ordering, TicketWord};
use crate::vcpu_set::{self, InSet, Members};
use crate::{Code, Ctx, Event, Kernel, Order, Params, Paravirt, Platform, RawLock, Variant, patched};

/// A ticket lock whose waiters halt after a while, and whose holder then kicks the next in line, and only that one.
///
/// With the paravirtual code compiled out, patched out or switched off it is the ticket lock again. How much that costs
/// natively, compared with the plain ticket lock, is what its variants measure.
#[derive(Debug)]
pub struct PvTicket {
    tickets: TicketWord,
}

/// What a vCPU waits for, and its share of the set of those who wait.
#[derive(Debug, Default)]
pub struct Waiting {
    slot: Slot,
    waiting: Members,
}

/// On a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Slot {
    /// Address of the lock; 0 where the vCPU is not waiting.
    lock: AtomicUsize,
    want: AtomicU16,
}

impl PvTicket {
    /// A free lock whose next ticket is `first` (an even number), for tests of the wrap-around.
    #[doc(hidden)]
    pub fn starting_at(first: u16) -> Self {
        Self { tickets: TicketWord::starting_at(first) }
    }

    /// The bits of a head that are a flag. Without paravirtual code there is none, and nothing of it in the machine code.
    const fn flag<P: Platform>() -> u16 {
        match P::CODE {
            Code::Bare => 0,
            Code::Patched | Code::Paravirt => TicketWord::SLOW,
        }
    }

    #[cold]
    #[inline(never)]
    fn wait<P: Platform>(&self, mine: u16, ctx: &Ctx<'_, Self, P>) {
        let mut spins = 0;
        let head = loop {
            let head = self.tickets.head();
            if head & !Self::flag::<P>() == mine {
                break head;
            }
            ctx.platform().relax();
            // Where no hypervisor is, the kernel counts as well and then calls a function that does nothing.
            if P::CODE != Code::Bare {
                spins += 1;
                if spins >= ctx.params().spin_threshold {
                    spins = 0;
                    if ctx.halting() {
                        self.halt(mine, ctx);
                    } else if P::CODE == Code::Patched {
                        patched::call_of_nothing();
                    }
                }
            }
        };
        if head & Self::flag::<P>() != 0 {
            self.tickets.clear_slow(mine);
        }
    }

    #[cold]
    #[inline(never)]
    fn kick_next<P: Platform>(address: usize, next: u16, ctx: &Ctx<'_, Self, P>) {
        Self::kick(address, next, ctx);
    }
}

/// A ticket lock whose waiters halt, and whose holder kicks those whose tickets it knows.
pub(crate) trait HaltingTickets: RawLock<PerVcpu = Waiting> {
    /// The lock's word.
    fn tickets(&self) -> &TicketWord;

    #[inline(always)]
    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Halts until the ticket `want` is called. May return earlier.
    #[cold]
    #[inline(never)]
    fn halt<P: Platform>(&self, want: u16, ctx: &Ctx<'_, Self, P>) {
        ctx.platform().count(Event::LockSlowpath);
        let slot = &ctx.mine().slot;
        slot.want.store(want, Ordering::Relaxed);
        // Release: an unlock that looks at a slot before its flag is up must not take an earlier want for this one's.
        slot.lock.store(self.address(), Ordering::Release);
        vcpu_set::join(ctx);
        // The slot is published before the flag. Flag and head being one word, setting the one and reading the other
        // is ordered by that word's modification order, so there is no window for the kernel's full barrier to
        // close: either the unlock comes first and is seen here, or it comes later and sees the flag and the slot.
        let head = self.tickets().set_slow();
        if head & !TicketWord::SLOW != want {
            ctx.platform().halt();
            if self.tickets().head() & !TicketWord::SLOW != want {
                ctx.platform().count(Event::PvSpuriousWakeup);
            }
        }
        vcpu_set::leave(ctx);
        // Relaxed: an unlock that still finds the slot sends a kick too many, which a later halt shrugs off.
        slot.lock.store(0, Ordering::Relaxed);
    }

    /// Kicks the vCPU that waits for ticket `next` of the lock at `address`. Works on the address, for the lock itself
    /// may be gone: it was released, and its next holder may have freed it.
    #[inline(always)]
    fn kick<P: Platform>(address: usize, next: u16, ctx: &Ctx<'_, Self, P>) {
        let waiter = vcpu_set::find(ctx, |cpu| {
            let slot = &ctx.of(cpu).slot;
            slot.lock.load(Ordering::Acquire) == address && slot.want.load(Ordering::Relaxed) == next
        });
        // Where nobody is found, the next one is still spinning and will see its ticket.
        if let Some(cpu) = waiter {
            ctx.platform().count(Event::PvKickUnlock);
            ctx.platform().kick(cpu);
        }
    }
}

impl<L: HaltingTickets> InSet for L {
    #[inline(always)]
    fn members(block: &Waiting) -> &Members {
        &block.waiting
    }
}

impl HaltingTickets for PvTicket {
    #[inline(always)]
    fn tickets(&self) -> &TicketWord {
        &self.tickets
    }
}

impl RawLock for PvTicket {
    const NAME: &'static str = "pv-ticket";
    const VARIANTS: &'static [Variant] = &[
        Variant::new("pv-ticket", "ticket lock whose waiters halt and are kicked in turn").against("ticket").carrying(Paravirt::On).core().of_kernel(Kernel { series: true, paravirt: true, native: false, guest: true }).lock_of("an x86 guest with paravirtual spinlocks, Linux 3.12 to 4.1"),
        Variant::new("pv-ticket-off", "pv-ticket switched off at run time, by a load and a branch, as in no kernel").against("ticket").carrying(Paravirt::CarriedOff).natively("no kernel's: the paravirtual lock switched off by a load and a branch, as a program without patching has to"),
        Variant::new("pv-ticket-bare", "pv-ticket's source with the paravirtual code compiled out").against("ticket").natively("Linux 3.12 to 4.1 without paravirtual spinlocks").of_kernel(Kernel { series: true, paravirt: false, native: true, guest: true }).lock_of("Linux 3.12 to 4.1 without paravirtual spinlocks"),
        Variant::new("pv-ticket-patched", "pv-ticket as boot-time patching leaves it on a native machine: a NOP").against("ticket").carrying(Paravirt::Patched).core().natively("Linux 3.12 to 4.1 with paravirtual spinlocks: the static key in the unlock patched to a NOP").of_kernel(Kernel { series: true, paravirt: true, native: true, guest: false }).lock_of("Linux 3.12 to 4.1 with paravirtual spinlocks, natively"),
    ];
    const ORDER: Order = Order::Fifo;
    const SOURCE: &'static str = "Linux 3.12 to 4.1 (arch/x86/include/asm/spinlock.h), flag in the head as of commit d6abfdb20223";
    // 2: as `ticket`; with a hypervisor the unlock is a locked addition to the head's half, and the kick walks a set.
    const REVISION: u32 = 2;
    const LEAF: bool = true;
    const SHARES_BLOCKS: bool = true;
    type PerVcpu = Waiting;

    fn new<P: Platform>(_: &Params) -> Self {
        Self::starting_at(0)
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let tickets = self.tickets.take();
        // Unmasked: with the flag set it is not the fast path, for the flag may have to be cleared.
        if tickets.head != tickets.tail {
            self.wait(tickets.tail, ctx);
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
            if P::CODE == Code::Patched {
                patched::key_down();
            }
            self.tickets.advance();
        }
    }
}
