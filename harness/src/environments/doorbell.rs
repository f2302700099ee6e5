//! Halting and kicking of vCPUs that are threads: a futex on the vCPU's own doorbell in the arena.

use std::sync::atomic::Ordering::{Acquire, Release};

use lockbench_workloads::arena::Header;

use crate::measure::futex::{self, Sharing};

/// Sleeps until kicked. An earlier kick is still in the doorbell, so that the halt returns at once.
pub(super) unsafe extern "C" fn halt(arena: *const Header, me: u32) {
    // SAFETY: called by vCPU `me`'s worker with its own mapped arena.
    let doorbell = unsafe { &(*arena).block(me as usize).word.0 };
    // Acquire, here and below: what the kicker did before the kick is seen by the vCPU that takes the kick.
    if doorbell.swap(0, Acquire) == 0 {
        // Not if the doorbell rang since: the kernel compares under its own lock.
        futex::wait(doorbell, 0, Sharing::Private);
        doorbell.swap(0, Acquire);
    }
}

/// Forgets a kick that no halt has taken.
pub(super) unsafe extern "C" fn forget(arena: *const Header, me: u32) {
    // SAFETY: called by vCPU `me`'s worker with its own mapped arena.
    let doorbell = unsafe { &(*arena).block(me as usize).word.0 };
    // Acquire, as in `halt`: what the kicker did before is seen by whatever comes next.
    doorbell.swap(0, Acquire);
}

/// Wakes vCPU `cpu`, or makes its next halt return at once.
pub(super) unsafe extern "C" fn kick(arena: *const Header, cpu: u32) {
    // SAFETY: called by a worker with its own mapped arena.
    let header = unsafe { &*arena };
    if cpu < header.plan.params.vcpus {
        // SAFETY: `cpu` is a vCPU of this arena.
        let doorbell = unsafe { &header.block(cpu as usize).word.0 };
        // Release: what the kicker did is seen by the halt that takes the kick.
        if doorbell.swap(1, Release) == 0 {
            futex::wake_all(doorbell, Sharing::Private);
        }
    }
}
