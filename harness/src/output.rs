//! The two streams that people read. Everything that this program prints goes through here.
//!
//! A stream may be a pipe that does not block, a full device or a terminal that is gone: what can be waited for is waited
//! for, what cannot be told on stdout is told on stderr, and what cannot be told on stderr is not told.

use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::Error;
use crate::refusal::words;

/// Prints to stdout; a reader that has gone away (`| head`) is no error worth a word.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    Stdout.write_all(text.as_bytes()).map_err(|e| cannot_print(&e))
}

/// Says a sentence on stderr.
pub(crate) fn say(sentence: impl std::fmt::Display) {
    complain(&format!("lockbench: {sentence}\n"));
}

/// Writes a text to stderr as it is.
pub(crate) fn complain(text: &str) {
    let _ = write_all(io::stderr().as_fd(), text.as_bytes());
}

/// Sentence for a stdout that takes nothing.
pub(crate) fn cannot_print(e: &io::Error) -> Error {
    Error::new(format!("cannot write to stdout: {}", words(e)))
}

/// Whether a stream shows colours.
pub(crate) fn shows_colours(stream: &impl IsTerminal) -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|no| !no.is_empty());
    stream.is_terminal() && !plain && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Stdout for whoever writes piece by piece. Not buffered.
pub(crate) struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match write_all(io::stdout().as_fd(), bytes) {
            Err(e) if e != Errno::PIPE => Err(e.into()),
            _ => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes all of it, whether the stream blocks or not.
fn write_all(stream: BorrowedFd<'_>, mut bytes: &[u8]) -> rustix::io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(stream, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                // A signal ends the wait early: then the next write says so again.
                let _ = poll(&mut [PollFd::new(&stream, PollFlags::OUT)], None);
            }
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::{PipeFlags, pipe_with};

    #[test]
    fn a_pipe_that_does_not_block_is_waited_for() {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        rustix::io::ioctl_fionbio(&write, true).unwrap();
        let text = vec![b'x'; 1 << 20];
        let reader = std::thread::spawn(move || {
            let mut read = std::fs::File::from(read);
            let mut taken = Vec::new();
            io::Read::read_to_end(&mut read, &mut taken).unwrap();
            taken
        });
        write_all(write.as_fd(), &text).unwrap();
        drop(write);
        assert_eq!(reader.join().unwrap(), text);
    }

    #[test]
    fn a_stream_that_takes_nothing_is_an_error() {
        let full = std::fs::File::create("/dev/full").unwrap();
        assert_eq!(write_all(full.as_fd(), b"x"), Err(Errno::NOSPC));
    }
}
