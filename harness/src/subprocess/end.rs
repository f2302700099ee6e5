//! How a process ended, in words.

use std::fmt;

use rustix::process::WaitIdStatus;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal.
    Killed(i32),
    /// Unknown: its status was taken by another thread or by the kernel.
    Unknown,
}

impl End {
    pub(super) fn of(status: Option<WaitIdStatus>) -> Self {
        let exited = status.as_ref().and_then(WaitIdStatus::exit_status).map(Self::Exited);
        let killed = || status.as_ref().and_then(WaitIdStatus::terminating_signal).map(Self::Killed);
        exited.or_else(killed).unwrap_or(Self::Unknown)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(status) => write!(f, "ended with status {status}"),
            Self::Killed(signal) => write!(f, "was killed by {}", signal_name(*signal)),
            Self::Unknown => f.write_str("ended in a way that is not known"),
        }
    }
}

/// A signal by name, for those that a lock can bring upon itself.
fn signal_name(signal: i32) -> String {
    match signal {
        libc::SIGSEGV => "SIGSEGV (touched memory that is not mapped, or that it may not write)".into(),
        libc::SIGBUS => "SIGBUS (touched memory that cannot be had)".into(),
        libc::SIGILL => "SIGILL (ran an instruction that does not exist, or was told to trap)".into(),
        libc::SIGABRT => "SIGABRT (panicked or aborted)".into(),
        libc::SIGFPE => "SIGFPE (divided by zero)".into(),
        libc::SIGKILL => "SIGKILL (somebody else killed it, or memory ran out)".into(),
        libc::SIGXCPU => "SIGXCPU (used up its limit of CPU time, ulimit -t)".into(),
        libc::SIGSYS => "SIGSYS (a seccomp filter forbids a system call that it made)".into(),
        other => format!("signal {other}"),
    }
}
