//! Why something cannot be measured, and whether that may pass.

use std::fmt;
use std::io;

use lockbench_reports::plain;
use rustix::process::{Resource, getrlimit};
use serde::{Deserialize, Serialize};

/// A reason in one sentence. A reason that may pass (no descriptor, no thread, no memory was free; a CPU went offline) makes
/// another try in the next round worthwhile; a lasting reason does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Why, and what to do.
    pub reason: String,
    /// Whether the reason may pass.
    pub passing: bool,
}

impl Refusal {
    /// A reason that may pass.
    pub fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), passing: true }
    }

    /// A reason from an error of the kernel: what could not be done, and why. The kind of error decides whether it may pass.
    pub fn of(what: impl fmt::Display, error: impl Into<io::Error>) -> Self {
        let error = error.into();
        let passing = error.raw_os_error().is_some_and(|number| {
            [libc::EMFILE, libc::ENFILE, libc::EAGAIN, libc::ENOMEM, libc::EBUSY].contains(&number)
        });
        Self { reason: format!("{what}: {}", words(&error)), passing }
    }
}

/// The kernel's error in plain words, with the limit that was reached if the user can raise one. Only for calls that start
/// threads or processes or open files: there EAGAIN means that a limit was reached.
pub(crate) fn words(error: &io::Error) -> String {
    let limit =
        |resource| getrlimit(resource).current.map_or_else(|| "unlimited".into(), |most| most.to_string());
    match error.raw_os_error() {
        Some(libc::EMFILE) => {
            format!("{} (limit: ulimit -n {})", plain::words(error), limit(Resource::Nofile))
        }
        Some(libc::EAGAIN) => {
            // A thread's stack needs address space, and the C library does not report that it ran out.
            let addresses = match getrlimit(Resource::As).current {
                Some(most) => format!(", ulimit -v {}", most / 1024),
                None => String::new(),
            };
            format!(
                "no further thread or process may be started (limits: ulimit -u {}{addresses}, pids.max of the \
                 control group)",
                limit(Resource::Nproc)
            )
        }
        Some(libc::EFBIG) => {
            format!("{} (limit: ulimit -f {})", plain::words(error), limit(Resource::Fsize))
        }
        _ => plain::words(error),
    }
}

/// One that lasts.
impl<S: Into<String>> From<S> for Refusal {
    fn from(reason: S) -> Self {
        Self { reason: reason.into(), passing: false }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_by_the_kind_of_error() {
        let of = |number| Refusal::of("no arena", io::Error::from_raw_os_error(number));
        for number in [libc::EMFILE, libc::ENFILE, libc::EAGAIN, libc::ENOMEM] {
            let refusal = of(number);
            assert!(refusal.passing, "{refusal:?}");
            assert!(
                refusal.reason.starts_with("no arena: ") && !refusal.reason.contains("os error"),
                "{refusal:?}"
            );
        }
        for number in [libc::EACCES, libc::EINVAL, libc::ENOSYS] {
            assert!(!of(number).passing);
        }
        assert!(of(libc::EMFILE).reason.contains("(limit: ulimit -n "));
        assert!(!Refusal::from("this build does not know it".to_owned()).passing);
    }
}
