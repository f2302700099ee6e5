//! Halting and kicking of vCPUs that are threads: a futex on the vCPU's own doorbell in the arena. And yielding: a system call.

use lockbench_workloads::arena::Header;
use lockbench_workloads::locks::doorbell;

use super::price;
use crate::measure::futex::{self, Sharing};

/// Sleeps until kicked. An earlier kick is still in the doorbell, so that the halt returns at once.
pub(super) unsafe extern "C" fn halt(arena: *const Header, me: u32) {
    // SAFETY: called by vCPU `me`'s worker with its own mapped arena.
    let (header, bell) = unsafe { (&*arena, &(*arena).block(me as usize).word.0) };
    price::pay(header);
    // Not if the doorbell rang since: the kernel compares under its own lock.
    doorbell::halt(bell, |bell, quiet| futex::wait(bell, quiet, Sharing::Private));
}

/// Has this kernel's scheduler run another thread on the pCPU, if one waits there.
pub(super) unsafe extern "C" fn give_way(_: *const Header, _: u32) {
    yield_thread();
}

/// As [`give_way`], for a thread that runs a vCPU.
pub(super) fn yield_thread() {
    rustix::thread::sched_yield();
}

/// Forgets a kick that no halt has taken.
pub(super) unsafe extern "C" fn forget(arena: *const Header, me: u32) {
    // SAFETY: called by vCPU `me`'s worker with its own mapped arena.
    doorbell::forget(unsafe { &(*arena).block(me as usize).word.0 });
}

/// Wakes vCPU `cpu`, or makes its next halt return at once.
pub(super) unsafe extern "C" fn kick(arena: *const Header, cpu: u32) {
    // SAFETY: called by a worker with its own mapped arena.
    let header = unsafe { &*arena };
    price::pay(header);
    if cpu < header.plan.params.vcpus {
        // SAFETY: `cpu` is a vCPU of this arena.
        let bell = unsafe { &header.block(cpu as usize).word.0 };
        doorbell::kick(bell, |bell| futex::wake_all(bell, Sharing::Private));
    }
}
