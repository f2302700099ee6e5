//! The Fissile lock: test-and-set before a queue, whose first becomes impatient.

use crate::line::{Line, Place};
use crate::sync::{AtomicU32, Ordering};
use crate::{Ctx, Event, Order, Params, Platform, RawLock, Variant};

/// An outer word that whoever comes may take, and an inner queue of those who found it taken. The first of the queue competes
/// for the word, and after a while has it handed over.
#[derive(Debug)]
pub struct Fissile {
    outer: AtomicU32,
    /// What the next release stores into `outer`: [`FREE`] or [`HANDED`]. Written by the first of the queue.
    patience: AtomicU32,
    inner: Line,
}

/// A vCPU's place in the inner queue.
#[derive(Debug, Default)]
pub struct Queued(Place);

const FREE: u32 = 0;
const HELD: u32 = 1;
/// Free, but for the first of the queue only.
const HANDED: u32 = 2;

/// So many iterations of its own the first of the queue lets others pass. A model cannot wait so long.
const PATIENCE: u32 = if cfg!(locks_loom) { 2 } else { 1024 };

impl Fissile {
    #[cold]
    #[inline(never)]
    fn wait<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let (place, platform) = (&ctx.mine().0, ctx.platform());
        platform.count(Event::LockSlowpath);
        self.inner.wait(place, platform);
        self.take_as_first(platform);
        // The queue is left before the section, so that a release needs to know of the outer word alone.
        self.inner.leave(place, platform);
    }

    #[inline(always)]
    fn take_as_first(&self, platform: &impl Platform) {
        let mut waited = 0;
        loop {
            let seen = self.outer.load(Ordering::Relaxed);
            if seen != HELD
                && self.outer.compare_exchange(seen, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
            {
                break;
            }
            waited += 1;
            if waited == PATIENCE {
                // Relaxed: a release that misses it costs one more bypass.
                self.patience.store(HANDED, Ordering::Relaxed);
            }
            platform.relax();
        }
        if waited >= PATIENCE {
            // Only this vCPU wrote it, and only this one, the holder now, will read it at the next release.
            self.patience.store(FREE, Ordering::Relaxed);
        }
    }
}

impl RawLock for Fissile {
    const NAME: &'static str = "fissile";
    const VARIANTS: &'static [Variant] = &[Variant::new("fissile", "test-and-set before a queue whose first becomes impatient").against("tas").and_against("mcs")];
    const ORDER: Order = Order::Hybrid;
    const SOURCE: &'static str = "Dice and Kogan, NETYS 2020 (arXiv 2003.05025)";
    const LEAF: bool = true;
    type PerVcpu = Queued;

    fn new<P: Platform>(_: &Params) -> Self {
        Self { outer: AtomicU32::new(FREE), patience: AtomicU32::new(FREE), inner: Line::empty() }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        if !self.try_acquire(ctx) {
            self.wait(ctx);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, _: &Ctx<'_, Self, P>) -> bool {
        self.outer.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, _: &Ctx<'_, Self, P>) {
        self.outer.store(self.patience.load(Ordering::Relaxed), Ordering::Release);
    }
}
