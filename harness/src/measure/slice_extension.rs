//! The extension of a timeslice that a thread may ask this kernel for while it holds a lock (Linux 7.0 and newer).
//!
//! The interface is that of the kernel's `Documentation/userspace-api/rseq.rst`, "Scheduler time slice extensions": a thread enables
//! it by `prctl(PR_RSEQ_SLICE_EXTENSION)`, asks in its rseq area (`slice_ctrl` of `struct rseq`), and gives back what was granted by
//! `rseq_slice_yield`. Workers ask (`lockbench_workloads::extension`); here are the parts that enter the kernel.

use std::{fs, io, thread};

use lockbench_workloads::extension::SliceControl;

use super::rseq;
use crate::Refusal;
use crate::refusal::words;

/// What is known of the code: none of the machines that it was written on has such a kernel.
pub const UNVERIFIED: &str = "unverified: the code follows the kernel's documentation, and no machine of the project has a kernel to try it on";

/// `PR_RSEQ_SLICE_EXTENSION` and what belongs to it, from `include/uapi/linux/prctl.h`.
const PR_RSEQ_SLICE_EXTENSION: libc::c_int = 79;
const SET: libc::c_ulong = 2;
const ENABLE: libc::c_ulong = 1;

/// `rseq_slice_yield` has the same number on x86-64 and aarch64 (`arch/x86/entry/syscalls/syscall_64.tbl`, `scripts/syscall.tbl`).
const SYS_RSEQ_SLICE_YIELD: libc::c_long = 471;

/// `AT_RSEQ_FEATURE_SIZE` of `include/uapi/linux/auxvec.h`: how many bytes of an rseq area the kernel uses.
const AT_RSEQ_FEATURE_SIZE: libc::c_ulong = 27;

/// The kernel's own error for a facility that was turned off. No C library knows its name.
const ENOTSUPP: i32 = 524;

/// Offset of `slice_ctrl` in `struct rseq`: behind `cpu_id_start`, `cpu_id`, `rseq_cs`, `flags`, `node_id` and `mm_cid`.
const SLICE_CTRL: usize = 28;

/// Bytes that an area has at least that has a `slice_ctrl`.
const NEEDED: usize = SLICE_CTRL + size_of::<SliceControl>();

/// Whether a thread of this process can enable the extension. It is tried on a thread that ends at once.
pub fn probe() -> Result<String, Refusal> {
    let tried: io::Result<_> = thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, || enable().map(drop))?;
        Ok(thread.join())
    });
    match tried {
        Err(e) => Err(Refusal::of("a thread that tries the slice extension could not be started", e)),
        Ok(Err(_)) => Err("the thread that tried the slice extension broke off".into()),
        Ok(Ok(Err(refusal))) => Err(refusal),
        Ok(Ok(Ok(()))) => Ok(format!("rseq: a thread could enable it ({UNVERIFIED})")),
    }
}

/// Enables the extension for the calling thread, and returns where that thread asks for it.
pub fn enable() -> Result<*mut SliceControl, Refusal> {
    let Some(area) = rseq::area() else {
        return Err("the C library registers no rseq area (glibc 2.35 or newer does)".into());
    };
    // SAFETY: `prctl` with this option reads no memory of the caller's; a kernel without the option refuses it.
    let set = match unsafe { libc::prctl(PR_RSEQ_SLICE_EXTENSION, SET, ENABLE, 0_usize, 0_usize) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    };
    // SAFETY: it looks up a number in the vector that the kernel gave the process.
    let kernels = unsafe { libc::getauxval(AT_RSEQ_FEATURE_SIZE) } as usize;
    verdict(set, kernels, area.size as usize, &release())?;
    Ok(area.at.wrapping_byte_add(SLICE_CTRL).cast())
}

/// Gives the pCPU back that the calling thread was let keep beyond its timeslice.
pub fn give_back() {
    // SAFETY: the call has no arguments and no side effect but the yield.
    unsafe { libc::syscall(SYS_RSEQ_SLICE_YIELD) };
}

/// What the kernel's answer means, where it and the C library know so many bytes of an rseq area.
fn verdict(set: io::Result<()>, kernels: usize, librarys: usize, release: &str) -> Result<(), Refusal> {
    let errno = set.as_ref().err().map(|e| e.raw_os_error().unwrap_or(0));
    match (set, errno) {
        (_, Some(libc::EINVAL)) => Err(format!(
            "this kernel ({release}) does not offer it: Linux 7.0 and newer with CONFIG_RSEQ_SLICE_EXTENSION do"
        )
        .into()),
        (_, Some(ENOTSUPP)) => Err(format!(
            "this kernel ({release}) has it, and refuses it: it was turned off on the kernel's command line, or the kernel does not \
             grant it to an rseq area of the original size, which an older C library registers"
        )
        .into()),
        (_, Some(libc::ENXIO)) => Err("this kernel has it, and no rseq area is registered for the thread".into()),
        (Err(e), _) => Err(format!("this kernel refused to enable it: {}", words(&e)).into()),
        (Ok(()), _) if kernels.min(librarys) < NEEDED => Err(format!(
            "the thread's rseq area is too small: {NEEDED} bytes are needed, the kernel uses {kernels} and the C library registered \
             {librarys}"
        )
        .into()),
        (Ok(()), _) => Ok(()),
    }
}

/// The running kernel's release, as far as its number goes: `6.18`.
fn release() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_else(|_| "unknown".into());
    release.trim().split(['.', '-']).take(2).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_of_the_kernel_has_its_reason() {
        let refused =
            |errno| verdict(Err(io::Error::from_raw_os_error(errno)), 33, 33, "6.18").unwrap_err().reason;
        assert_eq!(
            refused(libc::EINVAL),
            "this kernel (6.18) does not offer it: Linux 7.0 and newer with CONFIG_RSEQ_SLICE_EXTENSION do"
        );
        assert!(refused(ENOTSUPP).contains("turned off on the kernel's command line"));
        assert!(refused(libc::ENXIO).contains("no rseq area is registered"));
        assert!(refused(libc::EPERM).starts_with("this kernel refused to enable it: "));
    }

    #[test]
    fn an_area_without_the_field_is_too_small_whoever_made_it_so() {
        let said =
            |kernels, librarys| verdict(Ok(()), kernels, librarys, "7.0").map_err(|refusal| refusal.reason);
        assert_eq!(said(NEEDED, NEEDED), Ok(()));
        assert_eq!(said(33, 33), Ok(()));
        assert!(said(28, 32).unwrap_err().contains("32 bytes are needed, the kernel uses 28"));
        assert!(said(33, 20).unwrap_err().contains("the C library registered 20"));
    }

    /// On a kernel that has it this enables it for one thread; elsewhere the reason names what is missing.
    #[test]
    fn a_probe_enables_it_or_says_what_is_missing() {
        match probe() {
            Ok(found) => assert!(found.contains("unverified"), "{found}"),
            Err(missing) => {
                assert!(missing.reason.contains("kernel") || missing.reason.contains("rseq"), "{missing}")
            }
        }
    }
}
