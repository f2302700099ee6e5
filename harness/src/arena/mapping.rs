//! The arena's file, mapped.

use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::{io, ptr, slice};

use lockbench_workloads::arena::Header;
use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap};
use rustix::param::page_size;

/// A mapping of the arena's file.
pub(super) struct Mapping {
    fd: OwnedFd,
    base: NonNull<Header>,
    len: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread, and all that changes in it is atomic.
unsafe impl Send for Mapping {}
// SAFETY: as for Send.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the file without touching a page.
    pub(super) fn new(fd: OwnedFd, len: usize) -> io::Result<Self> {
        // SAFETY: a fresh mapping at an address of the kernel's choice overlaps nothing.
        let base = unsafe {
            mmap(ptr::null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, &fd, 0)?
        };
        // Where the machine is set to give shared memory in huge pages, one would hold blocks of several NUMA nodes. A
        // kernel without huge pages refuses, and does not need to be told.
        // SAFETY: advice on a mapping of ours changes no byte.
        let _ = unsafe { madvise(base, len, Advice::LinuxNoHugepage) };
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mmap gave address 0"))?;
        Ok(Self { fd, base, len })
    }

    /// Address of its first byte.
    pub(super) fn base(&self) -> NonNull<Header> {
        self.base
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The file.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// A part of the mapping, as words that other processes may change.
    pub(super) fn words(&self, part: Range<usize>) -> &[AtomicU64] {
        assert!(part.start <= part.end && part.end <= self.len && part.start.is_multiple_of(8));
        // SAFETY: inside the mapping, which lives as long as `self`; aligned; any bytes are valid atomics.
        unsafe { slice::from_raw_parts(self.base.as_ptr().byte_add(part.start).cast(), part.len() / 8) }
    }

    /// Makes every page present and writable, so that no page fault for a first touch falls into a window. Changes no byte, even
    /// while others use the pages. `page` is the size of a page of the mapping.
    pub(super) fn make_present(&self, page: usize) -> io::Result<()> {
        // SAFETY: populating a shared mapping changes no byte.
        match unsafe { madvise(self.base.as_ptr().cast(), self.len, Advice::LinuxPopulateWrite) } {
            // Kernels before 5.14. Where a huge page cannot be had, a write would be the end of this process.
            Err(Errno::INVAL) if page == page_size() => {
                self.write_to_each_page();
                Ok(())
            }
            done => Ok(done?),
        }
    }

    /// Adds 0 to a word of each page. A write: a page that was only read would fault once more.
    fn write_to_each_page(&self) {
        let zero = 0;
        // SAFETY: a local variable. Volatile, so that the compiler cannot know what is added and leave the addition out,
        // as it does with one of a plain 0.
        let zero: u32 = unsafe { ptr::read_volatile(&raw const zero) };
        for page in (0..self.len).step_by(page_size()) {
            // SAFETY: inside the mapping, and aligned; as an atomic the word may be changed by others meanwhile.
            let word: &AtomicU32 = unsafe { &*self.base.as_ptr().byte_add(page).cast() };
            word.fetch_add(zero, Relaxed);
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `base` and `len` are those of a mapping that only this value owns; borrows of it end before.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
    use std::os::unix::fs::FileExt;

    /// Whether each page is in this mapping, as the kernel has it: bit 63 of its entry.
    fn present(mapping: &Mapping) -> Vec<bool> {
        let pagemap = std::fs::File::open("/proc/self/pagemap").unwrap();
        let first = mapping.base.as_ptr().addr() / page_size();
        let entry = |page| {
            let mut entry = [0; 8];
            pagemap.read_exact_at(&mut entry, 8 * (first + page) as u64).unwrap();
            u64::from_ne_bytes(entry) >> 63 == 1
        };
        (0..mapping.len / page_size()).map(entry).collect()
    }

    /// In a release too, where the compiler leaves out what it can prove to change nothing.
    #[test]
    fn every_page_is_present_once_it_was_touched_and_keeps_its_words() {
        const PAGES: usize = 37;
        type Touch = fn(&Mapping);
        let ways: [Touch; 2] =
            [|mapping| mapping.make_present(page_size()).unwrap(), Mapping::write_to_each_page];
        for touch in ways {
            let file = memfd_create("lockbench-test", MemfdFlags::CLOEXEC).unwrap();
            ftruncate(&file, (PAGES * page_size()) as u64).unwrap();
            let new = Mapping::new(file.try_clone().unwrap(), PAGES * page_size()).unwrap();
            assert_eq!(present(&new), [false; PAGES], "nothing is touched before it can be bound");
            touch(&new);
            assert_eq!(present(&new), [true; PAGES]);
            for word in new.words(0..new.len) {
                assert_eq!(word.swap(7, Relaxed), 0);
            }
            // Another mapping of the same file, as the cell's process has one.
            let again = Mapping::new(file, new.len).unwrap();
            assert_eq!(present(&again), [false; PAGES]);
            touch(&again);
            assert_eq!(present(&again), [true; PAGES]);
            assert!(again.words(0..again.len).iter().all(|word| word.load(Relaxed) == 7));
        }
    }
}
