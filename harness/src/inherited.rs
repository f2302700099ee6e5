//! What a program inherits from whoever started it, and would lead it astray.

/// Puts signals right, for every process of this program and before it does anything else.
///
/// Standard streams that were closed need nothing: Rust's start-up opens /dev/null in their place, so that no file of ours
/// gets the number of one.
pub(crate) fn put_right() {
    // SAFETY: no handler is set, and no other thread exists yet; an empty set is made before it is used.
    unsafe {
        // Ignored, children would be taken from us as they end, and their numbers given to others.
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        // By default a file that reaches its limit kills the program; ignored, the write fails and can be told of.
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        // What was blocked when the program was started would never end it.
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}
