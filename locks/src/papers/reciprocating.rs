//! The Reciprocating lock: arrivals push themselves onto a stack, which is taken off whole and served from its top.

use core::ptr;

use crate::sync::{AtomicPtr, Ordering};
use crate::{Ctx, Order, Params, Platform, RawLock, Variant};

/// One word: null while free, `EMPTY` while held and nobody has arrived since the last segment was taken off, else the last
/// to arrive.
#[derive(Debug)]
pub struct Reciprocating {
    arrivals: AtomicPtr<Element>,
}

/// What a vCPU waits on.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Element {
    /// Null while its vCPU waits, then the end of the segment that it was admitted from. Written by whoever admits it.
    gate: AtomicPtr<Element>,
    turn: Turn,
}

/// What a holder remembers from its acquisition to its release, on cache lines of its own: its predecessor writes the gate.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Turn {
    /// The next of this segment; null where this is its last.
    next: AtomicPtr<Element>,
    /// The end of this segment.
    end: AtomicPtr<Element>,
}

/// What stands in the lock while it is held and nobody has arrived since the last segment was taken off. No element lies there.
const EMPTY: *mut Element = ptr::without_provenance_mut(1);

impl Reciprocating {
    /// Waits behind `below`, which was the last to arrive before `mine`, and gives the turn.
    #[cold]
    #[inline(never)]
    fn wait<P: Platform>(mine: &Element, below: *mut Element, ctx: &Ctx<'_, Self, P>) {
        let below = if below == EMPTY { ptr::null_mut() } else { below };
        let end = loop {
            // Acquire: the section comes after that of whoever admitted this vCPU.
            let end = mine.gate.load(Ordering::Acquire);
            if !end.is_null() {
                break end;
            }
            ctx.platform().relax();
        };
        // Who lies below is the one that held the lock when this segment began: it has long been served.
        let last = below == end;
        mine.remember(if last { ptr::null_mut() } else { below }, if last { EMPTY } else { end });
    }
}

impl Element {
    /// Relaxed: only its own vCPU reads and writes these.
    #[inline(always)]
    fn remember(&self, next: *mut Self, end: *mut Self) {
        self.turn.next.store(next, Ordering::Relaxed);
        self.turn.end.store(end, Ordering::Relaxed);
    }

    #[inline(always)]
    fn address(&self) -> *mut Self {
        ptr::from_ref(self).cast_mut()
    }
}

/// Admits the vCPU that waits on `element`.
///
/// # Safety
///
/// `element` must be one that its vCPU has put into the lock and still waits on.
#[inline(always)]
unsafe fn admit(element: *mut Element, end: *mut Element) {
    // SAFETY: it lies in a vCPU's block, which outlives the lock's use, and stays where it is as long as its vCPU waits on it.
    // Release: hands the section over.
    unsafe { &*element }.gate.store(end, Ordering::Release);
}

impl RawLock for Reciprocating {
    const NAME: &'static str = "reciprocating";
    const VARIANTS: &'static [Variant] = &[Variant::new("reciprocating", "stack of arrivals, taken off whole and served from its top").against("mcs")];
    const ORDER: Order = Order::Hybrid;
    const SOURCE: &'static str = "Dice and Kogan, PPoPP 2025 (arXiv 2501.02380)";
    const LEAF: bool = true;
    type PerVcpu = Element;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { arrivals: AtomicPtr::new(ptr::null_mut()) }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let mine = ctx.mine();
        mine.gate.store(ptr::null_mut(), Ordering::Relaxed);
        // Release publishes the closed gate. Acquire orders the section after the release of a free lock, and makes the element
        // below readable.
        let below = self.arrivals.swap(mine.address(), Ordering::AcqRel);
        if below.is_null() {
            mine.remember(ptr::null_mut(), mine.address());
        } else {
            Self::wait(mine, below, ctx);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        let mine = ctx.mine();
        let taken = self
            .arrivals
            .compare_exchange(ptr::null_mut(), mine.address(), Ordering::AcqRel, Ordering::Relaxed)
            .is_ok();
        if taken {
            mine.remember(ptr::null_mut(), mine.address());
        }
        taken
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let turn = &ctx.mine().turn;
        let (next, end) = (turn.next.load(Ordering::Relaxed), turn.end.load(Ordering::Relaxed));
        if !next.is_null() {
            // SAFETY: `next` is of this vCPU's own segment, and this vCPU alone may admit it.
            unsafe { admit(next, end) };
            return;
        }
        // What stands in the lock while nobody has arrived: see `end`. Looking first spares a line that changed an exchange.
        if self.arrivals.load(Ordering::Relaxed) == end
            && self
                .arrivals
                .compare_exchange(end, ptr::null_mut(), Ordering::Release, Ordering::Relaxed)
                .is_ok()
        {
            return;
        }
        // Acquire makes every element of the stack readable: each arrival was a read-modify-write of this word.
        let top = self.arrivals.swap(EMPTY, Ordering::AcqRel);
        // SAFETY: the exchange failed, or the word was seen to be neither `end` nor free: somebody has arrived, and waits.
        unsafe { admit(top, end) };
    }
}
