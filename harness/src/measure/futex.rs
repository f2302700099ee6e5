//! Futexes on words of the arena.

use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::futex::{self, Flags};

/// Who sleeps on a word and who wakes them.
#[derive(Clone, Copy)]
pub enum Sharing {
    /// Threads of one process, which the kernel finds without looking up what backs the page: vCPUs that halt and kick.
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
    // EAGAIN (the word moved on) and EINTR both mean: look again.
    let _ = futex::wait(word, sharing.flags(), value, None);
}

/// Wakes everybody who sleeps on `word`.
pub fn wake_all(word: &AtomicU32, sharing: Sharing) {
    let _ = futex::wake(word, sharing.flags(), i32::MAX as u32);
}

/// Sets a gate's word to 1 and wakes whoever waits there. Release: what was written before is seen behind the gate.
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
