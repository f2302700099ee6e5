//! What a lock's time goes into: five parts, booked by the vCPU that holds the lock.
//!
//! Time is cut into pieces at the moments at which the lock is released and taken. The vCPU that ends a piece books it, so
//! the parts add up to the time since the first boundary by construction. The parent reads the account while workers run. It
//! must neither see half a booking nor wait for a writer that is off its pCPU.

use core::sync::atomic::{AtomicU64, Ordering::*, fence};

/// Where a lock's time went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Part {
    /// Nobody wanted the lock.
    Idle,
    /// It was free though somebody waited.
    Free,
    /// It was granted to a vCPU that was not running.
    GrantedOff,
    /// It was held by a vCPU that was not running.
    HeldOff,
    /// It was held usefully.
    Held,
}

impl Part {
    /// Number of parts.
    pub const COUNT: usize = 5;
}

/// Ticks of each part, indexed by `part as usize`.
pub type Spent = [u64; Part::COUNT];

/// Splits the time from a release to the next acquisition. `wanted` is when the first vCPU began to wait. `ran` is when the
/// vCPU that the lock was granted to last came back onto a pCPU; none if the lock was granted to no particular vCPU.
#[inline(always)]
pub fn until_taken(released: u64, wanted: u64, ran: Option<u64>, acquired: u64) -> Spent {
    // Not `clamp`, which panics if its bounds are in the wrong order: workers cannot panic.
    let within = |at: u64, from: u64| at.max(from).min(acquired.max(from));
    let acquired = acquired.max(released);
    let wanted = within(wanted, released);
    let ran = ran.map_or(wanted, |ran| within(ran, wanted));
    let mut spent = [0; Part::COUNT];
    spent[Part::Idle as usize] = wanted - released;
    spent[Part::GrantedOff as usize] = ran - wanted;
    spent[Part::Free as usize] = acquired - ran;
    spent
}

/// Splits a hold. If the holder lost its pCPU meanwhile, only the first `typical` ticks count as useful.
#[inline(always)]
pub fn while_held(ticks: u64, preempted: bool, typical: u64) -> Spent {
    let useful = if preempted { ticks.min(typical) } else { ticks };
    let mut spent = [0; Part::COUNT];
    spent[Part::Held as usize] = useful;
    spent[Part::HeldOff as usize] = ticks - useful;
    spent
}

/// The account of a lock's time at one of its boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Ticks at the boundary: the last release or acquisition; 0 before the first.
    pub since: u64,
    /// The holder since that boundary; none if the lock is free.
    pub holder: Option<u32>,
    /// Ticks booked up to that boundary.
    pub spent: Spent,
}

#[derive(Debug)]
#[repr(C, align(64))]
struct Slot {
    since: AtomicU64,
    /// The holder's number + 1; 0 if the lock is free.
    holder: AtomicU64,
    spent: [AtomicU64; Part::COUNT],
}

/// The lock's account, written by the lock's holder and read by anybody: a latch like the kernel's `seqcount_latch`. One of
/// its two slots is always whole, so a reader never waits for a holder that was preempted between two stores.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct LockTime {
    /// Number of bookings; its lowest bit says which slot is whole.
    bookings: AtomicU64,
    slots: [Slot; 2],
}

impl LockTime {
    /// Begins the account with a free lock, before anybody uses it.
    pub fn start(&self, at: u64) {
        let [even, _] = &self.slots;
        even.since.store(at, Relaxed);
    }

    /// Ends the present piece of time, which went into `spent`. Only the lock's holder may call this: right after it took the
    /// lock, and right before it releases it.
    #[inline(always)]
    pub(crate) fn book(&self, spent: &Spent, at: u64, holder: Option<u32>) {
        // Relaxed: the lock orders holders.
        let bookings = self.bookings.load(Relaxed);
        let (old, new) = self.slots(bookings);
        // A reader that sees one of the stores below must also see that this slot is no longer the whole one.
        fence(Release);
        for ((old, new), ticks) in old.spent.iter().zip(&new.spent).zip(spent) {
            new.store(old.load(Relaxed).wrapping_add(*ticks), Relaxed);
        }
        // `max`, because a vCPU's clock may be a few ticks behind another's and the boundary must not go back.
        new.since.store(at.max(old.since.load(Relaxed)), Relaxed);
        new.holder.store(holder.map_or(0, |holder| u64::from(holder) + 1), Relaxed);
        // Release: a reader that sees the new count sees what is in the slot.
        self.bookings.store(bookings.wrapping_add(1), Release);
    }

