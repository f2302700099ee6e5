//! Halting and kicking over one word: how a vCPU that is a thread sleeps.
//!
//! The word is 1 while a kick has not been taken. The caller brings the sleep and the wake-up: a futex in the product, and a
//! model of a futex where the doorbell itself is checked.

use crate::sync::{AtomicU32, Ordering};

const QUIET: u32 = 0;
const RUNG: u32 = 1;

/// Sleeps until kicked. An earlier kick is still in the doorbell, so that the halt returns at once.
///
/// `sleep` gets the word and the value at which it may sleep. It must compare and fall asleep in one step towards
/// the waker, as a futex does, and may return early.
pub fn halt(bell: &AtomicU32, sleep: impl FnOnce(&AtomicU32, u32)) {
    // Acquire, here and below: what the kicker did before the kick is seen by the vCPU that takes the kick.
    if bell.swap(QUIET, Ordering::Acquire) == QUIET {
        sleep(bell, QUIET);
        bell.swap(QUIET, Ordering::Acquire);
    }
}

/// Forgets a kick that no halt has taken.
pub fn forget(bell: &AtomicU32) {
    // Acquire, as in `halt`: what the kicker did before is seen by whatever comes next.
    bell.swap(QUIET, Ordering::Acquire);
}

/// Ends the halt of the doorbell's vCPU, or makes its next halt return at once. `wake` wakes whoever sleeps on the word.
pub fn kick(bell: &AtomicU32, wake: impl FnOnce(&AtomicU32)) {
    // Release: what the kicker did is seen by the halt that takes the kick.
    if bell.swap(RUNG, Ordering::Release) == QUIET {
        wake(bell);
    }
}
