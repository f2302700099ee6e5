//! x86-64: the time-stamp counter.

/// The time-stamp counter. Not serialised: a few nanoseconds of reordering are below what a histogram resolves.
#[inline(always)]
pub fn ticks() -> u64 {
    // SAFETY: RDTSC has no precondition in user mode unless CR4.TSD is set, which Linux does only on request (prctl)
    // and our own guests never do.
    unsafe { core::arch::x86_64::_rdtsc() }
}