    /// Ticks at the last boundary, for the holder.
    #[inline(always)]
    pub(crate) fn since(&self) -> u64 {
        self.slots(self.bookings.load(Relaxed)).0.since.load(Relaxed)
    }

    /// Number of the acquisition that the next booking begins or ends, over all vCPUs: each acquisition is booked twice.
    #[inline(always)]
    pub(crate) fn acquisition(&self) -> u64 {
        self.bookings.load(Relaxed) / 2
    }

    /// The account, for a reader that does not hold the lock. None if bookings came so fast that no attempt saw a whole slot.
    pub fn read(&self) -> Option<Account> {
        (0..1000).find_map(|_| {
            let bookings = self.bookings.load(Acquire);
            let whole = self.slots(bookings).0;
            let account = Account {
                since: whole.since.load(Relaxed),
                holder: (whole.holder.load(Relaxed) as u32).checked_sub(1),
                spent: core::array::from_fn(|part| whole.spent[part].load(Relaxed)),
            };
            // Pairs with the fence in `book`: had any load seen a later booking's store, the count has moved on.
            fence(Acquire);
            (self.bookings.load(Relaxed) == bookings).then_some(account)
        })
    }

    /// The whole slot and the other one.
    #[inline(always)]
    fn slots(&self, bookings: u64) -> (&Slot, &Slot) {
        let [even, odd] = &self.slots;
        if bookings.is_multiple_of(2) { (even, odd) } else { (odd, even) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(spent: Spent) -> u64 {
        spent.iter().sum()
    }

    #[test]
    fn every_piece_is_split_without_remainder() {
        let times = [0, 5, 99, 100, 101, 150, 200, 201, 999];
        for wanted in times {
            for ran in times.map(Some).into_iter().chain([None]) {
                assert_eq!(sum(until_taken(100, wanted, ran, 200)), 100, "{wanted} {ran:?}");
                assert_eq!(sum(until_taken(100, wanted, ran, 90)), 0, "clocks a little apart");
            }
        }
        assert_eq!(until_taken(100, 130, Some(170), 200), [30, 30, 40, 0, 0]);
        assert_eq!(until_taken(100, 50, None, 200), [0, 100, 0, 0, 0]);
        assert_eq!(while_held(50, false, 10), [0, 0, 0, 0, 50]);
        assert_eq!(while_held(50, true, 10), [0, 0, 0, 40, 10]);
        assert_eq!(while_held(5, true, 10), [0, 0, 0, 0, 5]);
    }

    #[test]
    fn bookings_add_up_to_the_time_since_the_first() {
        // SAFETY: it consists of integers, for which zeros are valid; a new arena holds zeros too.
        let time: LockTime = unsafe { core::mem::zeroed() };
        time.book(&[0; Part::COUNT], 1000, None);
        let mut now = 1000;
        for round in 0..100_u64 {
            let (wait, hold) = (7 * round % 31, 13 * round % 17);
            time.book(
                &until_taken(now, now + round % 5, Some(now + round % 9), now + wait),
                now + wait,
                Some(3),
            );
            now += wait;
            assert_eq!(time.read().unwrap().holder, Some(3));
            time.book(&while_held(hold, round % 2 == 0, 4), now + hold, None);
            now += hold;
            let account = time.read().unwrap();
            assert_eq!((account.since, account.holder, sum(account.spent)), (now, None, now - 1000));
        }
    }

    #[test]
    fn readers_see_whole_bookings_only() {
        // SAFETY: as above.
        let time: LockTime = unsafe { core::mem::zeroed() };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for at in 1..=200_000 {
                    // Each piece is one tick of one part, so the parts always add up to the boundary.
                    let mut spent = [0; Part::COUNT];
                    spent[at as usize % Part::COUNT] = 1;
                    time.book(&spent, at, Some(at as u32));
                }
            });
            while time.since() < 200_000 {
                if let Some(account) = time.read() {
                    assert_eq!(sum(account.spent), account.since);
                    assert_eq!(account.holder.unwrap_or(0), account.since as u32);
                }
            }
        });
    }
}
