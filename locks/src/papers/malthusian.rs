//! The Malthusian lock: MCS that sends surplus waiters into a list of passive ones.

use core::ptr;

use crate::line;
use crate::parking::Parking;
use crate::sync::{AtomicPtr, AtomicU32, Ordering};
use crate::{Ctx, Event, Order, Params, Platform, RawLock, Variant};

/// The MCS queue, and the waiters that were taken out of it.
#[derive(Debug)]
pub struct Malthusian {
    tail: AtomicPtr<Place>,
    passive: Passive,
}

/// Waiters that stand aside, the last to come in front. Only the lock's holder touches the list and its links, so all of that is
/// relaxed: the lock orders it.
#[derive(Debug)]
#[repr(align(128))]
struct Passive {
    front: AtomicPtr<Place>,
    back: AtomicPtr<Place>,
}

/// A vCPU's place in the queue or among the passive.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Place {
    /// The next in the queue, or the next further back among the passive.
    next: AtomicPtr<Place>,
    /// The next further to the front among the passive.
    nearer: AtomicPtr<Place>,
    parking: Parking,
    chance: Chance,
}

/// The state of a pseudo-random sequence, which only its own vCPU touches.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Chance(AtomicU32);

/// One of so many releases admits the waiter that has been passive for longest. A model cannot wait so long.
const ONE_IN: u32 = if cfg!(locks_loom) { 2 } else { 1024 };

impl Chance {
    /// Whether this release is one in [`ONE_IN`]: Marsaglia's xorshift, from a seed that is the vCPU's number.
    #[inline(always)]
    fn strikes(&self, cpu: usize) -> bool {
        let state = self.0.load(Ordering::Relaxed);
        let mut state = if state == 0 { cpu as u32 + 1 } else { state };
        state ^= state << 6;
        state ^= state >> 21;
        state ^= state << 7;
        self.0.store(state, Ordering::Relaxed);
        state.is_multiple_of(ONE_IN)
    }
}

impl Place {
    #[inline(always)]
    fn address(&self) -> *mut Self {
        ptr::from_ref(self).cast_mut()
    }

    /// Its successor: there is one.
    #[inline(always)]
    fn successor(&self, platform: &impl Platform) -> *mut Self {
        line::successor(&self.next, platform)
    }
}

/// The place at an address that was found in the queue or among the passive.
///
/// # Safety
///
/// `place` must have been put there by its vCPU, and the caller must hold the lock.
#[inline(always)]
unsafe fn at<'a>(place: *mut Place) -> &'a Place {
    // SAFETY: it lies in a vCPU's block, which outlives the lock's use; its vCPU waits for a grant that the holder alone gives.
    unsafe { &*place }
}

impl Passive {
    #[inline(always)]
    fn push_front(&self, place: &Place) {
        let front = self.front.load(Ordering::Relaxed);
        place.next.store(front, Ordering::Relaxed);
        place.nearer.store(ptr::null_mut(), Ordering::Relaxed);
        self.front.store(place.address(), Ordering::Relaxed);
        if front.is_null() {
            self.back.store(place.address(), Ordering::Relaxed);
        } else {
            // SAFETY: the caller holds the lock.
            unsafe { at(front) }.nearer.store(place.address(), Ordering::Relaxed);
        }
    }

    /// Takes out the last to have come.
    #[inline(always)]
    fn pop_front<'a>(&self) -> Option<&'a Place> {
        let front = self.front.load(Ordering::Relaxed);
        if front.is_null() {
            return None;
        }
        // SAFETY: the caller holds the lock.
        let place = unsafe { at(front) };
        let next = place.next.load(Ordering::Relaxed);
        self.front.store(next, Ordering::Relaxed);
        if next.is_null() {
            self.back.store(ptr::null_mut(), Ordering::Relaxed);
        } else {
            // SAFETY: as above.
            unsafe { at(next) }.nearer.store(ptr::null_mut(), Ordering::Relaxed);
        }
        Some(place)
    }

    /// Takes out the one that has been passive for longest.
    #[inline(always)]
    fn pop_back<'a>(&self) -> Option<&'a Place> {
        let back = self.back.load(Ordering::Relaxed);
        if back.is_null() {
            return None;
        }
        // SAFETY: the caller holds the lock.
        let place = unsafe { at(back) };
        let nearer = place.nearer.load(Ordering::Relaxed);
        self.back.store(nearer, Ordering::Relaxed);
        if nearer.is_null() {
            self.front.store(ptr::null_mut(), Ordering::Relaxed);
        } else {
            // SAFETY: as above.
            unsafe { at(nearer) }.next.store(ptr::null_mut(), Ordering::Relaxed);
        }
        Some(place)
    }
}

