//! What boot-time patching leaves in the instruction stream of a native machine, where a jump or a call had been.
//!
//! A kernel rewrites its own code once, while it boots. Nothing is rewritten here: these are the bytes as they stood after
//! that, in the lengths that the rewritten instructions had. Elsewhere than on x86-64 a kernel patches otherwise, and
//! there is nothing.

#[cfg(all(target_arch = "x86_64", not(locks_loom)))]
macro_rules! nop {
    ($($byte:literal),+) => {
        // SAFETY: a NOP of several bytes, which is one instruction and does nothing.
        unsafe { core::arch::asm!(concat!(".byte ", nop!(@ $($byte),+)), options(nomem, nostack, preserves_flags)) }
    };
    (@ $first:literal $(, $byte:literal)*) => { concat!($first $(, ",", $byte)*) };
}
#[cfg(not(all(target_arch = "x86_64", not(locks_loom))))]
macro_rules! nop {
    ($($byte:literal),+) => {};
}

/// Stands behind an indirect call that is the last thing in a function, and is no instruction. Without it the compiler would
/// turn the call into a jump; a call site in a kernel is a call wherever it stands.
#[inline(always)]
pub(crate) fn call_site() {
    // SAFETY: nothing is executed.
    unsafe { core::arch::asm!("", options(nomem, nostack, preserves_flags)) };
}

/// A static key that is down: the five-byte NOP in the place of a jump.
#[inline(always)]
pub(crate) fn key_down() {
    nop!("0x0f", "0x1f", "0x44", "0x00", "0x00");
}

/// A call of an operation that does nothing natively: a seven-byte NOP in the place of an indirect call.
#[inline(always)]
pub(crate) fn call_of_nothing() {
    nop!("0x0f", "0x1f", "0x80", "0x00", "0x00", "0x00", "0x00");
}

/// What is left of a six-byte indirect call after a byte store of three has taken its place.
#[inline(always)]
pub(crate) fn rest_of_call() {
    nop!("0x0f", "0x1f", "0x00");
}
