//! The arena's memory: an anonymous file that the parent and the cell's process both map.
//!
//! The lock under test runs in that mapping, and may store anywhere in it. So the parent trusts only figures that it reads
//! there: where things lie, and how many there are, it keeps in a plan of its own, and in the cell's process the plan's pages
//! are read-only.

mod board;
mod huge;
mod mapping;

use std::io;
use std::ops::Range;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU16, AtomicU64};

use lockbench_workloads::arena::{Block, Data, Gate, Header, Holes, Layout, MAGIC, Plan};
use lockbench_workloads::lock_time::LockTime;
use lockbench_workloads::ring::{Ring, Worst};
use lockbench_workloads::traced::{Octaves, Traced};
use rustix::fs::{
    FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, ftruncate, memfd_create,
};
use rustix::mm::{MprotectFlags, mprotect};
use rustix::param::page_size;

use crate::Refusal;
pub use board::Board;
pub use huge::{HUGE_PAGE, probe as probe_huge_pages};
use mapping::Mapping;

/// A new arena that was not touched: no page of it lies on any NUMA node yet, so it can still be bound. It cannot be read or
/// written: for that it must become a [`Memory`], which makes its pages present.
pub struct Blank {
    mapping: Mapping,
    plan: Box<Plan>,
}

impl Blank {
    /// Room for an arena for `plan`. The descriptor survives `exec`, for the cell's process inherits it; its length is
    /// sealed, for a file that shrank would take the parent down with it.
    pub fn create(plan: Plan) -> Result<Self, Refusal> {
        let len = plan.layout.total;
        let huge = plan.memory_page > page_size();
        Self::mapped(plan).map_err(|e| match e.raw_os_error() {
            Some(libc::ENOMEM) if huge => huge::too_few(len),
            _ => Refusal::of(format!("the arena ({len} bytes) could not be made"), e),
        })
    }

    fn mapped(plan: Plan) -> io::Result<Self> {
        let len = plan.layout.total;
        // Nothing in it is ever executed, and some systems (vm.memfd_noexec=2) give no other. Before Linux 6.3 there was
        // nothing to ask for.
        let fd = if plan.memory_page > page_size() {
            huge::file()?
        } else {
            memfd_create("lockbench-arena", MemfdFlags::NOEXEC_SEAL)
                .or_else(|_| memfd_create("lockbench-arena", MemfdFlags::ALLOW_SEALING))?
        };
        ftruncate(&fd, len as u64)?;
        fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok(Self { mapping: Mapping::new(fd, len)?, plan: Box::new(plan) })
    }

    /// Where everything will lie in it.
    pub fn layout(&self) -> &Layout {
        &self.plan.layout
    }

    /// The addresses of a part, to bind it. They must not be read or written.
    pub fn part(&self, part: Range<usize>) -> &[AtomicU64] {
        self.mapping.words(part)
    }

    /// Makes every page present, zeroed, and looks whether they are huge where that was asked for.
    pub fn make_present(self) -> Result<Memory, Refusal> {
        self.mapping
            .make_present(self.plan.memory_page)
            .map_err(|e| Refusal::of("the arena's memory could not be made present", e))?;
        if self.plan.memory_page > page_size() {
            huge::verify(&self.mapping)?;
        }
        Ok(Memory { mapping: self.mapping, plan: self.plan })
    }
}

/// A mapped arena, all its pages present. Unmapped when dropped; vCPUs that run in it are another process's, or never
/// return.
pub struct Memory {
    mapping: Mapping,
    /// This process's own copy.
    plan: Box<Plan>,
}

impl Memory {
    /// Writes the plan into the arena, and gives its head for the rest that is written before anybody runs in it.
    pub fn write_plan(&mut self) -> &mut Header {
        // SAFETY: as for `header`; `&mut self` before the cell's process exists means that nobody else looks.
        let header = unsafe { self.mapping.base().as_mut() };
        header.plan = (*self.plan).clone();
        header
    }

    /// The arena behind an inherited descriptor, for the cell's process: every page present, the plan read-only.
    pub fn open(fd: OwnedFd) -> io::Result<Self> {
        let len = rustix::fs::fstat(&fd)?.st_size as usize;
        if len < size_of::<Header>() {
            return Err(io::Error::other("the inherited arena is too small"));
        }
        let mapping = Mapping::new(fd, len)?;
        // SAFETY: the mapping is page-aligned and at least a header long. A file that no parent of this build wrote could
        // hold anything, so that the magic number is looked at first, through a pointer.
        let magic = unsafe { (&raw const (*mapping.base().as_ptr()).plan.magic).read() };
        if magic != MAGIC {
            return Err(io::Error::other("the inherited file is no arena of this build"));
        }
        // SAFETY: the parent wrote a whole plan behind the magic number before it started this process.
        let plan = Box::new(unsafe { mapping.base().as_ref() }.plan.clone());
        if plan.layout.total > len {
            return Err(io::Error::other("the inherited arena is shorter than its plan"));
        }
        mapping.make_present(plan.memory_page)?;
        let memory = Self { mapping, plan };
        memory.protect_plan()?;
        Ok(memory)
    }

    /// Makes the plan read-only in this process.
    fn protect_plan(&self) -> io::Result<()> {
        // Where pages are larger than its alignment, as huge ones are, the words that workers write would share one with it.
        if align_of::<Plan>().is_multiple_of(self.plan.memory_page) {
            // SAFETY: the range is the head of a mapping of this value's own, and nobody in this process writes there.
            unsafe { mprotect(self.as_ptr().cast(), size_of::<Plan>(), MprotectFlags::READ)? };
        }
        Ok(())
    }

