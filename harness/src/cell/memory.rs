//! The arena's memory: an anonymous file that the parent and the cell's process both map.
//!
//! The lock under test runs in that mapping, and may store anywhere in it. So the parent believes nothing that it reads
//! there but figures: where things lie and how many there are it keeps in a plan of its own, and in the cell's process
//! the plan's pages are read-only.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU16;
use std::{io, ptr};

use lockbench_workloads::arena::{Block, Data, Gate, Header, MAGIC, Plan};
use lockbench_workloads::lock_time::LockTime;
use lockbench_workloads::ring::{Ring, Worst};
use lockbench_workloads::traced::{Octaves, Traced};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap, mprotect, munmap};

/// A mapped arena. Unmapped when dropped; vCPUs that run in it are another process's, or never return.
pub struct Memory {
    fd: OwnedFd,
    base: NonNull<Header>,
    len: usize,
    /// This process's own copy.
    plan: Box<Plan>,
}

// SAFETY: the mapping belongs to the process, not to a thread, and all that changes in it is atomic.
unsafe impl Send for Memory {}
// SAFETY: as for Send.
unsafe impl Sync for Memory {}

impl Memory {
    /// A new, zeroed arena for `plan`, which is not yet written into it. The descriptor survives `exec`, for the cell's
    /// process inherits it; its length is sealed, for a file that shrank would take the parent down with it.
    pub fn create(plan: Plan) -> io::Result<Self> {
        let len = plan.layout.total;
        // Nothing in it is ever executed, and some systems (vm.memfd_noexec=2) give no other. Before Linux 6.3 there was
        // nothing to ask for.
        let fd = memfd_create("lockbench-arena", MemfdFlags::NOEXEC_SEAL)
            .or_else(|_| memfd_create("lockbench-arena", MemfdFlags::ALLOW_SEALING))?;
        ftruncate(&fd, len as u64)?;
        fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        let base = map(&fd, len)?;
        Ok(Self { fd, base, len, plan: Box::new(plan) })
    }

    /// Writes the plan into the arena, and gives its head for the rest that is written before anybody runs in it.
    pub fn write_plan(&mut self) -> &mut Header {
        // SAFETY: as for `header`; `&mut self` before the cell's process exists means that nobody else looks.
        let header = unsafe { self.base.as_mut() };
        header.plan = (*self.plan).clone();
        header
    }

    /// The arena behind an inherited descriptor, for the cell's process: every page present, the plan read-only.
    pub fn open(fd: OwnedFd) -> io::Result<Self> {
        let len = rustix::fs::fstat(&fd)?.st_size as usize;
        if len < size_of::<Header>() {
            return Err(io::Error::other("the inherited arena is too small"));
        }
        let base = map(&fd, len)?;
        // SAFETY: the mapping is page-aligned and at least a header long. A file that no parent of this build wrote could
        // hold anything, so that the magic number is looked at first, through a pointer.
        let magic = unsafe { (&raw const (*base.as_ptr()).plan.magic).read() };
        if magic != MAGIC {
            return Err(io::Error::other("the inherited file is no arena of this build"));
        }
        // SAFETY: the parent wrote a whole plan behind the magic number before it started this process.
        let plan = Box::new(unsafe { base.as_ref() }.plan.clone());
        if plan.layout.total > len {
            return Err(io::Error::other("the inherited arena is shorter than its plan"));
        }
        let memory = Self { fd, base, len, plan };
        memory.touch();
        memory.protect_plan()?;
        Ok(memory)
    }

