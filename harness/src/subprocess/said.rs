//! Reads what a process prints while it is measured, and keeps its first lines.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use lockbench_reports::format::printable;
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

/// Bytes kept; what follows is dropped, so that a process may print for ever.
const KEPT: usize = 16 << 10;
/// Size of the pipe in bytes, if the user's limit allows it.
const PIPE: usize = 1 << 20;
/// Most bytes that are read at once, so that a fast writer does not keep the reader busy.
const MOST: usize = 4 << 20;
/// Pause after a read: without it every write would wake the reader, at the writer's cost.
const REST: Duration = Duration::from_millis(10);

/// The reading end of a pipe that is a process's standard output and error.
pub(crate) struct Said {
    pipe: Option<OwnedFd>,
    kept: Vec<u8>,
    /// The pipe is not read before this moment.
    rests_until: Option<Instant>,
}

impl Said {
    /// A new pipe, and its writing end.
    pub(crate) fn new() -> io::Result<(Self, OwnedFd)> {
        let (pipe, writing) = pipe_with(PipeFlags::CLOEXEC)?;
        // Only the reading end is non-blocking: a program that prints does not expect EAGAIN.
        rustix::io::ioctl_fionbio(&pipe, true)?;
        // A smaller pipe works too; a process that prints much then waits more often.
        let _ = fcntl_setpipe_size(&pipe, PIPE);
        Ok((Self { pipe: Some(pipe), kept: Vec::new(), rests_until: None }, writing))
    }

    /// What to wait for besides the deadline: data in the pipe, or the end of the pause after which it may be read again.
    pub(crate) fn next(&self) -> (Option<BorrowedFd<'_>>, Option<Duration>) {
        let rest = self.rests_until.map(|until| until.saturating_duration_since(Instant::now()));
        match (&self.pipe, rest) {
            (None, _) => (None, None),
            (Some(pipe), None) => (Some(pipe.as_fd()), None),
            (Some(_), rest) => (None, rest),
        }
    }

    /// Empties the pipe.
    pub(crate) fn take(&mut self) {
        self.rests_until = None;
        let Some(pipe) = &self.pipe else { return };
        let mut chunk = [0; 1 << 16];
        let mut taken = 0;
        while taken < MOST {
            match rustix::io::read(pipe, &mut chunk) {
                Ok(0) => {
                    self.pipe = None;
                    return;
                }
                Ok(read) => {
                    taken += read;
                    let room = KEPT - self.kept.len();
                    self.kept.extend_from_slice(&chunk[..read.min(room)]);
                }
                // Empty for now.
                Err(_) => break,
            }
        }
        if taken > 0 {
            self.rests_until = Some(Instant::now() + REST);
        }
    }

    /// The first two lines that are not empty, joined and made printable.
    pub(crate) fn beginning(&mut self) -> String {
        self.take();
        let text = String::from_utf8_lossy(&self.kept);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(2).collect();
        printable(&lines.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_are_kept_and_the_rest_is_taken() {
        let (mut said, writing) = Said::new().unwrap();
        assert!(said.next().0.is_some());
        let line = b"\n  one\x1b[2J\n\ntwo\nthree\n";
        let mut written = 0;
        // More than is kept and more than the pipe holds.
        while written < 3 * PIPE {
            written += rustix::io::write(&writing, line).unwrap();
            said.take();
        }
        assert!(said.next().0.is_none(), "nobody looks for a while");
        assert!(said.next().1.unwrap() <= REST);
        assert_eq!(said.kept.len(), KEPT);
        let beginning = said.beginning();
        assert!(beginning.starts_with("one") && beginning.ends_with("two"), "{beginning}");
        assert!(!beginning.contains('\x1b'));
        drop(writing);
        // A process that another test forks at this moment has the writing end too, until it runs its own program.
        while !matches!(said.next(), (None, None)) {
            std::thread::sleep(REST);
            said.take();
        }
    }
}
