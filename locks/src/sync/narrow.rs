//! Parts of a word written by x86-64 instructions of the part's own size.
//!
//! Every kernel unlocks with a plain store or add of a part, never with a locked instruction on the whole, and what an
//! unlock costs is what its instruction costs. A ticket is taken from its own part as well: a locked instruction on the
//! whole word cannot be fed from the unlock's narrower store and waits until that has reached the cache, which on an AMD
//! EPYC made the uncontended pair three times as long and hid what there was to measure.
//!
//! Rust has no atomics of different sizes on the same memory. So to the language each block of assembly below is the
//! operation on the whole word that `whole.rs` spells out, by the same name; that the processor does it by writing
//! less is its own affair as long as nobody can tell. Nobody can:
//!
//! - the bytes not written keep what others put there, as if the block had read and written them in one step at the
//!   moment when its store becomes visible;
//! - of the bytes written, the caller is the only writer at the time, so that none is lost between load and store;
//! - x86 keeps earlier loads and stores before a store, which is release, and none of the blocks says `nomem`, so the
//!   compiler keeps them there too.

use core::arch::asm;

use super::{AtomicU32, AtomicU64};

/// Adds `STEP` to the low half. `_whole` tells what the whole-word operation adds: here the half wraps by itself.
#[inline(always)]
pub(super) fn add_low<const STEP: u32>(word: &AtomicU64, _whole: impl FnOnce() -> u64) {
    // SAFETY: a live and aligned word, little-endian; the rest is argued above.
    unsafe { asm!("add dword ptr [{}], {}", in(reg) word.as_ptr(), const STEP, options(nostack)) };
}

/// Adds `STEP` to the high half, and then reads the low one: the old high half and the low half.
#[inline(always)]
pub(super) fn add_high_then_low<const STEP: u32>(word: &AtomicU64) -> (u32, u32) {
    let mut high = STEP;
    let low: u32;
    // SAFETY: as above, but for the only writer: the addition is locked, and so one step already, and a full barrier
    // before the load, which is acquire as all loads are here.
    unsafe {
        asm!(
            "lock xadd dword ptr [{word} + 4], {high:e}",
            "mov {low:e}, dword ptr [{word}]",
            word = in(reg) word.as_ptr(),
            high = inout(reg) high,
            low = out(reg) low,
            options(nostack),
        );
    };
    (high, low)
}

/// Stores `VALUE` to the lowest byte.
#[inline(always)]
pub(super) fn store_byte<const VALUE: u32>(word: &AtomicU32) {
    // SAFETY: as above.
    unsafe {
        asm!("mov byte ptr [{}], {}", in(reg) word.as_ptr(), const VALUE, options(nostack, preserves_flags))
    };
}

/// Stores `VALUE` to the low half.
#[inline(always)]
pub(super) fn store_low<const VALUE: u32>(word: &AtomicU32) {
    // SAFETY: as above.
    unsafe {
        asm!("mov word ptr [{}], {}", in(reg) word.as_ptr(), const VALUE, options(nostack, preserves_flags))
    };
}

/// Puts the high half of `high` into the high half and returns what was there, in its place.
#[inline(always)]
pub(super) fn swap_high(word: &AtomicU32, high: u32) -> u32 {
    let mut half = high >> 16;
    // SAFETY: as above, but for the only writer: an exchange with memory is locked, and so one step already.
    unsafe {
        asm!(
            "xchg word ptr [{} + 2], {:x}",
            in(reg) word.as_ptr(),
            inout(reg) half,
            options(nostack, preserves_flags),
        );
    };
    half << 16
}
