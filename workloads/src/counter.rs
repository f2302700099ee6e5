//! Counters with one writer.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Adds one to a counter that only the caller writes, and so needs no locked instruction.
#[inline(always)]
pub(crate) fn bump(counter: &AtomicU64) {
    add(counter, 1);
}

/// Adds `n` to a counter that only the caller writes.
#[inline(always)]
pub(crate) fn add(counter: &AtomicU64, n: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(n), Relaxed);
}
