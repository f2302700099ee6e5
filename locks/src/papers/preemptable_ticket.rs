//! The preemptable ticket lock: a ticket is a place in line and a patience, and after that a licence to overtake.

use crate::sync::{AtomicU64, Ordering};
use crate::{Ctx, Order, Params, Platform, RawLock, Variant};

/// A ticket lock beside a test-and-set lock. Tickets say who may try the latter: whose turn it is, and whoever waited in vain for
/// longer than it should take those before it.
#[derive(Debug)]
pub struct PreemptableTicket {
    /// Bits 0 to 15: head, how many releases there were. Bit 16: held. Bits 48 to 63: tail, the next ticket.
    word: AtomicU64,
}

const HELD: u64 = 1 << 16;
const TICKET: u64 = 1 << 48;

/// Iterations of the spin loop that a waiter grants to each ticket before its own.
const PATIENCE: u32 = 1 << 8;

impl PreemptableTicket {
    /// A free lock whose next ticket is `first`, for tests of the wrap-around.
    #[doc(hidden)]
    pub fn starting_at(first: u16) -> Self {
        Self { word: AtomicU64::new(u64::from(first) << 48 | u64::from(first)) }
    }

    #[inline(always)]
    const fn head(word: u64) -> u16 {
        word as u16
    }

    #[inline(always)]
    const fn tail(word: u64) -> u16 {
        (word >> 48) as u16
    }

    /// How many tickets are before `ticket`; none where its turn has come or gone by.
    #[inline(always)]
    fn before(ticket: u16, word: u64) -> u32 {
        let distance = ticket.wrapping_sub(Self::head(word)).cast_signed();
        if distance > 0 { u32::from(distance.cast_unsigned()) } else { 0 }
    }

    #[inline(always)]
    fn try_hold(&self) -> bool {
        // Acquire: the section comes after the one whose release is read here.
        self.word.fetch_or(HELD, Ordering::Acquire) & HELD == 0
    }

    #[cold]
    #[inline(never)]
    fn wait<P: Platform>(&self, ticket: u16, mut before: u32, ctx: &Ctx<'_, Self, P>) {
        let mut spins = 0;
        // Whose turn it is not, waits for it, or until its patience is over. With every release it begins anew.
        while before > 0 && spins < PATIENCE * before {
            ctx.platform().relax();
            spins += 1;
            let now = Self::before(ticket, self.word.load(Ordering::Relaxed));
            if now != before {
                before = now;
                spins = 0;
            }
        }
        // Reads first, as `Tas`, so that others' operations on the word are not held up.
        while self.word.load(Ordering::Relaxed) & HELD != 0 || !self.try_hold() {
            ctx.platform().relax();
        }
    }
}

impl RawLock for PreemptableTicket {
    const NAME: &'static str = "preemptable-ticket";
    const VARIANTS: &'static [Variant] = &[Variant::new("preemptable-ticket", "ticket lock whose waiters overtake when their patience is over").against("ticket")];
    const ORDER: Order = Order::Hybrid;
    const SOURCE: &'static str = "Ouyang and Lange, VEE 2013";
    const LEAF: bool = true;
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self::starting_at(0)
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        // Relaxed: a ticket orders nothing; `HELD` does. What the tail carries out of the word is lost.
        let word = self.word.fetch_add(TICKET, Ordering::Relaxed);
        let ticket = Self::tail(word);
        let before = Self::before(ticket, word);
        if before > 0 || !self.try_hold() {
            self.wait(ticket, before, ctx);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        Self::head(word) == Self::tail(word)
            && word & HELD == 0
            && self.word.compare_exchange(word, word.wrapping_add(TICKET) | HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        // The holder alone writes head and `HELD`, so neither changes in between; the tail may. The next head and the free lock
        // become visible at once; the last head goes back to 0 and must not carry.
        let head = Self::head(self.word.load(Ordering::Relaxed));
        let step = if head == u16::MAX { 2 * HELD - 1 } else { HELD - 1 };
        // Release: the section comes before whatever the next holder does.
        self.word.fetch_sub(step, Ordering::Release);
    }
}
