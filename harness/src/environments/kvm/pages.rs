//! Host memory made for a virtual machine: page tables, ring-0 pages, stacks.

use std::io;

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

/// Bytes of a page.
pub(super) const PAGE: usize = 4096;

/// One page.
#[repr(C, align(4096))]
pub(super) struct Page(pub(super) [u64; PAGE / 8]);

/// Allocates `count` zeroed, present pages. They are never freed: their machine lives as long as this process.
pub(super) fn pages(count: usize) -> io::Result<&'static mut [Page]> {
    let flags = MapFlags::PRIVATE | MapFlags::POPULATE;
    // SAFETY: a fresh mapping at an address of the kernel's choice overlaps nothing.
    let base = unsafe {
        mmap_anonymous(std::ptr::null_mut(), count * PAGE, ProtFlags::READ | ProtFlags::WRITE, flags)?
    };
    // SAFETY: page-aligned, zeroed, never unmapped, and known to nobody else; any bytes are a valid `Page`.
    Ok(unsafe { std::slice::from_raw_parts_mut(base.cast(), count) })
}
