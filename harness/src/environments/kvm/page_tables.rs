//! The guest's page tables: four levels, 2 MiB pages where addresses allow, 4 KiB elsewhere.
//!
//! Accessed and dirty bits are set beforehand, or the processor would write to the tables while a window is open. The
//! user bit must be set at every level for ring 3 to have access; the other rights are set at the last level only.

use super::pages::{PAGE, Page};
use crate::Refusal;

/// What the guest may do with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Ring 3 runs it.
    Text,
    /// Ring 3 reads it.
    Constants,
    /// Ring 3 reads and writes it.
    Data,
    /// Ring 0 reads and writes it.
    Supervisor,
}

const PRESENT: u64 = 1;
const WRITABLE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const ACCESSED: u64 = 1 << 5;
const DIRTY: u64 = 1 << 6;
const LARGE: u64 = 1 << 7;
const NO_EXECUTE: u64 = 1 << 63;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// Bytes of a large page.
pub(super) const LARGE_PAGE: usize = 2 << 20;

impl Access {
    fn bits(self) -> u64 {
        PRESENT
            | ACCESSED
            | DIRTY
            | match self {
                Self::Text => USER,
                Self::Constants => USER | NO_EXECUTE,
                Self::Data => USER | WRITABLE | NO_EXECUTE,
                Self::Supervisor => WRITABLE | NO_EXECUTE,
            }
    }
}

/// Tables in pages that the guest will see at consecutive physical addresses.
pub(super) struct PageTables {
    tables: &'static mut [Page],
    /// Guest-physical address of the first, the root.
    root: u64,
    used: usize,
}

impl PageTables {
    /// Enough tables to map so many ranges of so many bytes in all: a range adds at most three tables at either end, and
    /// one for each 2 MiB between.
    pub(super) fn needed(ranges: usize, bytes: usize) -> usize {
        1 + 6 * ranges + bytes / LARGE_PAGE
    }

    /// Empty tables, made of zeroed pages.
    pub(super) fn new(tables: &'static mut [Page], root: u64) -> Self {
        Self { tables, root, used: 1 }
    }

    /// Guest-physical address of the root, for CR3.
    pub(super) fn root(&self) -> u64 {
        self.root
    }

    /// Maps `len` bytes at `virt` to `phys`, all of them whole pages that are not mapped yet.
    pub(super) fn map(&mut self, virt: usize, phys: u64, len: usize, access: Access) -> Result<(), Refusal> {
        let mut done = 0;
        while done < len {
            let (virt, phys) = (virt + done, phys + done as u64);
            let aligned = (virt | phys as usize).is_multiple_of(LARGE_PAGE);
            let large = aligned && len - done >= LARGE_PAGE;
            let leaf = self.entry(virt, if large { 1 } else { 0 })?;
            if *leaf != 0 {
                return Err(format!("guest address {virt:#x} would be mapped twice").into());
            }
            *leaf = phys | access.bits() | if large { LARGE } else { 0 };
            done += if large { LARGE_PAGE } else { PAGE };
        }
        Ok(())
    }

    /// The entry for `virt` at `level` (0 maps a page, 1 a large page), with the tables above it.
    fn entry(&mut self, virt: usize, level: u32) -> Result<&mut u64, Refusal> {
        let index = |level: u32| (virt >> (12 + 9 * level)) & 511;
        let mut table = 0;
        for above in (level + 1..4).rev() {
            let next = self.tables[table].0[index(above)];
            if next & LARGE != 0 {
                return Err(format!("guest address {virt:#x} would be mapped twice").into());
            }
            table = if next == 0 {
                let made = self.used;
                if made == self.tables.len() {
                    return Err(format!("{made} page tables do not suffice for the guest").into());
                }
                self.used += 1;
                let at = self.root + (made * PAGE) as u64;
                self.tables[table].0[index(above)] = at | PRESENT | WRITABLE | USER | ACCESSED;
                made
            } else {
                ((next & ADDRESS) - self.root) as usize / PAGE
            };
        }
        Ok(&mut self.tables[table].0[index(level)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environments::kvm::pages::pages;

    /// What the processor would find.
    fn walk(tables: &PageTables, virt: usize) -> Option<(u64, u64)> {
        let mut table = 0;
        for level in (0..4).rev() {
            let entry = tables.tables[table].0[(virt >> (12 + 9 * level)) & 511];
            if entry & PRESENT == 0 {
                return None;
            }
            if level == 0 || entry & LARGE != 0 {
                let within = virt & ((1 << (12 + 9 * level)) - 1);
                return Some(((entry & ADDRESS) + within as u64, entry & !ADDRESS));
            }
            table = ((entry & ADDRESS) - tables.root) as usize / PAGE;
        }
        None
    }

    #[test]
    fn a_walk_finds_what_was_mapped_and_nothing_else() {
        let needed = PageTables::needed(2, 3 * LARGE_PAGE);
        let mut tables = PageTables::new(pages(needed).unwrap(), 0x1_0000_0000);
        // Half a large page, a whole one, half of another.
        let (virt, phys) = (0x7f00_0010_0000, 0x2_0010_0000);
        tables.map(virt, phys, 2 * LARGE_PAGE, Access::Data).unwrap();
        tables.map(0x5555_0000_0000, 0x3_0000_0000, PAGE, Access::Text).unwrap();
        for offset in (0..2 * LARGE_PAGE).step_by(PAGE / 2) {
            let (found, bits) = walk(&tables, virt + offset).unwrap();
            assert_eq!(found, phys + offset as u64);
            assert_eq!(bits & !LARGE, Access::Data.bits());
        }
        assert_ne!(walk(&tables, 0x7f00_0020_0000).unwrap().1 & LARGE, 0, "the middle is one large page");
        assert_eq!(walk(&tables, 0x5555_0000_0123), Some((0x3_0000_0123, Access::Text.bits())));
        assert_eq!(walk(&tables, virt - 1), None);
        assert_eq!(walk(&tables, virt + 2 * LARGE_PAGE), None);
        assert!(tables.map(virt + LARGE_PAGE, phys, PAGE, Access::Data).is_err(), "mapped twice");
    }
}
