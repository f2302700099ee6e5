//! Parts of a word written by operations on all of it: what the language allows. `narrow.rs` has the same on x86-64.

use super::{AtomicU8, AtomicU32, Ordering, fence};

const LOW: u32 = 0xffff;

/// Adds `STEP` to the low half, of whose bits but the lowest the caller is the only writer; what it carries is lost.
#[inline(always)]
pub(super) fn add_low<const STEP: u16>(word: &AtomicU32) {
    word.fetch_add(step::<STEP>(word), Ordering::Release);
}

/// Adds `STEP` to the low half and returns what was there. Acquire as well as release: a flag that is found there must show
/// what its setter published.
#[inline(always)]
pub(super) fn fetch_add_low<const STEP: u16>(word: &AtomicU32) -> u16 {
    word.fetch_add(step::<STEP>(word), Ordering::AcqRel) as u16
}

/// What to add to the whole word: `STEP`, less the carry into the high half where the low one wraps. Without that the
/// high half would gain one after all numbers have been used once.
#[inline(always)]
fn step<const STEP: u16>(word: &AtomicU32) -> u32 {
    const { assert!(STEP.is_power_of_two() && STEP > 1, "the lowest bit alone may change meanwhile") };
    // Relaxed: but for the lowest bit it is the caller's own.
    let wraps = (word.load(Ordering::Relaxed) as u16).checked_add(STEP).is_none();
    u32::from(STEP).wrapping_sub(if wraps { 1 << 16 } else { 0 })
}

/// Adds `STEP` to the high half, and then reads the low one: the old high half and the low half. Acquire on the load, which may
/// show that it is the caller's turn; the addition only gives a number.
#[inline(always)]
pub(super) fn add_high_then_low<const STEP: u16>(word: &AtomicU32) -> (u16, u16) {
    let old = word.fetch_add(u32::from(STEP) << 16, Ordering::Relaxed);
    ((old >> 16) as u16, word.load(Ordering::Acquire) as u16)
}

/// Stores `VALUE` to byte `BYTE`, of which the caller is the only writer.
#[inline(always)]
pub(super) fn store_byte<const BYTE: usize, const VALUE: u8>(word: &AtomicU32) {
    replace(word, 0xff << (8 * BYTE), u32::from(VALUE) << (8 * BYTE), Ordering::Release);
}

/// Stores `VALUE` to the low half, of which the caller is the only writer. Relaxed: who takes a lock has nothing to publish.
#[inline(always)]
pub(super) fn store_low<const VALUE: u16>(word: &AtomicU32) {
    replace(word, LOW, u32::from(VALUE), Ordering::Relaxed);
}

/// Sets bit `BIT` and returns whether it was set. Relaxed: who asks for a lock has nothing to publish, and the lock is seen by
/// the load that follows in [`set_pending`](super::QueueWord::set_pending).
#[inline(always)]
pub(super) fn set_bit<const BIT: u32>(word: &AtomicU32) -> bool {
    word.fetch_or(1 << BIT, Ordering::Relaxed) & 1 << BIT != 0
}

/// Puts `VALUE` into the lowest byte and returns what was there.
#[inline(always)]
pub(super) fn swap_byte<const VALUE: u8>(word: &AtomicU32) -> u8 {
    replace(word, 0xff, u32::from(VALUE), Ordering::AcqRel) as u8
}

/// Puts `half` into the high half and returns what was there.
#[inline(always)]
pub(super) fn swap_high(word: &AtomicU32, half: u16) -> u16 {
    (replace(word, !LOW, u32::from(half) << 16, Ordering::AcqRel) >> 16) as u16
}

/// Puts `NEW` into the lowest byte if `OLD` is there, and returns whether it was.
#[inline(always)]
pub(super) fn replace_byte<const OLD: u8, const NEW: u8>(word: &AtomicU32, ordering: Ordering) -> bool {
    replace_if(word, 0xff, OLD.into(), NEW.into(), ordering)
}

/// Puts `NEW` into the low half if `OLD` is there, and returns whether it was.
#[inline(always)]
pub(super) fn replace_low<const OLD: u16, const NEW: u16>(word: &AtomicU32, ordering: Ordering) -> bool {
    replace_if(word, LOW, OLD.into(), NEW.into(), ordering)
}

/// Takes a byte that is 0 by making it 1, and returns whether it was.
#[inline(always)]
pub(super) fn test_and_set(byte: &AtomicU8) -> bool {
    // Not a swap: loom does not order a release behind a swap that failed, and would let a waiter miss it.
    byte.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
}

/// Stores `value`, and nothing after it is done before everybody can see that.
#[inline(always)]
pub(super) fn store_then_fence(byte: &AtomicU8, value: u8) {
    byte.store(value, Ordering::Relaxed);
    fence(Ordering::SeqCst);
}

/// A full barrier.
#[inline(always)]
pub(super) fn full_fence() {
    fence(Ordering::SeqCst);
}

/// A full barrier before a locked instruction, which only on x86 is one itself.
#[inline(always)]
pub(super) fn fence_before_locked() {
    fence(Ordering::SeqCst);
}

/// Fetches the line of `place`, which will be written soon: not here.
#[inline(always)]
pub(super) fn prefetch_for_write<T>(_: &T) {}

/// Puts `value` in the place of the bits in `mask` and returns what was there.
#[inline(always)]
fn replace(word: &AtomicU32, mask: u32, value: u32, ordering: Ordering) -> u32 {
    let (Ok(old) | Err(old)) =
        word.fetch_update(ordering, Ordering::Relaxed, |old| Some(old & !mask | value));
    old & mask
}

/// Puts `new` in the place of the bits in `mask` if they are `old`, whatever the others are or become meanwhile.
#[inline(always)]
fn replace_if(word: &AtomicU32, mask: u32, old: u32, new: u32, ordering: Ordering) -> bool {
    let replaced = |all: u32| (all & mask == old).then_some(all & !mask | new);
    word.fetch_update(ordering, Ordering::Relaxed, replaced).is_ok()
}
