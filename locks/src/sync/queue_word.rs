//! The queued spinlock's word: locked byte, pending byte, tail.

use super::{AtomicU32, Ordering, parts};

/// Bits 0 to 7: locked. Bit 8: pending. Bits 16 to 31: tail.
///
/// The locked byte is written by who holds the lock or is about to, the pending byte likewise, the tail by anybody.
#[derive(Debug, Default)]
pub struct QueueWord(AtomicU32);

const LOCKED: u8 = QueueWord::LOCKED as u8;
const SLOW: u8 = QueueWord::SLOW as u8;
const PENDING_BIT: u32 = QueueWord::PENDING.trailing_zeros();
const PENDING_BYTE: usize = 1;

impl QueueWord {
    /// The locked byte of a held lock.
    pub const LOCKED: u32 = 1;
    /// The locked byte of a held lock whose queue head halts, so that the unlock must wake it.
    pub const SLOW: u32 = 3;
    /// All of the locked byte.
    pub const LOCKED_MASK: u32 = 0xff;
    /// The bit of the one waiter outside the queue; in the paravirtual lock, of a queue head that forbids stealing.
    pub const PENDING: u32 = 1 << 8;
    /// All of the tail.
    pub const TAIL_MASK: u32 = 0xffff_0000;

    /// The whole word.
    #[inline(always)]
    pub fn load(&self, ordering: Ordering) -> u32 {
        self.0.load(ordering)
    }

    /// Takes a lock that nobody holds or waits for; otherwise tells what was there.
    #[inline(always)]
    pub fn try_lock(&self) -> Result<(), u32> {
        self.0.compare_exchange(0, Self::LOCKED, Ordering::Acquire, Ordering::Relaxed).map(drop)
    }

    /// Takes the lock if nobody holds it, whoever waits.
    #[inline(always)]
    pub fn try_steal(&self) -> bool {
        // The byte alone: a tail that changes underneath does not make it fail.
        parts::replace_byte::<0, LOCKED>(&self.0, Ordering::Acquire)
    }

    /// Frees the lock, whoever waits.
    #[inline(always)]
    pub fn unlock(&self) {
        // Only the holder writes the locked byte, or a queue head that makes it `SLOW`: see `try_unlock`.
        parts::store_byte::<0, 0>(&self.0);
    }

    /// Frees the lock unless its locked byte is `SLOW`.
    #[inline(always)]
    pub fn try_unlock(&self) -> bool {
        parts::replace_byte::<LOCKED, 0>(&self.0, Ordering::Release)
    }

    /// Becomes the one waiter outside the queue, if the word as it was allows. Returned are the pending bit as it was
    /// and, read after that, the rest.
    #[inline(always)]
    pub fn set_pending(&self) -> u32 {
        // Two steps, for one would be a loop of compare-exchanges, which may fail for ever. They tell the same as one:
        // whoever set the bit keeps the tail from being cleared, so in between a tail can only appear, and whoever sees
        // one queues behind it. Acquire on the load: if it shows a free lock, this is where it is taken.
        let was = parts::set_bit::<PENDING_BIT>(&self.0);
        let rest = self.0.load(Ordering::Acquire) & !Self::PENDING;
        if was { rest | Self::PENDING } else { rest }
    }

    /// The queue's head forbids stealing. It alone writes the pending byte of a paravirtual lock.
    #[inline(always)]
    pub fn forbid_stealing(&self) {
        parts::store_byte::<PENDING_BYTE, 1>(&self.0);
    }

    /// Undoes [`set_pending`](Self::set_pending) or [`forbid_stealing`](Self::forbid_stealing), by whoever did it: another's
    /// `set_pending` meanwhile sees the bit set, and does not count it as its own.
    #[inline(always)]
    pub fn clear_pending(&self) {
        parts::store_byte::<PENDING_BYTE, 0>(&self.0);
    }

    /// From the one waiter to the holder of a lock that is free: nobody else may take it meanwhile.
    #[inline(always)]
    pub fn pending_to_locked(&self) {
        parts::store_low::<{ LOCKED as u16 }>(&self.0);
    }

    /// As [`pending_to_locked`](Self::pending_to_locked), where other vCPUs may take the free lock first. Returns whether this
    /// one took it.
    #[inline(always)]
    pub fn try_pending_to_locked(&self) -> bool {
        // Looking first spares the line of a held lock a write.
        self.0.load(Ordering::Relaxed) & Self::LOCKED_MASK == 0
            && parts::replace_low::<{ Self::PENDING as u16 }, { LOCKED as u16 }>(&self.0, Ordering::Acquire)
    }

    /// Enters `tail` as the queue's last and returns who was that before.
    #[inline(always)]
    pub fn swap_tail(&self, tail: u32) -> u32 {
        // Releases the caller's node to its successor and acquires its predecessor's.
        u32::from(parts::swap_high(&self.0, (tail >> 16) as u16)) << 16
    }

    /// The queue head, alone in the queue, takes the lock if the word is still `value`, and the queue ends.
    #[inline(always)]
    pub fn try_lock_last(&self, value: u32) -> bool {
        // Relaxed: the lock was seen free, or taken, with acquire before.
        self.0.compare_exchange(value, Self::LOCKED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// The queue head, alone in the queue, leaves it, whatever else stands in the word. Tells whether it was alone.
    #[inline(always)]
    pub fn try_clear_tail(&self, tail: u32) -> bool {
        let cleared = |word: u32| (word & Self::TAIL_MASK == tail).then_some(word & !Self::TAIL_MASK);
        // Relaxed: who leaves has nothing to publish.
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, cleared).is_ok()
    }

    /// The queue head takes a free lock which nobody else may take.
    #[inline(always)]
    pub fn set_locked(&self) {
        parts::store_byte::<0, LOCKED>(&self.0);
    }

    /// The queue head, about to halt, makes the locked byte `SLOW` and returns what it was: 0, and then the lock is the
    /// caller's, or `LOCKED`.
    #[inline(always)]
    pub fn swap_slow(&self) -> u32 {
        // Release publishes the hash entry to the unlock that finds `SLOW`; acquire is for taking the lock.
        parts::swap_byte::<SLOW>(&self.0).into()
    }

    /// The holder makes the locked byte `SLOW` in the name of a queue head that halts.
    #[inline(always)]
    pub fn set_slow(&self) {
        parts::store_byte::<0, SLOW>(&self.0);
    }
}