impl Malthusian {
    #[cold]
    #[inline(never)]
    fn wait<P: Platform>(mine: &Place, previous: *mut Place, ctx: &Ctx<'_, Self, P>) {
        // SAFETY: the tail only ever holds places out of the contexts' blocks, which outlive the lock's use; the predecessor
        // cannot reuse its place before it has seen this link.
        unsafe { &*previous }.next.store(mine.address(), Ordering::Release);
        mine.parking.wait(ctx.params().spin_threshold, ctx.platform());
    }

    /// Puts a passive waiter right behind the holder `mine`, and hands the lock over to it.
    #[cold]
    #[inline(never)]
    fn graft(&self, mine: &Place, place: &Place, platform: &impl Platform) {
        platform.count(Event::PvLockStealing);
        place.next.store(ptr::null_mut(), Ordering::Relaxed);
        // Release publishes that it has no successor.
        if self
            .tail
            .compare_exchange(mine.address(), place.address(), Ordering::Release, Ordering::Relaxed)
            .is_err()
        {
            // Others queue behind the holder.
            place.next.store(mine.successor(platform), Ordering::Release);
        }
        place.parking.grant(platform);
    }

    /// Hands over to the successor, which `mine` has; where others queue behind that, it becomes passive, and the next is taken.
    #[inline(always)]
    fn hand_over(&self, mine: &Place, platform: &impl Platform) {
        // SAFETY: this vCPU holds the lock.
        let mut next = unsafe { at(mine.successor(platform)) };
        // Relaxed: the tail only tells whether anybody is behind, and whoever is stays there.
        if self.tail.load(Ordering::Relaxed) != next.address() {
            let surplus = next;
            // SAFETY: as above.
            next = unsafe { at(surplus.successor(platform)) };
            self.passive.push_front(surplus);
        }
        next.parking.grant(platform);
    }
}

impl RawLock for Malthusian {
    const NAME: &'static str = "malthusian";
    const VARIANTS: &'static [Variant] = &[Variant::new("malthusian", "MCS that sets surplus waiters aside, where they halt").against("mcs")];
    const ORDER: Order = Order::Unfair;
    const SOURCE: &'static str = "Dice, EuroSys 2017 (MCSCR-STP)";
    const LEAF: bool = true;
    const BLOCKS: bool = true;
    type PerVcpu = Place;

    fn new<P: Platform>(_: &Params) -> Self {
        let none = || AtomicPtr::new(ptr::null_mut());
        Self { tail: none(), passive: Passive { front: none(), back: none() } }
    }

    #[inline(always)]
    fn acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let mine = ctx.mine();
        mine.next.store(ptr::null_mut(), Ordering::Relaxed);
        mine.parking.prepare(ctx.me());
        // Release publishes the place; acquire orders the section after the release of a free lock, and makes the predecessor's
        // place readable.
        let previous = self.tail.swap(mine.address(), Ordering::AcqRel);
        if !previous.is_null() {
            Self::wait(mine, previous, ctx);
        }
    }

    #[inline(always)]
    fn try_acquire<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) -> bool {
        let mine = ctx.mine();
        mine.next.store(ptr::null_mut(), Ordering::Relaxed);
        self.tail
            .compare_exchange(ptr::null_mut(), mine.address(), Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    #[inline(always)]
    fn release<P: Platform>(&self, ctx: &Ctx<'_, Self, P>) {
        let (mine, platform) = (ctx.mine(), ctx.platform());
        if mine.chance.strikes(ctx.me())
            && let Some(place) = self.passive.pop_back()
        {
            self.graft(mine, place, platform);
            return;
        }
        if mine.next.load(Ordering::Relaxed).is_null() {
            // Nobody queues: whoever became passive last is still warm.
            if let Some(place) = self.passive.pop_front() {
                self.graft(mine, place, platform);
                return;
            }
            if self
                .tail
                .compare_exchange(mine.address(), ptr::null_mut(), Ordering::Release, Ordering::Relaxed)
                .is_ok()
            {
                return;
            }
            // SAFETY: this vCPU holds the lock, and the exchange failed: somebody is about to link itself.
            unsafe { at(mine.successor(platform)) }.parking.grant(platform);
            return;
        }
        self.hand_over(mine, platform);
    }
}
