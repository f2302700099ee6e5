//! The queued spinlock's word: locked byte, pending byte, tail.

use super::{AtomicU32, Ordering, parts};

/// Bits 0 to 7: locked. Bit 8: pending. Bits 16 to 31: tail.
///
/// The locked byte is written by who holds the lock or is about to, the pending byte likewise, the tail by anybody.
#[derive(Debug, Default)]
pub struct QueueWord(AtomicU32);

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

    /// Takes the lock if the word is still `value`, in which nobody holds it.
    #[inline(always)]
    pub fn try_lock_from(&self, value: u32) -> bool {
        self.0.compare_exchange(value, value | Self::LOCKED, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Frees the lock, whoever waits.
    #[inline(always)]
    pub fn unlock(&self) {
        // Only the holder writes the locked byte, or a queue head that makes it `SLOW`: see `try_unlock`.
        parts::store_byte::<0>(&self.0);
    }

    /// Frees the lock unless its locked byte is `SLOW`.
    #[inline(always)]
    pub fn try_unlock(&self) -> bool {
        // The kernel compares the byte alone. This is a loop because tail and pending change underneath.
        let mut value = self.0.load(Ordering::Relaxed);
        while value & Self::LOCKED_MASK == Self::LOCKED {
            let free = value & !Self::LOCKED_MASK;
            match self.0.compare_exchange_weak(value, free, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => value = now,
            }
        }
        false
    }

    /// Becomes the one waiter outside the queue, if the word as it was allows; it is returned.
    #[inline(always)]
    pub fn set_pending(&self) -> u32 {
        // Acquire: if the lock was free, this is where it is taken.
        self.0.fetch_or(Self::PENDING, Ordering::Acquire)
    }

    /// Undoes [`set_pending`](Self::set_pending).
    #[inline(always)]
    pub fn clear_pending(&self) {
        self.0.fetch_and(!Self::PENDING, Ordering::Relaxed);
    }

    /// From the one waiter to the holder of a lock that is free: nobody else may take it meanwhile.
    #[inline(always)]
    pub fn pending_to_locked(&self) {
        parts::store_low::<{ Self::LOCKED }>(&self.0);
    }

    /// The same where others may be faster.
    #[inline(always)]
    pub fn try_pending_to_locked(&self) -> bool {
        let value = self.0.load(Ordering::Relaxed);
        value & Self::LOCKED_MASK == 0
            && self
                .0
                .compare_exchange(
                    value,
                    value & !Self::PENDING | Self::LOCKED,
                    Ordering::Acquire,
                    Ordering::Relaxed,
                )
                .is_ok()
    }

    /// Enters `tail` as the queue's last and returns who was that before.
    #[inline(always)]
    pub fn swap_tail(&self, tail: u32) -> u32 {
        // Releases the caller's node to its successor and acquires its predecessor's.
        parts::swap_high(&self.0, tail)
    }

    /// The queue head, alone in the queue, takes the lock if the word is still `value`, and the queue ends.
    #[inline(always)]
    pub fn try_lock_last(&self, value: u32) -> bool {
        // Relaxed: the lock was seen free, or taken, with acquire before.
        self.0.compare_exchange(value, Self::LOCKED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// The queue head takes a free lock which nobody else may take.
    #[inline(always)]
    pub fn set_locked(&self) {
        parts::store_byte::<{ Self::LOCKED }>(&self.0);
    }

    /// Makes the locked byte `SLOW` and returns what it was: 0, and then the lock is the caller's, or `LOCKED`.
    #[inline(always)]
    pub fn set_slow(&self) -> u32 {
        // Release publishes the hash entry to the unlock that finds `SLOW`; acquire is for taking the lock.
        self.0.fetch_or(Self::SLOW, Ordering::AcqRel) & Self::LOCKED_MASK
    }
}
