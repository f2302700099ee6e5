//! Loading foreign topologies where they can do no harm.
//!
//! hwloc's C code trusts its input: a handful of changed characters in an XML file end in a failed assertion or in a
//! segmentation fault. So a description of another machine is loaded in a child process, which sends the plain
//! [`Machine`] back and never returns. Ours stays unharmed, and hwloc's long warnings stay off the terminal.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::OwnedFd,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    pipe::{PipeFlags, pipe_with},
};

use super::Machine;
use crate::refusal::words;

/// hwloc takes a few milliseconds for hundreds of CPUs, yet a file may make it run for ever.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes that a child may fill; hundreds of CPUs take a few megabytes.
const MEMORY: u64 = 2 << 30;

/// Held by whoever is inside hwloc's set-up, so that no child is forked while hwloc's own lock is taken.
pub(super) fn hwloc_is_mine() -> MutexGuard<'static, ()> {
    static HWLOC: Mutex<()> = Mutex::new(());
    HWLOC.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `build` in a child process and hands back what it made, or why not.
pub(super) fn isolated(build: impl FnOnce() -> Result<Machine, String>) -> Result<Machine, String> {
    let failed = |error: io::Error| format!("no process could be started to load it ({})", words(&error));
    // Held until the writing end is closed here, so that no other child inherits it and keeps the pipe open.
    let guard = hwloc_is_mine();
    let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
    // SAFETY: the child has this thread alone. It calls hwloc, whose lock `guard` keeps free, allocates, which glibc
    // and musl allow after a fork, and ends in `_exit` without running anything that belongs to the parent.
    let child = unsafe { libc::fork() };
    if child == 0 {
        drop(read);
        in_child(build, write)
    }
    drop(write);
    drop(guard);
    if child < 0 {
        return Err(failed(io::Error::last_os_error()));
    }
    let answer = receive(File::from(read));
    if answer.is_err() {
        // SAFETY: the child has not been waited for, so that its number is still its own.
        unsafe { libc::kill(child, libc::SIGKILL) };
    }
    let end = wait(child);
    let answer = answer.map_err(|error| words(&error))?;
    serde_json::from_slice::<Result<Machine, String>>(&answer).unwrap_or(Err(end))
}

fn in_child(build: impl FnOnce() -> Result<Machine, String>, write: OwnedFd) -> ! {
    // SAFETY: plain calls on a literal path and on descriptors; in this process nobody else uses any.
    unsafe {
        let nowhere = libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY);
        libc::dup2(nowhere, libc::STDERR_FILENO);
        // A crash here is expected and worth no core file.
        libc::setrlimit(libc::RLIMIT_CORE, &libc::rlimit { rlim_cur: 0, rlim_max: 0 });
        // A file may name CPU 4000000000, and hwloc would make room for as many in every set.
        libc::setrlimit(libc::RLIMIT_DATA, &libc::rlimit { rlim_cur: MEMORY, rlim_max: MEMORY });
    }
    let answer =
        catch_unwind(AssertUnwindSafe(build)).unwrap_or_else(|_| Err("hwloc stumbled over it".to_owned()));
    if let Ok(text) = serde_json::to_vec(&answer) {
        let _ = File::from(write).write_all(&text);
    }
    // SAFETY: ends the process at once, which is always allowed.
    unsafe { libc::_exit(0) }
}

/// All that the child sends until it closes its end.
fn receive(mut from: File) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + PATIENCE;
    let mut answer = Vec::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&from, PollFlags::IN)], Some(&left)) {
            Ok(0) => {
                return Err(io::Error::other(format!(
                    "hwloc did not finish with it in {} s",
                    PATIENCE.as_secs()
                )));
            }
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        match from.read(&mut chunk) {
            Ok(0) => return Ok(answer),
            Ok(read) => answer.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Waits for the child's end, and puts it into words.
fn wait(child: libc::pid_t) -> String {
    let mut status = 0;
    loop {
        // SAFETY: the call writes one status, for which there is room.
        let waited = unsafe { libc::waitpid(child, &mut status, 0) };
        if waited >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            break;
        }
    }
    if libc::WIFSIGNALED(status) {
        format!("it contradicts itself, so that hwloc crashed on it (signal {})", libc::WTERMSIG(status))
    } else {
        "hwloc gave no answer".to_owned()
    }
}
