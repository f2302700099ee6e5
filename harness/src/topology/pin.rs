//! CPU affinity straight from the kernel: for the calling thread, and where hwloc cannot bind.

use std::io;

use super::bind::unbound;
use super::{CpuList, Outcome, PuIndex, Via};

/// The CPU that the calling thread runs on at this moment.
pub fn current_cpu() -> Option<PuIndex> {
    // SAFETY: takes nothing and only answers a number.
    let cpu = unsafe { libc::sched_getcpu() };
    u32::try_from(cpu).ok().map(PuIndex)
}

/// Pins the calling thread to one CPU, without hwloc, and checks that it runs there.
///
/// For threads that discover nothing, such as a ping-pong's or a cell's.
pub fn pin_current(pu: PuIndex) -> Outcome {
    let (asked, via) = if (pu.0 as usize) < libc::CPU_SETSIZE as usize {
        let asked = core_affinity::set_for_current(core_affinity::CoreId { id: pu.0 as usize });
        (asked.then_some(()).ok_or_else(io::Error::last_os_error), Via::CoreAffinity)
    } else {
        // core_affinity's mask ends at 1023, and it would panic.
        (set_affinity(0, &[pu].into_iter().collect()), Via::SystemCall)
    };
    match asked {
        Ok(()) => running_on(pu, via),
        Err(error) => {
            Outcome::Failed(format!("the kernel did not pin the thread to CPU {pu}: {}", unbound(&error)))
        }
    }
}

/// What a pinning of the calling thread came to.
pub(super) fn running_on(pu: PuIndex, via: Via) -> Outcome {
    // The kernel has moved the thread before the call that pinned it returned.
    match current_cpu() {
        Some(cpu) if cpu == pu => Outcome::Bound(via),
        Some(cpu) => Outcome::Failed(format!("the thread was pinned to CPU {pu} yet runs on CPU {cpu}")),
        None => Outcome::Failed(format!("the kernel does not tell whether the thread runs on CPU {pu}")),
    }
}

/// The CPUs that the calling thread may run on.
pub(super) fn allowed_cpus() -> Option<CpuList> {
    affinity(0).ok()
}

const BITS: usize = libc::c_ulong::BITS as usize;

/// The CPUs that a thread may run on; 0 is the calling one.
pub(super) fn affinity(tid: libc::pid_t) -> io::Result<CpuList> {
    // The kernel refuses a mask shorter than its own, which it does not tell; more than 2^20 CPUs it cannot have.
    for bits in (10..=20).map(|power| 1usize << power) {
        let mut mask: Vec<libc::c_ulong> = vec![0; bits / BITS];
        // SAFETY: the kernel writes at most the given number of bytes, and `mask` is that long.
        let written = unsafe { libc::syscall(libc::SYS_sched_getaffinity, tid, bits / 8, mask.as_mut_ptr()) };
        if written >= 0 {
            let set = |index: &u32| mask[*index as usize / BITS] >> (*index as usize % BITS) & 1 == 1;
            return Ok((0..bits as u32).filter(set).collect());
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EINVAL) {
            return Err(error);
        }
    }
    Err(io::ErrorKind::InvalidInput.into())
}

/// Lets a thread run on these CPUs only; 0 is the calling thread. Takes any CPU number, 1024 and above too.
pub(super) fn set_affinity(tid: libc::pid_t, cpus: &CpuList) -> io::Result<()> {
    let last = cpus.iter().map(|pu| pu.0 as usize).max().unwrap_or(0);
    let mut mask: Vec<libc::c_ulong> = vec![0; last / BITS + 1];
    for index in cpus.iter().map(|pu| pu.0 as usize) {
        mask[index / BITS] |= 1 << (index % BITS);
    }
    // SAFETY: the kernel reads at most the given number of bytes, and `mask` is that long.
    let answer =
        unsafe { libc::syscall(libc::SYS_sched_setaffinity, tid, size_of_val(&mask[..]), mask.as_ptr()) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
