//! The paravirtual ticket lock: the kernel's x86 spinlock in guests from 3.12 to 4.1.

use core::ptr;

use crate::sync::{AtomicU32, AtomicUsize, Ordering, TicketWord};
use crate::{Ctx, Event, Kernel, Order, Params, Paravirt, Platform, RawLock, Variant};

/// A ticket lock whose waiters halt after a while, and whose holder then kicks the next in line, and only that one.
///
/// With the paravirtual code compiled out or switched off it is the ticket lock again; what the switch costs is the
/// question it is measured for.
#[derive(Debug)]
pub struct PvTicket {
    tickets: TicketWord,
    settings: Settings,
}

/// What never changes, on lines that nobody writes. The kernel patches its code instead (a static key); a branch on
/// data that stays in every cache is the nearest that a program has.
#[derive(Debug)]
#[repr(align(128))]
struct Settings {
    spin_threshold: u32,
    hypervisor: bool,
}

/// What a vCPU waits for, on a cache line of its own. All the slots together are the set of waiting vCPUs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Waiting {
    /// Address of the lock; 0 where the vCPU is not waiting.
    lock: AtomicUsize,
    want: AtomicU32,
}

impl PvTicket {
    /// A free lock whose next ticket is `first` (an even number), for tests of the wrap-around.
    #[doc(hidden)]
    pub fn starting_at(first: u32, params: &Params) -> Self {
        Self {
            tickets: TicketWord::starting_at(first),
            settings: Settings { spin_threshold: params.spin_threshold, hypervisor: params.hypervisor },
        }
    }

    /// Whether waiters may halt, and so whether an unlock must look for the flag.
    #[inline(always)]
    fn halting<P: Platform>(&self) -> bool {
        P::PARAVIRT && self.settings.hypervisor
    }

    #[inline(always)]
    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    #[cold]
    #[inline(never)]
    fn wait<P: Platform>(&self, mine: u32, ctx: &Ctx<'_, Self, P>) {
        let mut spins = 0;
        let head = loop {
            let head = self.tickets.head();
            if head & !TicketWord::SLOW == mine {
                break head;
            }
            ctx.platform().relax();
            // Where no hypervisor is, the kernel counts as well and then calls a function that does nothing.
            if P::PARAVIRT {
                spins += 1;
                if spins >= self.settings.spin_threshold {
                    spins = 0;
                    if self.settings.hypervisor {
                        self.halt(mine, ctx);
                    }
                }
            }
        };
        if head & TicketWord::SLOW != 0 {
            self.tickets.clear_slow(mine);
        }
    }

    /// Halts until the ticket `want` is called. May return earlier.
    #[cold]
    #[inline(never)]
    fn halt<P: Platform>(&self, want: u32, ctx: &Ctx<'_, Self, P>) {
        ctx.platform().count(Event::LockSlowpath);
        let slot = ctx.mine();
        slot.want.store(want, Ordering::Relaxed);
        // Release: an unlock that looks at a slot before its flag is up must not take an earlier want for this one's.
        slot.lock.store(self.address(), Ordering::Release);
        // The slot is published before the flag. Flag and head being one word, setting the one and reading the other
        // is one step in that word's modification order, so there is no window for the kernel's full barrier to
        // close: either the unlock comes first and is seen here, or it comes later and sees the flag and the slot.
        let head = self.tickets.set_slow();
        if head & !TicketWord::SLOW != want {
            ctx.platform().halt();
            if self.tickets.head() & !TicketWord::SLOW != want {
                ctx.platform().count(Event::PvSpuriousWakeup);
            }
        }
        // Relaxed: an unlock that still finds the slot sends a kick too many, which a later halt shrugs off.
        slot.lock.store(0, Ordering::Relaxed);
    }

    /// Kicks the vCPU that waits for ticket `next` of the lock at `address`. Works on the address, for the lock itself
    /// may be gone: it was released, and its next holder may have freed it.
    #[cold]
    #[inline(never)]
    fn kick<P: Platform>(address: usize, next: u32, ctx: &Ctx<'_, Self, P>) {
        for cpu in 0..ctx.vcpus() {
            let slot = ctx.of(cpu);
            if slot.lock.load(Ordering::Acquire) == address && slot.want.load(Ordering::Relaxed) == next {
                ctx.platform().count(Event::PvKickUnlock);
                ctx.platform().kick(cpu);
                return;
            }
        }
        // Nobody there: the next one is still spinning and will see its ticket.
    }
}

impl RawLock for PvTicket {
    const NAME: &'static str = "pv-ticket";
    const VARIANTS: &'static [Variant] = &[
        Variant::new("pv-ticket", "ticket lock whose waiters halt and are kicked in turn").against("ticket").carrying(Paravirt::On).core().of_kernel(Kernel { patched: true, paravirt: true, native: false, guest: true }),
        Variant::new("pv-ticket-off", "pv-ticket compiled in but switched off, as on a native machine").against("ticket").carrying(Paravirt::CarriedOff).core().natively("the paravirtual lock carried but switched off").of_kernel(Kernel { patched: true, paravirt: true, native: true, guest: false }),
        Variant::new("pv-ticket-bare", "pv-ticket's source with the paravirtual code compiled out").against("ticket").natively("the paravirtual source with paravirtualisation compiled out").of_kernel(Kernel { patched: true, paravirt: false, native: true, guest: true }),
    ];
    const ORDER: Order = Order::Fifo;
    const SOURCE: &'static str = "Linux 3.12 to 4.1 (arch/x86/include/asm/spinlock.h), flag in the head as of commit d6abfdb20223";
    const LEAF: bool = true;
    type PerVcpu = Waiting;

    fn new<P: Platform>(params: &Params) -> Self {
        Self::starting_at(0, params)
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
        if self.halting::<P>() {
            let address = self.address();
            let head = self.tickets.advance_and_look();
            if head & TicketWord::SLOW != 0 {
                Self::kick(address, (head & !TicketWord::SLOW).wrapping_add(TicketWord::STEP), ctx);
            }
        } else {
            self.tickets.advance();
        }
    }
}
