//! The arena's memory: an anonymous file that the parent and the cell's process both map.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU16;
use std::{io, ptr};

use lockbench_workloads::arena::{Block, Header, MAGIC};
use lockbench_workloads::ring::Ring;
use lockbench_workloads::traced::{Octaves, Traced};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// A mapped arena. Unmapped when dropped; vCPUs that run in it are another process's, or never return.
pub struct Memory {
    fd: OwnedFd,
    base: NonNull<Header>,
    len: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread, and all that changes in it is atomic.
unsafe impl Send for Memory {}
// SAFETY: as for Send.
unsafe impl Sync for Memory {}

impl Memory {
    /// A new, zeroed arena of `len` bytes. The descriptor survives `exec`, for the cell's process inherits it.
    pub fn create(len: usize) -> io::Result<Self> {
        // Nothing in it is ever executed, and some systems (vm.memfd_noexec=2) give no other. Before Linux 6.3 there was
        // nothing to ask for.
        let fd = memfd_create("lockbench-arena", MemfdFlags::NOEXEC_SEAL)
            .or_else(|_| memfd_create("lockbench-arena", MemfdFlags::empty()))?;
        ftruncate(&fd, len as u64)?;
        Self::map(fd, len)
    }

    /// The arena behind an inherited descriptor.
    pub fn open(fd: OwnedFd) -> io::Result<Self> {
        let len = rustix::fs::fstat(&fd)?.st_size as usize;
        if len < size_of::<Header>() {
            return Err(io::Error::other("the inherited arena is too small"));
        }
        let memory = Self::map(fd, len)?;
        let plan = &memory.header().plan;
        if plan.magic != MAGIC || plan.layout.total > len {
            return Err(io::Error::other("the inherited file is no arena of this build"));
        }
        memory.touch();
        Ok(memory)
    }

    fn map(fd: OwnedFd, len: usize) -> io::Result<Self> {
        // SAFETY: a fresh mapping at an address of the kernel's choice overlaps nothing.
        let base = unsafe {
            mmap(ptr::null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, &fd, 0)?
        };
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mmap gave address 0"))?;
        Ok(Self { fd, base, len })
    }

    /// Makes every page present, so that no window pays for a first touch. A write: pages of a memfd that were only
    /// read would fault once more.
    pub fn touch(&self) {
        for page in (0..self.len).step_by(4096) {
            // SAFETY: inside the mapping; an atomic add of 0 changes nothing, whoever else is using the word.
            let word = unsafe { &*self.base.as_ptr().byte_add(page).cast::<std::sync::atomic::AtomicU32>() };
            word.fetch_add(0, std::sync::atomic::Ordering::Relaxed);
        }
    }

    /// The arena's head.
    pub fn header(&self) -> &Header {
        // SAFETY: the mapping is page-aligned, at least a header long (`create` is called with a layout's total, `open`
        // checks), zeroed memory is a valid header, and changes go through atomics.
        unsafe { self.base.as_ref() }
    }

    /// The arena's head, for writing the plan before anybody runs in it.
    pub fn header_mut(&mut self) -> &mut Header {
        // SAFETY: as `header`; `&mut self` before the cell's process exists means nobody else looks.
        unsafe { self.base.as_mut() }
    }

    /// Address of the head.
    pub fn as_ptr(&self) -> *mut Header {
        self.base.as_ptr()
    }

    /// Length in bytes.
    pub fn bytes(&self) -> usize {
        self.len
    }

    /// The file behind it.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Number of vCPUs.
    pub fn vcpus(&self) -> usize {
        self.header().plan.params.vcpus as usize
    }

    /// The vCPUs' blocks, in order.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        // SAFETY: `create`'s caller sized the mapping by the same layout, and `open` checked it.
        (0..self.vcpus()).map(|cpu| unsafe { self.header().block(cpu) })
    }

    /// What the vCPUs write about their times, in order; nothing where they do not.
    pub fn traced(&self) -> impl Iterator<Item = &Traced> {
        // SAFETY: as in `blocks`.
        (0..self.vcpus()).filter_map(|cpu| unsafe { self.header().traced(cpu) })
    }

    /// The vCPUs' rings of events, in order; none where there are none.
    pub fn rings(&self) -> impl Iterator<Item = &Ring> {
        // SAFETY: as in `blocks`.
        (0..self.vcpus()).filter_map(|cpu| unsafe { self.header().ring(cpu) })
    }

    /// Handovers from each pCPU to each; empty where they are not counted.
    pub fn matrix(&self) -> &[Octaves] {
        // SAFETY: as in `blocks`: the mapping is that layout's.
        unsafe { self.header().matrix() }
    }

    /// Handovers from each NUMA node to each; empty where they are not counted.
    pub fn node_matrix(&self) -> &[Octaves] {
        // SAFETY: as in `matrix`.
        unsafe { self.header().node_matrix() }
    }

    /// Row and column of each vCPU in that matrix; empty where there is none.
    pub fn node_rows(&self) -> &[AtomicU16] {
        // SAFETY: as in `matrix`.
        unsafe { self.header().node_rows() }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: `base` and `len` are those of a mapping that only this value owns; borrows of it end before.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    }
}
