//! The kernel's own note that a thread lost its pCPU: the restartable-sequence area (rseq).
//!
//! A thread points `rseq_cs` once at a descriptor that contains none of the code it runs. When the kernel preempts,
//! migrates or signals the thread, it finds the instruction pointer outside the descriptor's range and clears the
//! pointer; a worker that compares it with what it stored has its answer for the price of a load. glibc 2.35 and newer
//! registers the area; elsewhere, and where a newer kernel clears less, [`self_test`] says so.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{mem, ptr};

use crate::Refusal;
use crate::measure::at_once;
use crate::refusal::words;
use crate::topology::{PuIndex, pin_current};

/// The signature glibc registers on x86-64, which must stand before a descriptor's abort address.
#[cfg(target_arch = "x86_64")]
const SIGNATURE: u32 = 0x5305_3053;
/// The signature glibc registers on aarch64.
#[cfg(not(target_arch = "x86_64"))]
const SIGNATURE: u32 = 0xd428_bc00;

/// `struct rseq_cs` of `include/uapi/linux/rseq.h`.
#[repr(C, align(32))]
struct Descriptor {
    version: u32,
    flags: u32,
    start_ip: *const c_void,
    post_commit_offset: u64,
    abort_ip: *const c_void,
}

// SAFETY: the pointers are only ever compared, by the kernel.
unsafe impl Sync for Descriptor {}

/// A valid descriptor: the kernel checks the signature before the abort address even of a sequence that it leaves alone,
/// and kills the thread if it is wrong. Nothing ever jumps there.
static ABORT: [u32; 2] = [SIGNATURE, 0];
static DESCRIPTOR: Descriptor = Descriptor {
    version: 0,
    flags: 0,
    start_ip: (&raw const ABORT).cast(),
    post_commit_offset: 1,
    abort_ip: (&raw const ABORT).wrapping_byte_add(4).cast(),
};

/// Offset of `rseq_cs` in `struct rseq`.
const RSEQ_CS: usize = 8;

/// A thread's probe and the value to keep in it.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    /// The thread's `rseq_cs`.
    pub word: *mut u64,
    /// What to store there; the kernel replaces it by 0.
    pub armed: u64,
}

impl Probe {
    /// The calling thread's probe; none if no rseq area is registered.
    pub fn of_this_thread() -> Option<Self> {
        let word = area()?.at.wrapping_byte_add(RSEQ_CS).cast();
        Some(Self { word, armed: (&raw const DESCRIPTOR) as u64 })
    }

    /// Starts to watch.
    pub fn arm(self) {
        // SAFETY: `word` is the aligned `rseq_cs` of the rseq area that glibc keeps for this thread's lifetime, and the
        // stored descriptor is valid and static, as the kernel demands.
        unsafe { ptr::write_volatile(self.word, self.armed) };
    }

    /// Whether the pCPU was lost since [`arm`](Self::arm).
    pub fn fired(self) -> bool {
        // SAFETY: as in `arm`.
        unsafe { ptr::read_volatile(self.word) != self.armed }
    }
}

/// A thread's rseq area.
pub(super) struct Area {
    /// Where it begins.
    pub(super) at: *mut c_void,
    /// How many of its bytes are in use, as the C library says.
    pub(super) size: u32,
}

/// The calling thread's rseq area, if glibc registered one. glibc's variables are looked up at run time, so that older libraries
/// still link.
pub(super) fn area() -> Option<Area> {
    // SAFETY: the names are NUL-terminated; dlsym only looks them up.
    let (offset, size) = unsafe {
        (
            libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_offset".as_ptr()).cast::<isize>(),
            libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_size".as_ptr()).cast::<u32>(),
        )
    };
    if offset.is_null() || size.is_null() {
        return None;
    }
    // SAFETY: glibc defines the two as constants of just these types (rseq(7), sys/rseq.h).
    let (offset, size) = unsafe { (*offset, *size) };
    (size > 0).then(|| Area { at: thread_pointer().wrapping_byte_offset(offset).cast_mut(), size })
}

#[cfg(target_arch = "x86_64")]
fn thread_pointer() -> *const c_void {
    let pointer: *const c_void;
    // SAFETY: the x86-64 ABI keeps the thread pointer's own address at fs:0.
    unsafe { std::arch::asm!("mov {}, fs:0", out(reg) pointer, options(nostack, readonly, preserves_flags)) };
    pointer
}

#[cfg(target_arch = "aarch64")]
fn thread_pointer() -> *const c_void {
    let pointer: *const c_void;
    // SAFETY: reading TPIDR_EL0 has no side effect.
    unsafe {
        std::arch::asm!("mrs {}, tpidr_el0", out(reg) pointer, options(nomem, nostack, preserves_flags))
    };
    pointer
}

/// How often the self-test makes a thread lose its pCPU.
const TRIALS: u32 = 3;

/// Whether preemptions are really noticed here: a thread spins until a competitor pinned to the same pCPU has moved a
/// counter, which it can only have done in the spinner's place.
pub fn self_test(pcpu: u32) -> Result<String, Refusal> {
    if mem::size_of::<usize>() != 8 || Probe::of_this_thread().is_none() {
        return Err("the C library registers no rseq area (glibc 2.35 or newer does)".into());
    }
    let moves = AtomicU32::new(0);
    let give_up = Instant::now() + Duration::from_secs(2);
    let stop = AtomicU32::new(0);
    let compete = || {
        let pinned = pin_current(PuIndex(pcpu)).is_bound();
        // The competitor has a deadline of its own: a spinner that never gets the pCPU could not stop it.
        while stop.load(Ordering::Relaxed) == 0 && Instant::now() < give_up {
            moves.fetch_add(1, Ordering::Relaxed);
        }
        pinned
    };
    let spin = || {
        let probe = Probe::of_this_thread()?;
        pin_current(PuIndex(pcpu)).is_bound().then_some(())?;
        let mut noticed = 0;
        for _ in 0..TRIALS {
            probe.arm();
            let before = moves.load(Ordering::Relaxed);
            while moves.load(Ordering::Relaxed) == before && Instant::now() < give_up {
                std::hint::spin_loop();
            }
            noticed += u32::from(probe.fired());
        }
        Some(noticed)
    };
    let end = || stop.store(1, Ordering::Relaxed);
    let spin = || {
        let noticed = spin();
        end();
        noticed
    };
    match at_once(compete, spin, end) {
        Err(e) => Err(format!("two threads could not be started for the self-test: {}", words(&e)).into()),
        Ok((Some(true), Some(Some(TRIALS)))) => {
            Ok(format!("rseq: {TRIALS} of {TRIALS} forced preemptions noticed"))
        }
        Ok((Some(true), Some(Some(n)))) => {
            Err(format!("rseq: only {n} of {TRIALS} forced preemptions noticed by this kernel").into())
        }
        Ok(_) => Err("two threads could not be pinned to one pCPU for the self-test".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_is_one_that_the_kernel_accepts() {
        assert_eq!(mem::size_of::<Descriptor>(), 32);
        assert_eq!(mem::align_of::<Descriptor>(), 32);
        if let Some(probe) = Probe::of_this_thread() {
            // A sleep makes the kernel look at the descriptor; a bad one would kill this test with SIGSEGV.
            probe.arm();
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
