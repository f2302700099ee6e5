//! The only door to atomics: `core` in the product, loom in its models; and the packed words made of them.

#[cfg(not(locks_loom))]
pub use core::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
#[cfg(locks_loom)]
pub use loom::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};

mod ticket_word;

pub use ticket_word::{TicketWord, Tickets};
