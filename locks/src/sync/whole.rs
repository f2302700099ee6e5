//! Parts of a word written by operations on all of it: what the language allows. `narrow.rs` has the same on x86-64.

use super::{AtomicU32, AtomicU64, Ordering};

/// Adds to the low half, of which the caller is the only writer: `whole` tells the step less its carry.
#[inline(always)]
pub(super) fn add_low<const STEP: u32>(word: &AtomicU64, whole: impl FnOnce() -> u64) {
    word.fetch_add(whole(), Ordering::Release);
}

/// Adds `STEP` to the high half, and then reads the low one: the old high half and the low half. Acquire on both, for
/// either may show that it is the caller's turn.
#[inline(always)]
pub(super) fn add_high_then_low<const STEP: u32>(word: &AtomicU64) -> (u32, u32) {
    let old = word.fetch_add(u64::from(STEP) << 32, Ordering::Acquire);
    ((old >> 32) as u32, word.load(Ordering::Acquire) as u32)
}

/// Stores `VALUE` to the lowest byte, of which the caller is the only writer.
#[inline(always)]
pub(super) fn store_byte<const VALUE: u32>(word: &AtomicU32) {
    replace(word, 0xff, VALUE, Ordering::Release);
}

/// Stores `VALUE` to the low half, of which the caller is the only writer.
#[inline(always)]
pub(super) fn store_low<const VALUE: u32>(word: &AtomicU32) {
    replace(word, 0xffff, VALUE, Ordering::Release);
}

/// Puts the high half of `high` into the high half and returns what was there, in its place.
#[inline(always)]
pub(super) fn swap_high(word: &AtomicU32, high: u32) -> u32 {
    replace(word, 0xffff_0000, high, Ordering::AcqRel)
}

/// Puts `value` in the place of the bits in `mask` and returns what was there.
#[inline(always)]
fn replace(word: &AtomicU32, mask: u32, value: u32, ordering: Ordering) -> u32 {
    let (Ok(old) | Err(old)) =
        word.fetch_update(ordering, Ordering::Relaxed, |old| Some(old & !mask | value));
    old & mask
}
