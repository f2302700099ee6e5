//! How a halted vCPU's thread sleeps: on its own word, where a kick that comes first is found, so that it sticks.

use std::sync::atomic::Ordering::{Acquire, Release};

use lockbench_workloads::arena::Doorbell;

use crate::measure::futex;

/// Sleeps until woken.
pub(super) fn sleep(doorbell: &Doorbell) {
    let word = &doorbell.0;
    if word.swap(0, Acquire) == 0 {
        // Not if the doorbell rang since: the kernel compares under its own lock.
        futex::wait(word, 0);
        word.store(0, Release);
    }
}

/// Wakes whoever sleeps there, or spares it its next sleep.
pub(super) fn wake(doorbell: &Doorbell) {
    let word = &doorbell.0;
    // Release: what the kicker did is seen by the sleep that takes the kick.
    if word.swap(1, Release) == 0 {
        futex::wake_all(word);
    }
}