    /// What the arena was made for: this process's own copy, which no lock can change from another process.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The arena's head, but for the plan: ask [`plan`](Self::plan).
    fn header(&self) -> &Header {
        // SAFETY: the mapping is page-aligned, at least a header long (`Blank::create` maps a layout's total, `open`
        // checks), and changes go through atomics. What a lock may have stored into the plan is never looked at.
        unsafe { self.mapping.base().as_ref() }
    }

    /// The words that the vCPUs wait on.
    pub fn gate(&self) -> &Gate {
        &self.header().gate
    }

    /// What the first lock protects.
    pub fn data(&self) -> &Data {
        &self.header().data
    }

    /// What each lock protects, in order.
    pub fn each_data(&self) -> impl Iterator<Item = &Data> {
        // SAFETY: as in `block`; the plan is this process's own.
        (0..self.plan.locks as usize).map(|which| unsafe { self.plan.layout.data(self.as_ptr(), which) })
    }

    /// How often each vCPU has taken each of several locks; with a single lock the lists are empty, and the vCPUs' blocks tell.
    pub fn tallies(&self) -> impl Iterator<Item = &[AtomicU64]> {
        let locks = self.plan.locks as usize;
        // SAFETY: as in `block`.
        (0..self.vcpus()).map(move |cpu| unsafe { self.plan.layout.tallies(self.as_ptr(), cpu, locks) })
    }

    /// The pages that are not there yet.
    pub fn holes(&self) -> &Holes {
        &self.header().holes
    }

    /// Takes pages out of the file, in every mapping of it: whoever touches one next takes a page fault, and finds zeros.
    pub fn punch(&self, part: Range<usize>) -> io::Result<()> {
        let how = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        Ok(fallocate(self.fd(), how, part.start as u64, part.len() as u64)?)
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
        self.mapping.base().as_ptr()
    }

    /// Length in bytes.
    pub fn bytes(&self) -> usize {
        self.mapping.len()
    }

    /// All of it, as words that anybody may change.
    pub fn words(&self) -> &[AtomicU64] {
        self.mapping.words(0..self.mapping.len())
    }

    /// The file behind it.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.mapping.fd()
    }

    /// Number of vCPUs.
    pub fn vcpus(&self) -> usize {
        self.plan.params.vcpus as usize
    }

    /// The block of one of its vCPUs.
    pub fn block(&self, cpu: usize) -> &Block {
        assert!(cpu < self.vcpus(), "no vCPU {cpu}");
        // SAFETY: the mapping is whole and was sized by the plan's layout (`Blank::create`) or checked against it (`open`).
        unsafe { self.plan.layout.block(self.as_ptr(), cpu) }
    }

    /// The vCPUs' blocks, in order.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        (0..self.vcpus()).map(|cpu| self.block(cpu))
    }

    /// What the vCPUs write about their times, in order; nothing where they do not.
    pub fn traced(&self) -> impl Iterator<Item = &Traced> {
        // SAFETY: as in `block`.
        (0..self.vcpus()).filter_map(|cpu| unsafe { self.plan.layout.traced(self.as_ptr(), cpu) })
    }

    /// The vCPUs' rings of events, in order; none where there are none.
    pub fn rings(&self) -> impl Iterator<Item = &Ring> {
        // SAFETY: as in `block`.
        (0..self.vcpus()).filter_map(|cpu| unsafe { self.plan.layout.ring(self.as_ptr(), cpu) })
    }

    /// Handovers from each pCPU to each; empty where they are not counted.
    pub fn matrix(&self) -> &[Octaves] {
        // SAFETY: as in `block`.
        unsafe { self.plan.layout.matrix(self.as_ptr()) }
    }

    /// Handovers from each NUMA node to each; empty where they are not counted.
    pub fn node_matrix(&self) -> &[Octaves] {
        // SAFETY: as in `matrix`.
        unsafe { self.plan.layout.node_matrix(self.as_ptr()) }
    }

    /// Row and column of each vCPU in that matrix; empty where there is none.
    pub fn node_rows(&self) -> &[AtomicU16] {
        // SAFETY: as in `matrix`.
        unsafe { self.plan.layout.node_rows(self.as_ptr(), self.vcpus()) }
    }
}

#[cfg(test)]
impl Blank {
    /// An arena for tests, with no lock in it.
    pub(crate) fn empty(layout: Layout, vcpus: usize, locks: usize) -> Self {
        let params = lockbench_workloads::locks::Params { vcpus: vcpus as u32, ..Default::default() };
        let touched = (layout.blocks - layout.touched) / page_size();
        Self::create(Plan { touched, locks: locks as u32, ..Plan::plain(layout, params, page_size()) })
            .unwrap()
    }
}

#[cfg(test)]
impl Memory {
    /// An arena for tests, with no lock in it.
    pub(super) fn empty(extent: &lockbench_workloads::arena::Extent) -> Self {
        let unit = std::alloc::Layout::new::<()>();
        let layout = Layout::new(unit, unit, extent).unwrap();
        let mut memory = Blank::empty(layout, extent.vcpus, extent.locks).make_present().unwrap();
        memory.write_plan();
        memory
    }
}
