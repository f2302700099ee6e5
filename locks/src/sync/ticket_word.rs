//! Head and tail of a ticket lock in one word.

use super::{AtomicU32, Ordering, parts};

/// A ticket lock's head (whose turn it is; low half) and tail (the next number to be given out; high half), 16 bits
/// each, as in kernels for more than 256 CPUs.
///
/// Numbers are even and step by [`TicketWord::STEP`], so there are 2^15 of them; bit 0 of the head is
/// [`TicketWord::SLOW`], which only waiters set. Of the head's other bits only the holder of the lock is the writer.
#[derive(Debug)]
pub struct TicketWord(AtomicU32);

/// A [`TicketWord`] taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Tickets {
    /// Whose turn it is, and the flag.
    pub head: u16,
    /// The next number to be given out.
    pub tail: u16,
}

impl Tickets {
    #[inline(always)]
    const fn pack(self) -> u32 {
        (self.tail as u32) << 16 | self.head as u32
    }

    #[inline(always)]
    const fn unpack(word: u32) -> Self {
        Self { head: word as u16, tail: (word >> 16) as u16 }
    }
}

impl TicketWord {
    /// The distance of two numbers.
    pub const STEP: u16 = 2;

    /// The bit of the head that says that a waiter may have halted, so that an unlock must look for one to kick.
    pub const SLOW: u16 = 1;

    /// The number after `number`.
    #[inline(always)]
    pub const fn after(number: u16) -> u16 {
        number.wrapping_add(Self::STEP)
    }

    /// A free lock whose next number is `first` (an even one), for tests of the wrap-around; the product starts at 0.
    pub fn starting_at(first: u16) -> Self {
        Self(AtomicU32::new(Tickets { head: first, tail: first }.pack()))
    }

    /// Takes a number, the returned tail, by a locked addition to the whole word, which returns the head too. If they
    /// are equal (flag and all), the lock is taken.
    #[inline(always)]
    pub fn take(&self) -> Tickets {
        // What the tail carries out of the word is lost, as it should be.
        Tickets::unpack(self.0.fetch_add((Self::STEP as u32) << 16, Ordering::Acquire))
    }

    /// The same by a locked addition to the tail's half alone; the head is read after it.
    #[inline(always)]
    pub fn take_split(&self) -> Tickets {
        let (tail, head) = parts::add_high_then_low::<{ Self::STEP }>(&self.0);
        Tickets { head, tail }
    }

    /// How many hold the lock or wait for it. Relaxed: it is only a look, and changes at once.
    #[inline(always)]
    pub fn in_line(&self) -> u16 {
        let Tickets { head, tail } = Tickets::unpack(self.0.load(Ordering::Relaxed));
        tail.wrapping_sub(head) / Self::STEP
    }

    /// Takes a number only if it is up at once.
    #[inline(always)]
    pub fn try_take(&self) -> bool {
        let word = self.0.load(Ordering::Relaxed);
        let Tickets { head, tail } = Tickets::unpack(word);
        // The flag need not be masked: the last waiter has cleared it before the lock is free.
        let next = Tickets { head, tail: Self::after(tail) }.pack();
        head == tail && self.0.compare_exchange(word, next, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// The head as it is now, flag and all. Acquire: finding one's own number there is taking the lock.
    #[inline(always)]
    pub fn head(&self) -> u16 {
        Tickets::unpack(self.0.load(Ordering::Acquire)).head
    }

    /// Sets the flag, and then reads the head.
    #[inline(always)]
    pub fn set_slow(&self) -> u16 {
        // Release: what the caller published about itself must be seen by the unlock that finds the flag.
        // Not one step: a bit set by an operation whose result is used would be a loop of compare-exchanges. It need not be one, for
        // flag and head are one word, and the load cannot find it as it was before the flag.
        self.0.fetch_or(Self::SLOW as u32, Ordering::Release);
        self.head()
    }

    /// Called by the holder of number `mine`: clears the flag if nobody waits behind it.
    #[inline(always)]
    pub fn clear_slow(&self, mine: u16) {
        let tail = Self::after(mine);
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
        parts::add_low::<{ Self::STEP }>(&self.0);
    }

    /// Calls the next number by a locked addition to the head's half, and returns the head as it was, flag and all.
    #[inline(always)]
    pub fn advance_and_look(&self) -> u16 {
        parts::fetch_add_low::<{ Self::STEP }>(&self.0)
    }
}
