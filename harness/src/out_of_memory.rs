//! What happens when no memory is left: a sentence and exit status 2, where Rust would abort the program.

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, for a program to name as its global one.
pub struct OrSaySo;

const SENTENCE: &[u8] =
    b"lockbench: there is not enough memory for this, or a limit on it is too low (ulimit -v, memory.max of \
the control group)\n";

/// Nothing here may allocate, or run what might.
fn known(memory: *mut u8) -> *mut u8 {
    if memory.is_null() {
        // SAFETY: the call reads the constant's bytes; `_exit` may be called at any time.
        unsafe {
            libc::write(libc::STDERR_FILENO, SENTENCE.as_ptr().cast(), SENTENCE.len());
            libc::_exit(2);
        }
    }
    memory
}

// SAFETY: the system's allocator does all of it; what it could not do does not return.
unsafe impl GlobalAlloc for OrSaySo {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller vouches.
        known(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller vouches.
        known(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller vouches.
        known(unsafe { System.realloc(memory, layout, size) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller vouches.
        unsafe { System.dealloc(memory, layout) }
    }
}
