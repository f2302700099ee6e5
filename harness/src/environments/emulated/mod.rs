//! Emulated: a vCPU is a thread among more threads than pCPUs, preempted by the kernel's scheduler as a hypervisor's
//! scheduler preempts vCPUs. Halting is a futex wait on the vCPU's own doorbell, kicking a futex wake.

use std::sync::atomic::Ordering::{Acquire, Release};

use lockbench_workloads::arena::Header;

use super::{Environment, thread};
use crate::Refusal;
use crate::cell::child::Cell;
use crate::measure::futex;

/// Threads that are preempted.
pub(super) struct Emulated;

impl Environment for Emulated {
    fn name(&self) -> &'static str {
        "emulated"
    }

    fn about(&self) -> &'static str {
        "a vCPU is a thread among more threads than pCPUs; halt is a futex wait, kick a futex wake"
    }

    fn hypervisor(&self) -> bool {
        true
    }

    fn start(&self, cell: Cell) -> Result<(), Refusal> {
        thread::start_workers(&cell, Some(halt), Some(kick))
    }
}

/// Sleeps until kicked. A kick that came first is found in the doorbell, so it sticks.
unsafe extern "C" fn halt(arena: *const Header, me: u32) {
    // SAFETY: called by vCPU `me`'s worker with its own mapped arena.
    let doorbell = unsafe { &(*arena).block(me as usize).word.0 };
    if doorbell.swap(0, Acquire) == 0 {
        // Not if the doorbell rang since: the kernel compares under its own lock.
        futex::wait(doorbell, 0);
        doorbell.store(0, Release);
    }
}

/// Wakes vCPU `cpu`, or spares it its next halt.
unsafe extern "C" fn kick(arena: *const Header, cpu: u32) {
    // SAFETY: called by a worker with its own mapped arena.
    let header = unsafe { &*arena };
    if cpu < header.plan.params.vcpus {
        // SAFETY: `cpu` is a vCPU of this arena.
        let doorbell = unsafe { &header.block(cpu as usize).word.0 };
        // Release: what the kicker did is seen by the halt that takes the kick.
        if doorbell.swap(1, Release) == 0 {
            futex::wake_all(doorbell);
        }
    }
}
