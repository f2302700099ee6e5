//! Futexes on words of the arena.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::futex::{self, Flags, Timespec};

/// Which threads sleep on a word and wake one another.
#[derive(Clone, Copy)]
pub enum Sharing {
    /// Threads of one process: vCPUs that halt and kick. The kernel finds them without looking up the page's file.
    Private,
    /// Threads of the parent and of the cell's process: gates.
    Shared,
}

impl Sharing {
    fn flags(self) -> Flags {
        match self {
            Self::Private => Flags::PRIVATE,
            Self::Shared => Flags::empty(),
        }
    }
}

/// Sleeps while `word` is `value`. May return early.
pub fn wait(word: &AtomicU32, value: u32, sharing: Sharing) {
    // EAGAIN (the word has changed) and EINTR both mean that the caller must look again.
    let _ = futex::wait(word, sharing.flags(), value, None);
}

/// Sleeps while `word`, which processes share, is `value`, until `until_ns` of the monotonic clock. May return early.
pub fn wait_until(word: &AtomicU32, value: u32, until_ns: u64) {
    let until = Timespec {
        tv_sec: (until_ns / 1_000_000_000).cast_signed(),
        tv_nsec: (until_ns % 1_000_000_000).cast_signed(),
    };
    let until = (until_ns != u64::MAX).then_some(&until);
    let _ = futex::wait_bitset(word, Flags::empty(), value, until, NonZeroU32::MAX);
}

/// Wakes all threads that sleep on `word`.
pub fn wake_all(word: &AtomicU32, sharing: Sharing) {
    let _ = futex::wake(word, sharing.flags(), i32::MAX as u32);
}

/// Sets a gate's word to 1 and wakes the threads that wait there. With release ordering: what was written before is visible
/// to a thread that has passed the gate.
pub fn open(word: &AtomicU32) {
    word.store(1, Ordering::Release);
    wake_all(word, Sharing::Shared);
}

/// Sleeps until a gate's word is 1.
pub fn pass(word: &AtomicU32) {
    while word.load(Ordering::Acquire) == 0 {
        wait(word, 0, Sharing::Shared);
    }
}
