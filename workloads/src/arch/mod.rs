//! What differs by processor architecture: the clock that is read.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::ticks;
#[cfg(target_arch = "x86_64")]
pub use x86_64::ticks;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
/// Measuring needs x86-64 or aarch64; elsewhere there are no ticks, and the harness refuses to measure.
pub fn ticks() -> u64 {
    0
}
