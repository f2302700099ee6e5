//! Parts of a word written by x86-64 instructions of the part's own size: the ones that kernels use.
//!
//! What an unlock costs is what its instruction costs, and a compare-exchange of a byte does not fail because of its
//! neighbours. So each operation here is the instruction that stands in a kernel's disassembly.
//!
//! Rust has no atomics of different sizes on the same memory. So to the language each block of assembly below is the
//! operation on the whole word that `whole.rs` spells out under the same name. The processor touches less than the word,
//! and no other vCPU can observe the difference, for three reasons:
//!
//! - the bytes not written keep what others put there, as if the block had read and written them in one step at the
//!   moment when its write becomes visible;
//! - of the bytes that a plain instruction writes, the caller is the only writer at the time, so that nothing is lost
//!   between load and store; a locked one needs no such promise, being one step already;
//! - x86 keeps earlier loads and stores before a store, which is release, and lets nothing pass a locked instruction
//!   in either direction; and as none of the blocks says `nomem`, the compiler moves nothing across them either.
//!
//! Every block has a live and aligned word, little-endian, and touches no byte outside it: `SAFETY: as above`.
//! `tests/operations.rs` holds each operation against its whole-word form.

use core::arch::asm;
use core::sync::atomic::compiler_fence;

use super::{AtomicU8, AtomicU32, Ordering};

/// Adds `STEP` to the low half, where what it carries is lost.
#[inline(always)]
pub(super) fn add_low<const STEP: u16>(word: &AtomicU32) {
    // SAFETY: as above.
    unsafe { asm!("add word ptr [{}], {}", in(reg) word.as_ptr(), const STEP, options(nostack)) };
}

/// Adds `STEP` to the low half, locked, and returns what was there.
#[inline(always)]
pub(super) fn fetch_add_low<const STEP: u16>(word: &AtomicU32) -> u16 {
    let mut low = STEP;
    // SAFETY: as above.
    unsafe {
        asm!("lock xadd word ptr [{}], {:x}", in(reg) word.as_ptr(), inout(reg) low, options(nostack));
    };
    low
}

/// Adds `STEP` to the high half, locked, and then reads the low one: the old high half and the low half.
#[inline(always)]
pub(super) fn add_high_then_low<const STEP: u16>(word: &AtomicU32) -> (u16, u16) {
    let mut high = STEP;
    let low: u16;
    // SAFETY: as above. The load comes after the locked addition, and is acquire as all loads are here.
    unsafe {
        asm!(
            "lock xadd word ptr [{word} + 2], {high:x}",
            "movzx {low:e}, word ptr [{word}]",
            word = in(reg) word.as_ptr(),
            high = inout(reg) high,
            low = out(reg) low,
            options(nostack),
        );
    };
    (high, low)
}

/// Stores `VALUE` to byte `BYTE`.
#[inline(always)]
pub(super) fn store_byte<const BYTE: usize, const VALUE: u8>(word: &AtomicU32) {
    const { assert!(BYTE < 4) };
    // SAFETY: as above.
    unsafe {
        asm!(
            "mov byte ptr [{} + {}], {}",
            in(reg) word.as_ptr(),
            const BYTE,
            const VALUE,
            options(nostack, preserves_flags),
        );
    };
}

/// Stores `VALUE` to the low half.
#[inline(always)]
pub(super) fn store_low<const VALUE: u16>(word: &AtomicU32) {
    // SAFETY: as above.
    unsafe {
        asm!("mov word ptr [{}], {}", in(reg) word.as_ptr(), const VALUE, options(nostack, preserves_flags))
    };
}

/// Sets bit `BIT` and returns whether it was set.
#[inline(always)]
pub(super) fn set_bit<const BIT: u32>(word: &AtomicU32) -> bool {
    const { assert!(BIT < 32) };
    let was: u8;
    // SAFETY: as above; a bit below 32 lies within the double word.
    unsafe {
        asm!(
            "lock bts dword ptr [{}], {}",
            "setc {}",
            in(reg) word.as_ptr(),
            const BIT,
            out(reg_byte) was,
            options(nostack),
        );
    };
    was != 0
}

/// Puts `VALUE` into the lowest byte and returns what was there.
#[inline(always)]
pub(super) fn swap_byte<const VALUE: u8>(word: &AtomicU32) -> u8 {
    let mut byte = VALUE;
    // SAFETY: as above; an exchange with memory is locked.
    unsafe {
        asm!(
            "xchg byte ptr [{}], {}",
            in(reg) word.as_ptr(),
            inout(reg_byte) byte,
            options(nostack, preserves_flags),
        );
    };
    byte
}

/// Puts `half` into the high half and returns what was there.
#[inline(always)]
pub(super) fn swap_high(word: &AtomicU32, half: u16) -> u16 {
    let mut half = half;
    // SAFETY: as above; an exchange with memory is locked.
    unsafe {
        asm!(
            "xchg word ptr [{} + 2], {:x}",
            in(reg) word.as_ptr(),
            inout(reg) half,
            options(nostack, preserves_flags),
        );
    };
    half
}

/// Puts `NEW` into the lowest byte if `OLD` is there, and returns whether it was. Every order is the strongest here.
#[inline(always)]
pub(super) fn replace_byte<const OLD: u8, const NEW: u8>(word: &AtomicU32, _: Ordering) -> bool {
    let found: u8;
    // SAFETY: as above.
    unsafe {
        asm!(
            "lock cmpxchg byte ptr [{}], {}",
            in(reg) word.as_ptr(),
            in(reg_byte) NEW,
            inout("al") OLD => found,
            options(nostack),
        );
    };
    found == OLD
}

/// Puts `NEW` into the low half if `OLD` is there, and returns whether it was. Every order is the strongest here.
#[inline(always)]
pub(super) fn replace_low<const OLD: u16, const NEW: u16>(word: &AtomicU32, _: Ordering) -> bool {
    let found: u16;
    // SAFETY: as above.
    unsafe {
        asm!(
            "lock cmpxchg word ptr [{}], {:x}",
            in(reg) word.as_ptr(),
            in(reg) NEW,
            inout("ax") OLD => found,
            options(nostack),
        );
    };
    found == OLD
}

/// Takes a byte that is 0 by making it 1, and returns whether it was.
#[inline(always)]
pub(super) fn test_and_set(byte: &AtomicU8) -> bool {
    byte.swap(1, Ordering::Acquire) == 0
}

/// Stores `value`, and nothing after it is done before everybody can see that.
#[inline(always)]
pub(super) fn store_then_fence(byte: &AtomicU8, value: u8) {
    // An exchange is a locked instruction and so the fence itself.
    byte.swap(value, Ordering::SeqCst);
}

/// A full barrier.
#[inline(always)]
pub(super) fn full_fence() {
    // SAFETY: touches nothing; it keeps the compiler, too, from moving memory accesses, for it does not say `nomem`.
    unsafe { asm!("mfence", options(nostack, preserves_flags)) };
}

/// A full barrier together with the locked instruction that comes next: of the barrier nothing is left but that the
/// compiler moves nothing across it.
#[inline(always)]
pub(super) fn fence_before_locked() {
    compiler_fence(Ordering::SeqCst);
}

/// Fetches the line of `place`, which will be written soon.
#[inline(always)]
pub(super) fn prefetch_for_write<T>(place: &T) {
    let place = core::ptr::from_ref(place);
    // SAFETY: a hint, which changes nothing that the language knows of and cannot fault. Processors without it ignore it.
    unsafe { asm!("prefetchw [{}]", in(reg) place, options(nostack, preserves_flags, readonly)) };
}
