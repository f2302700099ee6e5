//! The guest's memory: host memory, at the host's own virtual addresses.
//!
//! Guest-physical addresses are given out from 4 GiB up rather than made equal to virtual ones, because a processor may have
//! only 39 bits of them. A range keeps its offset within 2 MiB, so that large pages stay possible.

use std::ops::Range;

use kvm_bindings::kvm_userspace_memory_region;
use kvm_ioctls::VmFd;
use rustix::mm::{Advice, madvise};

use super::page_tables::{Access, LARGE_PAGE, PageTables};
use super::pages::{PAGE, pages};
use crate::Refusal;

/// First guest-physical address; below it lie the doorbell and what KVM reserves for itself on old Intel processors.
const FIRST: u64 = 1 << 32;

/// Host memory that the guest is given.
struct Slot {
    host: Range<usize>,
    phys: u64,
}

/// A guest's memory while it is being put together.
pub(super) struct GuestMemory {
    slots: Vec<Slot>,
    tables: PageTables,
}

impl GuestMemory {
    /// No memory but page tables, for so many ranges of so many bytes in all.
    pub(super) fn new(vm: &VmFd, ranges: usize, bytes: usize) -> Result<Self, Refusal> {
        let tables = pages(PageTables::needed(ranges, bytes))
            .map_err(|e| Refusal::of("a guest's page tables could not be made", e))?;
        let host = tables.as_ptr_range();
        let mut memory = Self { slots: Vec::new(), tables: PageTables::new(tables, FIRST) };
        memory.give(vm, host.start as usize..host.end as usize)?;
        debug_assert_eq!(memory.slots[0].phys, FIRST);
        Ok(memory)
    }

    /// Lends the guest a range of this process's memory, which must stay mapped while the machine lives.
    pub(super) fn give(&mut self, vm: &VmFd, host: Range<usize>) -> Result<(), Refusal> {
        let next = self.slots.last().map_or(FIRST, |last| last.phys + last.host.len() as u64);
        let phys = match self.slots.is_empty() {
            true => FIRST,
            false => next.next_multiple_of(LARGE_PAGE as u64) + (host.start % LARGE_PAGE) as u64,
        };
        let region = kvm_userspace_memory_region {
            slot: self.slots.len() as u32,
            flags: 0,
            guest_phys_addr: phys,
            memory_size: host.len() as u64,
            userspace_addr: host.start as u64,
        };
        // SAFETY: the range is mapped in this process for as long as the machine lives, as the caller says; `phys` is
        // beyond every slot so far. What the guest writes there are atomics, or memory that is the guest's alone.
        unsafe { vm.set_user_memory_region(region) }
            .map_err(|e| Refusal::of(format!("KVM refused memory at {:#x}", host.start), e))?;
        self.slots.push(Slot { host, phys });
        Ok(())
    }

    /// Maps pages of a given range at their own address, and makes them present.
    pub(super) fn map(&mut self, host: Range<usize>, access: Access) -> Result<(), Refusal> {
        let phys =
            self.phys(host.start).ok_or_else(|| format!("{:#x} was not given to the guest", host.start))?;
        touch(&host, access);
        self.tables.map(host.start, phys, host.len(), access)
    }

    /// Maps guest-physical pages that have no memory behind them: a store there leaves the guest.
    pub(super) fn map_device(&mut self, virt: usize, phys: u64, len: usize) -> Result<(), Refusal> {
        self.tables.map(virt, phys, len, Access::Data)
    }

    /// Guest-physical address of host memory.
    pub(super) fn phys(&self, host: usize) -> Option<u64> {
        let slot = self.slots.iter().find(|slot| slot.host.contains(&host))?;
        Some(slot.phys + (host - slot.host.start) as u64)
    }

    /// Guest-physical address of the page tables' root.
    pub(super) fn root(&self) -> u64 {
        self.tables.root()
    }
}

/// Makes pages present, so that the guest's first touch costs no page fault in the host. Text too: it may never have
/// run yet. A kernel before 5.14 cannot; then the warm-up pays.
fn touch(host: &Range<usize>, access: Access) {
    let advice = match access {
        Access::Text | Access::Constants => Advice::LinuxPopulateRead,
        Access::Data | Access::Supervisor => Advice::LinuxPopulateWrite,
    };
    debug_assert_eq!(host.start % PAGE, 0);
    // SAFETY: populating changes no byte; writable private pages merely get their own copy.
    let _ = unsafe { madvise(host.start as *mut _, host.len(), advice) };
}
