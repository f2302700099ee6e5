//! The board: one word for each pCPU of the emulated hypervisor, on which the thread that schedules the pCPU sleeps. vCPUs of
//! every virtual machine ring there when they halt or kick, so that it is a file which all their processes map.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::fs::{MemfdFlags, fstat, ftruncate, memfd_create};

use super::mapping::Mapping;
use crate::measure::futex::{self, Sharing};

/// Bytes from one lane's word to the next: a cache line, and the line that the prefetcher fetches with it.
const LANE: usize = 128;

/// A mapped board.
pub struct Board(Mapping);

impl Board {
    /// A board of so many lanes. The descriptor survives `exec`, for the processes of the virtual machines inherit it.
    pub fn create(lanes: usize) -> io::Result<Self> {
        let fd = memfd_create("lockbench-board", MemfdFlags::NOEXEC_SEAL)
            .or_else(|_| memfd_create("lockbench-board", MemfdFlags::ALLOW_SEALING))?;
        ftruncate(&fd, (lanes * LANE) as u64)?;
        Self::open(fd)
    }

    /// The board behind an inherited descriptor.
    pub fn open(fd: OwnedFd) -> io::Result<Self> {
        let len = fstat(&fd)?.st_size as usize;
        if len == 0 || !len.is_multiple_of(LANE) {
            return Err(io::Error::other("the inherited file is no board of lanes"));
        }
        Ok(Self(Mapping::new(fd, len)?))
    }

    /// The file behind it.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.fd()
    }

    /// The word of a lane; none where the board has no such lane, for the number may come from a block that a lock wrote over.
    fn word(&self, lane: usize) -> Option<&AtomicU32> {
        let words: &[AtomicU64] = self.0.words(0..self.0.len());
        let word: *const AtomicU64 = words.get(lane.checked_mul(LANE / 8)?)?;
        // SAFETY: the first half of a word of the mapping, aligned, and reached as this type alone.
        Some(unsafe { &*word.cast::<AtomicU32>() })
    }

    /// Wakes the thread that schedules the pCPU of `lane`.
    pub fn ring(&self, lane: usize) {
        if let Some(word) = self.word(lane) {
            // Release: that thread sees what happened before the ring.
            word.fetch_add(1, Ordering::Release);
            futex::wake_all(word, Sharing::Shared);
        }
    }

    /// How often the lane was rung, modulo 2^32.
    pub fn rings(&self, lane: usize) -> u32 {
        self.word(lane).map_or(0, |word| word.load(Ordering::Acquire))
    }

    /// Sleeps until the lane has been rung more often than `rings`, or until `until_ns` of the monotonic clock. May return early.
    pub fn sleep(&self, lane: usize, rings: u32, until_ns: u64) {
        if let Some(word) = self.word(lane) {
            futex::wait_until(word, rings, until_ns);
        }
    }
}
