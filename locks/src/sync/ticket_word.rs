//! Head and tail of a ticket lock in one word.

use super::{AtomicU64, Ordering, parts};

/// A ticket lock's head (whose turn it is; low half) and tail (the next number to be given out; high half).
///
/// Numbers are even and step by [`TicketWord::STEP`]; bit 0 of the head is [`TicketWord::SLOW`], which only waiters
/// set. Of the head's other bits only the holder of the lock is the writer.
#[derive(Debug)]
pub struct TicketWord(AtomicU64);

/// A [`TicketWord`] taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Tickets {
    /// Whose turn it is, and the flag.
    pub head: u32,
    /// The next number to be given out.
    pub tail: u32,
}

impl Tickets {
    #[inline(always)]
    const fn pack(self) -> u64 {
        (self.tail as u64) << 32 | self.head as u64
    }

    #[inline(always)]
    const fn unpack(word: u64) -> Self {
        Self { head: word as u32, tail: (word >> 32) as u32 }
    }
}

impl TicketWord {
    /// The distance of two numbers.
    pub const STEP: u32 = 2;

    /// The bit of the head that says: somebody may be halted, look before you leave.
    pub const SLOW: u32 = 1;

    /// A free lock whose next number is `first` (an even one), for tests of the wrap-around; the product starts at 0.
    pub fn starting_at(first: u32) -> Self {
        Self(AtomicU64::new(Tickets { head: first, tail: first }.pack()))
    }

    /// Takes a number, the returned tail, and then reads the head. If they are equal (flag and all), the lock is taken.
    #[inline(always)]
    pub fn take(&self) -> Tickets {
        let (tail, head) = parts::add_high_then_low::<{ Self::STEP }>(&self.0);
        Tickets { head, tail }
    }

    /// Takes a number only if it is up at once.
    #[inline(always)]
    pub fn try_take(&self) -> bool {
        let word = self.0.load(Ordering::Relaxed);
        let Tickets { head, tail } = Tickets::unpack(word);
        // The flag need not be masked: the last waiter has cleared it before the lock is free.
        let next = Tickets { head, tail: tail.wrapping_add(Self::STEP) }.pack();
        head == tail && self.0.compare_exchange(word, next, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// The head as it is now, flag and all. Acquire: finding one's own number there is taking the lock.
    #[inline(always)]
    pub fn head(&self) -> u32 {
        Tickets::unpack(self.0.load(Ordering::Acquire)).head
    }

    /// Sets the flag and returns the head as it was just before, to be read again before it is relied upon.
    #[inline(always)]
    pub fn set_slow(&self) -> u32 {
        // Release: what the caller published about itself must be seen by the unlock that finds the flag.
        Tickets::unpack(self.0.fetch_or(Self::SLOW as u64, Ordering::Release)).head
    }

    /// Called by the holder of number `mine`: clears the flag if nobody waits behind it.
    #[inline(always)]
    pub fn clear_slow(&self, mine: u32) {
        let tail = mine.wrapping_add(Self::STEP);
        // On the pair, so that a waiter who comes just now keeps the flag. Relaxed: it publishes nothing, and the
        // lock was acquired already.
        let _ = self.0.compare_exchange(
            Tickets { head: mine | Self::SLOW, tail }.pack(),
            Tickets { head: mine, tail }.pack(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }

    /// Calls the next number where nobody ever sets the flag, at the cost of a plain add.
    #[inline(always)]
    pub fn advance(&self) {
        parts::add_low::<{ Self::STEP }>(&self.0, || self.step());
    }

    /// Calls the next number and returns the head as it was, flag and all.
    #[inline(always)]
    pub fn advance_and_look(&self) -> u32 {
        // Acquire, besides: finding the flag must show what its setter published.
        Tickets::unpack(self.0.fetch_add(self.step(), Ordering::AcqRel)).head
    }

    /// What the holder adds to the whole word to call the next number: a step, less the carry into the tail where the
    /// head wraps. Without that the tail would lose a number after 2^31 acquisitions, under a minute of them.
    #[inline(always)]
    fn step(&self) -> u64 {
        const LAST: u32 = 0u32.wrapping_sub(TicketWord::STEP);
        // Relaxed: it is the holder's own number.
        let head = Tickets::unpack(self.0.load(Ordering::Relaxed)).head;
        let carry = u64::from(head & !Self::SLOW == LAST) << 32;
        u64::from(Self::STEP).wrapping_sub(carry)
    }
}
