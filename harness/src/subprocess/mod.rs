//! Processes that this program starts: none outlives it, none makes it hang, and their output does not mix with its own.
//!
//! A process is known by its pidfd, which never refers to another process. It is killed when dropped, and the wait for its end
//! is bounded, because a process that hangs in the kernel does not die of a signal.

mod end;
mod finish;
mod lifeline;
mod said;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, pidfd_send_signal, waitid,
};

pub(crate) use end::End;
pub(crate) use finish::finish;
pub(crate) use lifeline::stay_with;
pub(crate) use said::Said;

/// How long a killed process may take to end. An exit with a large memory takes milliseconds.
const DYING: Duration = Duration::from_secs(10);

/// A process of ours. Killed, with its process group if it has its own, when dropped.
pub(crate) struct Subprocess {
    pid: Pid,
    pidfd: OwnedFd,
    leads_group: bool,
    end: Option<End>,
}

/// Our ends of a process's standard streams, where it was given pipes.
pub(crate) struct Pipes {
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: Option<ChildStdout>,
    pub(crate) stderr: Option<ChildStderr>,
}

/// A process that was killed and is still there.
#[derive(Debug)]
pub(crate) struct Lingers;

impl std::fmt::Display for Lingers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "it was killed and is still there {} s later: it hangs in the kernel", DYING.as_secs())
    }
}

impl Subprocess {
    /// Starts a program that is killed when this thread ends, so start it from the main thread. `inherited` stay open
    /// in it, under the same numbers.
    pub(crate) fn start(
        mut command: Command,
        own_group: bool,
        inherited: &[BorrowedFd<'_>],
    ) -> io::Result<(Self, Pipes)> {
        let parent = std::process::id();
        let inherited: Vec<RawFd> = inherited.iter().map(AsRawFd::as_raw_fd).collect();
        // SAFETY: between fork and exec the closure makes system calls only; it neither allocates nor takes a lock.
        unsafe {
            command.pre_exec(move || {
                stay_with(parent);
                for fd in &inherited {
                    // It closes at exec in every other process that this program starts.
                    if libc::fcntl(*fd, libc::F_SETFD, 0) < 0 {
                        return Err(io::Error::last_os_error());
                    }
                }
                Ok(())
            });
        }
        Self::spawn(command, own_group)
    }

    /// Starts a program that is not killed when this one is, in a process group of its own. Only for what is left to be done
    /// then; such a program must end by itself soon after. It is killed when dropped, as others are.
    pub(crate) fn start_to_stay(command: Command) -> io::Result<(Self, Pipes)> {
        Self::spawn(command, true)
    }

    fn spawn(mut command: Command, own_group: bool) -> io::Result<(Self, Pipes)> {
        if own_group {
            command.process_group(0);
        }
        let mut child = command.spawn()?;
        let process = Self::own(Pid::from_child(&child), own_group)?;
        let pipes =
            Pipes { stdin: child.stdin.take(), stdout: child.stdout.take(), stderr: child.stderr.take() };
        Ok((process, pipes))
    }

    /// Takes over a child that was started elsewhere and was not waited for, so that the id is still its own.
    pub(crate) fn own(pid: Pid, leads_group: bool) -> io::Result<Self> {
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Self { pid, pidfd, leads_group, end: None }),
            Err(e) => {
                let _ = rustix::process::kill_process(pid, Signal::KILL);
                let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED);
                Err(e.into())
            }
        }
    }

    /// Its process id, which no other process gets before this one was waited for.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Readable once it has ended.
    pub(crate) fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Kills it and waits for its end, within bounds.
    pub(crate) fn end(&mut self) -> Result<End, Lingers> {
        if self.end.is_none() {
            let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
            if self.leads_group {
                let _ = kill_process_group(self.pid, Signal::KILL);
            }
        }
        self.wait(DYING)
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, limit: Duration) -> Result<End, Lingers> {
        if let Some(end) = self.end {
            return Ok(end);
        }
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
            // A signal to us ends the poll early: look again.
            let _ = poll(&mut fds, left.try_into().ok().as_ref());
            if !fds[0].revents().is_empty() {
                break;
            }
            if left.is_zero() {
                return Err(Lingers);
            }
        }
        let status = waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED);
        Ok(*self.end.insert(End::of(status.ok().flatten())))
    }
}

impl Drop for Subprocess {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Subprocess {
        let mut command = Command::new("sleep");
        command.arg("1000");
        Subprocess::start(command, true, &[]).unwrap().0
    }

    #[test]
    fn waiting_for_a_process_that_does_not_end_is_bounded() {
        let mut sleeper = sleeper();
        assert!(sleeper.wait(Duration::from_millis(1)).is_err());
        assert_eq!(sleeper.end().unwrap(), End::Killed(libc::SIGKILL));
        assert_eq!(sleeper.wait(Duration::ZERO).unwrap(), End::Killed(libc::SIGKILL), "and is remembered");
    }

    #[test]
    fn a_process_that_is_dropped_is_gone() {
        let sleeper = sleeper();
        let pid = sleeper.pid();
        drop(sleeper);
        assert!(rustix::process::test_kill_process(pid).is_err());
    }

    #[test]
    fn only_what_is_inherited_stays_open() {
        let (mine, _) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let (other, _) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let open = |fd: &OwnedFd| format!("test -e /proc/self/fd/{}", fd.as_raw_fd());
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{} && ! {}", open(&mine), open(&other)));
        let (mut process, _) = Subprocess::start(command, false, &[mine.as_fd()]).unwrap();
        assert_eq!(process.wait(DYING).unwrap(), End::Exited(0));
    }
}
