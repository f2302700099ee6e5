//! The only door to atomics: `core` in the product, loom in its models, pauses in its stress; and the packed words made of
//! them.

#[cfg(not(any(locks_loom, locks_delays)))]
pub use core::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
#[cfg(locks_delays)]
mod delayed;
#[cfg(locks_delays)]
pub use {
    core::sync::atomic::Ordering,
    delayed::{AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, fence},
};

#[cfg(locks_loom)]
pub use loom::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};

mod queue_word;
mod ticket_word;

// The operations that have two forms. Loom and ThreadSanitizer cannot look into assembly, and other processors
// have other means, which were not measured here.
#[cfg_attr(all(target_arch = "x86_64", not(locks_loom), not(locks_tsan)), path = "sync/narrow.rs")]
#[cfg_attr(not(all(target_arch = "x86_64", not(locks_loom), not(locks_tsan))), path = "sync/whole.rs")]
mod parts;

pub use queue_word::QueueWord;
pub use ticket_word::{TicketWord, Tickets};

/// Takes a byte that is 0 by making it 1, and returns whether it was: by an exchange where the processor has one.
#[inline(always)]
pub(crate) fn test_and_set(byte: &AtomicU8) -> bool {
    parts::test_and_set(byte)
}

/// Stores `value`, and nothing after it is done before everybody can see that.
#[inline(always)]
pub(crate) fn store_then_fence(byte: &AtomicU8, value: u8) {
    parts::store_then_fence(byte, value);
}

/// A full barrier by an instruction that does nothing besides.
#[inline(always)]
pub(crate) fn full_fence() {
    parts::full_fence();
}

/// A full barrier. An atomic read-modify-write must come next: where that is a barrier itself, this costs nothing.
#[inline(always)]
pub(crate) fn fence_before_locked() {
    parts::fence_before_locked();
}

/// Fetches the line of `place`, which will be written soon, where the processor has an instruction for that.
#[inline(always)]
pub(crate) fn prefetch_for_write<T>(place: &T) {
    parts::prefetch_for_write(place);
}
