//! Runs a program to its end, within a time limit.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use super::{End, Pipes, Subprocess};
use crate::interrupt;

/// Bytes of each stream that are kept; what follows is dropped.
const KEPT: usize = 64 << 20;

/// How a program ended, and its output.
#[derive(Debug)]
pub(crate) struct Finished {
    /// How it ended; none if it exceeded its time limit and was killed.
    pub(crate) end: Option<End>,
    /// What it printed.
    pub(crate) stdout: Vec<u8>,
    /// Its standard error.
    pub(crate) stderr: Vec<u8>,
}

/// Runs a program with `input` on its standard input; kills it when the limit is over or the run is interrupted. Call from
/// the main thread. What it prints is read as it comes, without a thread. It leads a process group, so that what a wrapper
/// script has started goes with it.
pub(crate) fn finish(mut command: Command, input: &[u8], limit: Duration) -> io::Result<Finished> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (mut process, Pipes { stdin, stdout, stderr }) = Subprocess::start(command, true, &[])?;
    let (mut stdin, mut stdout, mut stderr) = (stdin, Stream::of(stdout)?, Stream::of(stderr)?);
    if let Some(stdin) = &stdin {
        rustix::io::ioctl_fionbio(stdin, true)?;
    }
    let mut rest = input;
    let deadline = Instant::now() + limit;
    let ended = loop {
        if rest.is_empty() {
            stdin = None;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || interrupt::requested() {
            break false;
        }
        let mut fds = vec![PollFd::from_borrowed_fd(process.pidfd(), PollFlags::IN)];
        fds.extend(stdin.as_ref().map(|stdin| PollFd::new(stdin, PollFlags::OUT)));
        let open = [&stdout, &stderr].into_iter().filter_map(|stream| stream.pipe.as_ref());
        fds.extend(open.map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        // A signal to us ends the poll early: look again.
        let _ = poll(&mut fds, left.try_into().ok().as_ref());
        let ended = !fds[0].revents().is_empty();
        if let Some(pipe) = &mut stdin {
            match pipe.write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(e) if [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted].contains(&e.kind()) => {}
                // A program that ends before it has read everything says why itself.
                Err(_) => rest = &[],
            }
        }
        stdout.read();
        stderr.read();
        if ended {
            break true;
        }
    };
    let end = process.end();
    stdout.read();
    stderr.read();
    let end = if ended { end.ok() } else { None };
    Ok(Finished { end, stdout: stdout.kept, stderr: stderr.kept })
}

/// One of its outputs.
struct Stream {
    pipe: Option<File>,
    kept: Vec<u8>,
}

impl Stream {
    fn of(pipe: Option<impl Into<OwnedFd>>) -> io::Result<Self> {
        let pipe = pipe.map(|pipe| File::from(pipe.into()));
        if let Some(pipe) = &pipe {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(Self { pipe, kept: Vec::new() })
    }

    /// Reads the bytes that are there.
    fn read(&mut self) {
        let mut chunk = [0; 1 << 16];
        // Reading stops after a while even if the program prints faster: the time limit must be checked.
        for _ in 0..64 {
            let Some(pipe) = &mut self.pipe else { return };
            match pipe.read(&mut chunk) {
                Ok(0) => self.pipe = None,
                Ok(read) => {
                    let room = KEPT - self.kept.len();
                    self.kept.extend_from_slice(&chunk[..read.min(room)]);
                    if read < chunk.len() {
                        return;
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.pipe = None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, input: &[u8], limit: Duration) -> Finished {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        finish(command, input, limit).unwrap()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_goes_in_and_out_does_not_block_however_long() {
        let input = vec![b'x'; 3 << 20];
        let finished = shell("cat; echo done >&2; exit 3", &input, LONG);
        assert_eq!(finished.end, Some(End::Exited(3)));
        assert_eq!(finished.stdout.len(), input.len());
        assert_eq!(finished.stderr, b"done\n");
        let finished = shell("exec true", &input, LONG);
        assert_eq!(finished.end, Some(End::Exited(0)), "it did not read its input");
        let finished = shell("sleep 1000 & echo up", b"", LONG);
        assert_eq!(finished.stdout, b"up\n", "somebody else holds the pipe");
    }

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let finished = shell("echo here; exec sleep 1000", b"", Duration::from_millis(300));
        assert_eq!(finished.end, None);
    }
}
