//! The process that removes a control group once it is of no use: the only one that outlives this program.
//!
//! It reads from a pipe whose other end this program has. The pipe ends when the group is dropped, and when the program dies,
//! of whatever signal.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use super::{name, remove};
use crate::input;
use crate::subprocess::Subprocess;

/// The hidden verb under which this program is a keeper.
pub(crate) const VERB: &str = "__keeper";

/// How long a keeper tries: the kernel refuses while the group's last process is still on its way out.
const LONGEST: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(5);

/// A group's keeper. When dropped, the group is removed.
pub(super) struct Keeper {
    dir: PathBuf,
    process: Subprocess,
    /// The end of this is the word to remove the group.
    pipe: Option<ChildStdin>,
}

impl Keeper {
    /// Starts a keeper of `dir`, which need not be there yet.
    pub(super) fn start(dir: &Path) -> io::Result<Self> {
        let mut command = Command::new("/proc/self/exe");
        command.arg(VERB).arg(dir);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let (process, pipes) = Subprocess::start_to_stay(command)?;
        Ok(Self { dir: dir.to_owned(), process, pipe: pipes.stdin })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.pipe.take());
        let _ = self.process.wait(LONGEST);
        // Where the keeper was killed, nobody else does it.
        remove(&self.dir);
    }
}

/// The main function of a keeper.
pub(crate) fn main() -> ExitCode {
    let dir = std::env::args_os().nth(2).map(PathBuf::from);
    let Some(dir) = dir.filter(|dir| dir.file_name().is_some_and(name::is_ours)) else {
        return crate::output::not_for_people();
    };
    // Signals that end the program, sent to all processes of a terminal or a service, must not end its keeper first.
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
        // SAFETY: no handler is set.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    // Nothing is ever written to the pipe: this waits for its end.
    let _ = input::read(Path::new("-"), input::WRITTEN_BY_HAND);
    let began = Instant::now();
    while !remove(&dir) && began.elapsed() < LONGEST {
        std::thread::sleep(PAUSE);
    }
    ExitCode::SUCCESS
}
