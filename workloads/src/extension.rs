//! Asking the kernel for a longer timeslice while a lock is held: the extension of Linux 7.0 and newer.
//!
//! The words are those of the kernel's `Documentation/userspace-api/rseq.rst`, "Scheduler time slice extensions", and so is the order
//! of the steps: set `request`; critical section; clear `request`; if `granted` is set, give the pCPU back (`rseq_slice_yield`). Only
//! the thread itself and the kernel on its pCPU touch the two bytes, so that nothing but the compiler must be kept from reordering.

use core::sync::atomic::{AtomicU8, Ordering::Relaxed, Ordering::SeqCst, compiler_fence};

/// `struct rseq_slice_ctrl` of `include/uapi/linux/rseq.h`, in the area that a thread shares with the kernel.
#[derive(Debug, Default)]
#[repr(C, align(4))]
pub struct SliceControl {
    /// Set by the thread while it would rather not be preempted; cleared by the kernel when it grants that.
    pub request: AtomicU8,
    /// Set by the kernel when it lets the thread run on beyond its timeslice; cleared when the thread was rescheduled.
    pub granted: AtomicU8,
    reserved: [u8; 2],
}

impl SliceControl {
    /// A critical section begins.
    #[inline(always)]
    pub(crate) fn begin(&self) {
        self.request.store(1, Relaxed);
        compiler_fence(SeqCst);
    }

    /// The critical section is over. Returns whether an extension was granted and still holds, so that the pCPU is to be given back.
    #[inline(always)]
    pub(crate) fn end(&self) -> bool {
        compiler_fence(SeqCst);
        self.request.store(0, Relaxed);
        // What is granted after the request is gone would be missed by a look before that.
        compiler_fence(SeqCst);
        self.granted.load(Relaxed) != 0
    }
}

#[cfg(test)]
mod tests;
