//! The two streams that people read. Everything that this program prints goes through here.
//!
//! A stream may be a non-blocking pipe, a full device or a terminal that is gone. A full pipe is waited for; if stdout fails,
//! an error is printed on stderr; if stderr fails, nothing is printed.

use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::process::ExitCode;

use lockbench_reports::output_file;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::{Error, interrupt};

/// Prints to stdout. A reader that has gone away (`| head`) is not an error.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    Stdout.write_all(text.as_bytes()).map_err(cannot_print)
}

/// Where content went that was written under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// Into a file.
    File,
    /// To stdout or stderr, where nothing may stand beside it.
    Stream,
}

/// Writes a file that the user named and prints its path; a name such as /dev/stdout is written to as that stream.
pub(crate) fn write_named(path: &Path, content: &[u8]) -> Result<(), Error> {
    match write_silently(path, content)? {
        Written::File => print(&format!("{}\n", path.display())),
        Written::Stream => Ok(()),
    }
}

/// As [`write_named`], without a word.
pub(crate) fn write_silently(path: &Path, content: &[u8]) -> Result<Written, Error> {
    // Replacing the file that a stream is redirected into would leave the stream writing to the old file.
    if leads_to(path, io::stdout().as_fd()) {
        Stdout.write_all(content).map_err(cannot_print)?;
        return Ok(Written::Stream);
    }
    if leads_to(path, io::stderr().as_fd()) {
        write_all(io::stderr().as_fd(), content)
            .map_err(|e| Error::System { what: "cannot write to stderr".into(), source: e.into() })?;
        return Ok(Written::Stream);
    }
    output_file::write(path, content)?;
    Ok(Written::File)
}

fn leads_to(path: &Path, stream: BorrowedFd<'_>) -> bool {
    let (Ok(path), Ok(stream)) = (rustix::fs::stat(path), rustix::fs::fstat(stream)) else { return false };
    (path.st_dev, path.st_ino) == (stream.st_dev, stream.st_ino)
}

/// Prints a sentence on stderr. It clears a progress bar, which is drawn again with its next change.
pub(crate) fn say(sentence: impl std::fmt::Display) {
    let cleared = if shows_colours(&io::stderr()) { "\r\x1b[K" } else { "" };
    complain(&format!("{cleared}lockbench: {sentence}\n"));
}

/// Writes a text to stderr as it is.
pub(crate) fn complain(text: &str) {
    let _ = write_all(io::stderr().as_fd(), text.as_bytes());
}

/// Sentence for a stdout that cannot be written to.
pub(crate) fn cannot_print(source: io::Error) -> Error {
    Error::System { what: "cannot write to stdout".into(), source }
}

/// Whether a stream shows colours.
pub(crate) fn shows_colours(stream: &impl IsTerminal) -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|no| !no.is_empty());
    stream.is_terminal() && !plain && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Number of characters in a line of the terminal that stdout leads to; none where it leads elsewhere.
pub(crate) fn columns() -> Option<usize> {
    /// Narrower terminals get lines that they wrap themselves.
    const NARROWEST: u16 = 40;
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|_| size.ws_col >= NARROWEST)
}

/// Stdout as a writer, for output in several pieces. Not buffered.
pub(crate) struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match write_all(io::stdout().as_fd(), bytes) {
            Err(Errno::PIPE) | Ok(()) => Ok(bytes.len()),
            // The terminal is gone, which ends the run: nobody reads the output, and the results are in files.
            Err(Errno::IO) if interrupt::requested() => Ok(bytes.len()),
            Err(e) => Err(e.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes all bytes, whether the stream is blocking or not.
fn write_all(stream: BorrowedFd<'_>, mut bytes: &[u8]) -> rustix::io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(stream, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                // A signal ends the wait early: then the next write fails the same way again.
                let _ = poll(&mut [PollFd::new(&stream, PollFlags::OUT)], None);
            }
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Ends a process that was started by hand under a hidden verb.
pub(crate) fn not_for_people() -> ExitCode {
    say("this verb is lockbench's own; `lockbench --help` lists those for people");
    ExitCode::from(2)
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
