//! Makes a process end with its parent, however early the parent dies.

/// Asks the kernel to kill this process when the thread that started it ends; ends at once if that thread has ended already.
/// A new process calls this before anything else.
///
/// Makes system calls only, so that it may be called between fork and exec.
pub(crate) fn stay_with(parent: u32) {
    // SAFETY: the calls take numbers and answer numbers; `_exit` may be called at any time.
    unsafe {
        // Cannot fail for a valid signal. Kept across exec, unless the program has privileges of its own: hence programs
        // of ours ask again.
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0);
        // The parent is looked at only now: if it dies from here on, the kernel kills this process. The parent of an orphan is
        // another process, which cannot have the old parent's id; 0 is a parent in another PID namespace.
        let now = libc::getppid();
        if now != 0 && now.cast_unsigned() != parent {
            libc::_exit(2);
        }
    }
}
