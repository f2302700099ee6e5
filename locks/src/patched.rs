//! What boot-time patching leaves in the instruction stream of a native machine, where a jump or a call had been.
//!
//! A kernel rewrites its own code once, while it boots. Nothing is rewritten here: these are the bytes as they stood after
//! that, in the lengths that the rewritten instructions had. Elsewhere than on x86-64 a kernel patches otherwise, and
//! there is nothing.

use crate::sync::Tickets;

/// What a called function returned, out of the register that it came in.
#[cfg_attr(
    any(not(target_arch = "x86_64"), locks_loom, locks_tsan),
    expect(dead_code, reason = "calls are the compiler's there")
)]
pub(crate) trait Returned {
    fn of(rax: u64) -> Self;
}

impl Returned for () {
    #[inline(always)]
    fn of(_: u64) -> Self {}
}

impl Returned for bool {
    #[inline(always)]
    fn of(rax: u64) -> Self {
        rax & 1 != 0
    }
}

impl Returned for Tickets {
    #[inline(always)]
    fn of(rax: u64) -> Self {
        Self { head: rax as u16, tail: (rax >> 16) as u16 }
    }
}

/// Calls `extern "C" fn(&A) -> R`, out of line and directly. The compiler's own call of a function of another crate goes
/// through the loader's table of addresses, which is an indirect call as an unpatched site has.
#[cfg(all(target_arch = "x86_64", not(locks_loom), not(locks_tsan)))]
macro_rules! call {
    ($function:path, $argument:expr) => {{
        let rax: u64;
        // SAFETY: a call by the C convention of a function that takes one reference, which lives through it; all registers
        // that it may change are given up. What it returns is in rax, and `Returned` reads as much of that as its type has.
        unsafe {
            core::arch::asm!(
                "call {}",
                sym $function,
                in("rdi") core::ptr::from_ref($argument),
                lateout("rax") rax,
                clobber_abi("C"),
            );
        }
        $crate::patched::Returned::of(rax)
    }};
}
#[cfg(not(all(target_arch = "x86_64", not(locks_loom), not(locks_tsan))))]
macro_rules! call {
    ($function:path, $argument:expr) => {
        $function($argument)
    };
}
pub(crate) use call;

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

/// Behind an indirect call that is the last thing in a function: no instruction, but something to come back for, so that it stays a
/// call. A site of a kernel's is one wherever it stands.
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
