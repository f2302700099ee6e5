//! Futexes on words of the arena. Shared, not private: parent and cell are different processes.

use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::futex::{self, Flags};

/// Sleeps while `word` is `value`. May return early.
pub fn wait(word: &AtomicU32, value: u32) {
    // EAGAIN (the word moved on) and EINTR both mean: look again.
    let _ = futex::wait(word, Flags::empty(), value, None);
}

/// Wakes everybody who sleeps on `word`.
pub fn wake_all(word: &AtomicU32) {
    let _ = futex::wake(word, Flags::empty(), i32::MAX as u32);
}

/// Sets a gate's word to 1 and wakes whoever waits there. Release: what was written before is seen behind the gate.
pub fn open(word: &AtomicU32) {
    word.store(1, Ordering::Release);
    wake_all(word);
}

/// Sleeps until a gate's word is 1.
pub fn pass(word: &AtomicU32) {
    while word.load(Ordering::Acquire) == 0 {
        wait(word, 0);
    }
}
