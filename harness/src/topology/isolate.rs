//! Loading foreign topologies where they can do no harm.
//!
//! hwloc's C code trusts its input: a handful of changed characters in an XML file end in a failed assertion or in a
//! segmentation fault. So a description of another machine is loaded in a child process, which sends the plain
//! [`Machine`](super::Machine) back and never returns. Ours stays unharmed, and hwloc's long warnings stay off the terminal.

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
    process::Pid,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::interrupt;
use crate::refusal::{Refusal, words};
use crate::subprocess::{End, Subprocess, stay_with};

/// hwloc takes a few milliseconds for hundreds of CPUs, yet a file may make it run for ever.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes that a child may fill; hundreds of CPUs take a few megabytes.
const MEMORY: u64 = 2 << 30;

/// Held during hwloc's set-up, so that no child is forked while hwloc's own lock is taken.
pub(super) fn hwloc_is_mine() -> MutexGuard<'static, ()> {
    static HWLOC: Mutex<()> = Mutex::new(());
    HWLOC.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `build` in a child process and returns its result, or why there is none.
pub(super) fn isolated<T>(build: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal>
where
    T: Serialize + DeserializeOwned,
{
    let failed = |error: io::Error| Refusal::of("no process could be started for it", error);
    // Held until the writing end is closed here, so that no other child inherits it and keeps the pipe open.
    let guard = hwloc_is_mine();
    let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
    let parent = std::process::id();
    // SAFETY: the child has this thread alone. It calls hwloc, whose lock `guard` keeps free, allocates, which glibc
    // and musl allow after a fork, and ends in `_exit` without running anything that belongs to the parent.
    let child = unsafe { libc::fork() };
    if child == 0 {
        stay_with(parent);
        drop(read);
        in_child(build, write)
    }
    drop(write);
    drop(guard);
    let Some(child) = (child > 0).then(|| Pid::from_raw(child)).flatten() else {
        return Err(failed(io::Error::last_os_error()));
    };
    let mut child = Subprocess::own(child, false).map_err(failed)?;
    // Dropped, and so killed, where it does not answer.
    let answer = receive(File::from(read)).map_err(|error| words(&error))?;
    let end = child.wait(PATIENCE);
    serde_json::from_slice::<Result<T, Refusal>>(&answer).unwrap_or_else(|_| {
        Err(match end {
            Ok(End::Killed(signal)) => {
                format!("it contradicts itself, so that hwloc crashed on it (signal {signal})").into()
            }
            _ => "hwloc gave no answer".into(),
        })
    })
}

fn in_child<T: Serialize>(build: impl FnOnce() -> Result<T, Refusal>, write: OwnedFd) -> ! {
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
        catch_unwind(AssertUnwindSafe(build)).unwrap_or_else(|_| Err("hwloc stumbled over it".into()));
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
            Err(rustix::io::Errno::INTR) if interrupt::requested() => {
                return Err(io::ErrorKind::Interrupted.into());
            }
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
