//! Reads files and the standard input that a user names, within bounds: /dev/zero never ends.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, poll};

/// Larger than anything that is written by hand or passed to a build.
pub(crate) const WRITTEN_BY_HAND: u64 = 16 << 20;

/// Reads a whole file, or the standard input for `-`; an error if it has more than `most` bytes.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let from: &mut dyn Read =
        if path == Path::new("-") { &mut Waiting(io::stdin()) } else { &mut File::open(path)? };
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it is larger than {} MiB", most >> 20)));
    }
    Ok(bytes)
}

/// As [`read`], for text.
pub(crate) fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?).map_err(|_| io::Error::other("it is not text"))
}

/// Reads from a stream that may be non-blocking: waits where no data is there yet.
struct Waiting<S>(S);

impl<S: AsFd> Read for Waiting<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match rustix::io::read(&self.0, &mut *into) {
                Err(rustix::io::Errno::AGAIN) => {
                    // A signal ends the wait early: then the next read fails the same way again.
                    let _ = poll(&mut [PollFd::new(&self.0, PollFlags::IN)], None);
                }
                read => return Ok(read?),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::{PipeFlags, pipe_with};

    #[test]
    fn what_has_no_end_is_refused() {
        let said = read(Path::new("/dev/zero"), 3 << 20).unwrap_err().to_string();
        assert_eq!(said, "it is larger than 3 MiB");
        assert!(read_text(Path::new("/proc/self/exe"), 1 << 30).is_err());
    }

    #[test]
    fn a_pipe_that_does_not_block_is_waited_for() {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        rustix::io::ioctl_fionbio(&read, true).unwrap();
        let writer = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            rustix::io::write(&write, b"late").unwrap()
        });
        let mut text = String::new();
        Waiting(read).read_to_string(&mut text).unwrap();
        assert_eq!((writer.join().unwrap(), text.as_str()), (4, "late"));
    }
}