    /// Makes the plan read-only in this process.
    fn protect_plan(&self) -> io::Result<()> {
        // Where pages are larger than its alignment, the words that workers write would share one with it.
        if align_of::<Plan>().is_multiple_of(rustix::param::page_size()) {
            // SAFETY: the range is the head of a mapping of this value's own, and nobody in this process writes there.
            unsafe { mprotect(self.base.as_ptr().cast(), size_of::<Plan>(), MprotectFlags::READ)? };
        }
        Ok(())
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

    /// What the arena was made for: this process's own copy, which no lock can change from another process.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The arena's head, but for the plan: ask [`plan`](Self::plan).
    fn header(&self) -> &Header {
        // SAFETY: the mapping is page-aligned, at least a header long (`create` maps a layout's total, `open` checks),
        // and changes go through atomics. What a lock may have stored into the plan is never looked at.
        unsafe { self.base.as_ref() }
    }

    /// The words that the vCPUs wait on.
    pub fn gate(&self) -> &Gate {
        &self.header().gate
    }

    /// What the lock protects.
    pub fn data(&self) -> &Data {
        &self.header().data
    }

    /// The lock's account of time.
    pub fn time(&self) -> &LockTime {
        &self.header().time
    }

    /// Which handover was the worst.
    pub fn worst(&self) -> &Worst {
        &self.header().worst
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
        self.plan.params.vcpus as usize
    }

    /// The block of one of its vCPUs.
    pub fn block(&self, cpu: usize) -> &Block {
        assert!(cpu < self.vcpus(), "no vCPU {cpu}");
        // SAFETY: the mapping is whole and was sized by the plan's layout (`create`) or checked against it (`open`).
        unsafe { self.plan.layout.block(self.base.as_ptr(), cpu) }
    }

    /// The vCPUs' blocks, in order.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        (0..self.vcpus()).map(|cpu| self.block(cpu))
    }

    /// What the vCPUs write about their times, in order; nothing where they do not.
    pub fn traced(&self) -> impl Iterator<Item = &Traced> {
        // SAFETY: as in `block`.
        (0..self.vcpus()).filter_map(|cpu| unsafe { self.plan.layout.traced(self.base.as_ptr(), cpu) })
    }

    /// The vCPUs' rings of events, in order; none where there are none.
    pub fn rings(&self) -> impl Iterator<Item = &Ring> {
        // SAFETY: as in `block`.
        (0..self.vcpus()).filter_map(|cpu| unsafe { self.plan.layout.ring(self.base.as_ptr(), cpu) })
    }

    /// Handovers from each pCPU to each; empty where they are not counted.
    pub fn matrix(&self) -> &[Octaves] {
        // SAFETY: as in `block`.
        unsafe { self.plan.layout.matrix(self.base.as_ptr()) }
    }

    /// Handovers from each NUMA node to each; empty where they are not counted.
    pub fn node_matrix(&self) -> &[Octaves] {
        // SAFETY: as in `matrix`.
        unsafe { self.plan.layout.node_matrix(self.base.as_ptr()) }
    }

    /// Row and column of each vCPU in that matrix; empty where there is none.
    pub fn node_rows(&self) -> &[AtomicU16] {
        // SAFETY: as in `matrix`.
        unsafe { self.plan.layout.node_rows(self.base.as_ptr(), self.vcpus()) }
    }
}

#[cfg(test)]
impl Memory {
    /// An arena for tests, with no lock in it.
    pub(super) fn empty(extent: &lockbench_workloads::arena::Extent) -> Self {
        use lockbench_workloads::arena::{Layout, THINK_ENTRIES};
        let unit = std::alloc::Layout::new::<()>();
        let layout = Layout::new(unit, unit, extent);
        let mut memory = Self::create(Plan {
            magic: MAGIC,
            layout: layout.unwrap(),
            params: lockbench_workloads::locks::Params { vcpus: extent.vcpus as u32, ..Default::default() },
            section_work: 0,
            section_ticks: 0,
            gap_ticks: 0,
            lines: 0,
            start_queued: false,
            thinks: false,
            open: false,
            think: [0; THINK_ENTRIES],
        })
        .unwrap();
        memory.write_plan();
        memory
    }
}

fn map(fd: &OwnedFd, len: usize) -> io::Result<NonNull<Header>> {
    // SAFETY: a fresh mapping at an address of the kernel's choice overlaps nothing.
    let base =
        unsafe { mmap(ptr::null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, fd, 0)? };
    NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mmap gave address 0"))
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: `base` and `len` are those of a mapping that only this value owns; borrows of it end before.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    }
}
