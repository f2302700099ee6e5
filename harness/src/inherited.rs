//! Signal settings that the program inherits from its caller, and that would make it fail.

/// Resets signal settings. Every process of this program calls this before it does anything else.
///
/// Closed standard streams need no care: Rust's start-up opens /dev/null in their place, so that no file that we open gets
/// one of their numbers.
pub(crate) fn put_right() {
    // SAFETY: no handler is set, and no other thread exists yet; an empty set is made before it is used.
    unsafe {
        // While SIGCHLD is ignored, the kernel reaps children as they end, and their numbers may be given to other processes.
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        // By default a file that reaches its size limit kills the program; with SIGXFSZ ignored, the write fails with an error.
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        // Signals that were blocked when the program was started could never end it.
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}
