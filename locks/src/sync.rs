//! The only door to atomics: `core` in the product, loom in its models; and the packed words made of them.

#[cfg(not(locks_loom))]
pub use core::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
#[cfg(locks_loom)]
pub use loom::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};

mod queue_word;
mod ticket_word;

// The few operations that have two forms. Loom and ThreadSanitizer cannot look into assembly, and other processors
// have means of their own that nobody has measured here.
#[cfg_attr(all(target_arch = "x86_64", not(locks_loom), not(locks_tsan)), path = "sync/narrow.rs")]
#[cfg_attr(not(all(target_arch = "x86_64", not(locks_loom), not(locks_tsan))), path = "sync/whole.rs")]
mod parts;

pub use queue_word::QueueWord;
pub use ticket_word::{TicketWord, Tickets};
