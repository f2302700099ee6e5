//! aarch64 (unverified so far): the virtual counter.

/// The virtual counter.
#[inline(always)]
pub fn ticks() -> u64 {
    let ticks: u64;
    // SAFETY: reading CNTVCT_EL0 has no side effect, and Linux lets user mode do it.
    unsafe {
        core::arch::asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack, preserves_flags))
    };
    ticks
}
