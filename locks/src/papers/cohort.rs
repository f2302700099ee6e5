//! A cohort lock: C-TKT-TKT.

use crate::sync::{AtomicBool, AtomicU32, Ordering};
use crate::{Ctx, Order, Params, Platform, RawLock, Variant};

/// A ticket lock for each NUMA node, and one for all of them. The holder of both hands the outer one on within its node, at most
/// `LOCAL` times in a row.
#[derive(Debug)]
pub struct Cohort<const LOCAL: u32 = 64> {
    global: Tickets,
    locals: [Local; LOCALS],
}

/// Locks for single NUMA nodes. Nodes whose numbers differ by a multiple of this share one, and are one cohort.
const LOCALS: usize = 8;

/// A ticket lock's counters, on cache lines of their own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Tickets {
    /// The next number to be taken.
    next: AtomicU32,
    /// The number whose turn it is. Only the holder writes it.
    now: AtomicU32,
}

impl Tickets {
    #[inline(always)]
    fn acquire(&self, platform: &impl Platform) {
        // Relaxed: the number orders nothing, its turn does.
        let mine = self.next.fetch_add(1, Ordering::Relaxed);
        // Acquire: the sections of those before.
        while self.now.load(Ordering::Acquire) != mine {
            platform.relax();
        }
    }

    #[inline(always)]
    fn try_acquire(&self) -> bool {
        // Acquire: this may be the look that finds the lock free.
        let now = self.now.load(Ordering::Acquire);
        self.next.compare_exchange(now, now.wrapping_add(1), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Whether somebody took a number after the holder.
    #[inline(always)]
    fn wanted(&self) -> bool {
        self.next.load(Ordering::Relaxed) != self.now.load(Ordering::Relaxed).wrapping_add(1)
    }

    #[inline(always)]
    fn release(&self) {
        // A plain addition: nobody else writes it. Release: the section.
        self.now.store(self.now.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
    }
}

/// The lock of one NUMA node.
#[derive(Debug, Default)]
struct Local {
    tickets: Tickets,
    /// Whether the outer lock comes with this one. Read and written by this lock's holder.
    inherits: AtomicBool,
    /// How often in a row it came so. Read and written by this lock's holder.
    passes: AtomicU32,
}

impl<const LOCAL: u32> Cohort<LOCAL> {
    #[inline(always)]
    fn local<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> &Local {
        &self.locals[ctx.platform().node_of(ctx.me()) % LOCALS]
    }
}

impl<const LOCAL: u32> RawLock for Cohort<LOCAL> {
    const NAME: &'static str = "cohort";
    const VARIANTS: &'static [Variant] = &[Variant::new("cohort", "a ticket lock a NUMA node below one for all, handed on within a node (C-TKT-TKT)").against("ticket")];
    const ORDER: Order = Order::Hybrid;
    const SOURCE: &'static str = "Dice, Marathe and Shavit, PPoPP 2012";
    const LEAF: bool = true;
    const BY_NODE: bool = true;
    type PerVcpu = ();

    fn new<P: Platform>(_: &Params) -> Self {
        Self { global: Tickets::default(), locals: Default::default() }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let local = self.local(ctx);
        local.tickets.acquire(ctx.platform());
        // Relaxed, as everywhere: the local lock orders it.
        if local.inherits.load(Ordering::Relaxed) {
            local.inherits.store(false, Ordering::Relaxed);
        } else {
            self.global.acquire(ctx.platform());
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        let local = self.local(ctx);
        // A free local lock brings nothing: the outer one is left to somebody who waits, and who then has it.
        if !local.tickets.try_acquire() {
            return false;
        }
        if self.global.try_acquire() {
            return true;
        }
        local.tickets.release();
        false
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let local = self.local(ctx);
        let passes = local.passes.load(Ordering::Relaxed);
        if passes < LOCAL && local.tickets.wanted() {
            local.passes.store(passes + 1, Ordering::Relaxed);
            local.inherits.store(true, Ordering::Relaxed);
            local.tickets.release();
        } else {
            local.passes.store(0, Ordering::Relaxed);
            // The outer lock last: after that store the whole lock may be gone.
            local.tickets.release();
            self.global.release();
        }
    }
}
