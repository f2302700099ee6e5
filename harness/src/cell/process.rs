//! A cell's process, as its parent sees it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::spec::{ChildReport, ChildSpec};
use crate::interrupt;

/// The hidden verb under which this program is a cell's process.
pub const VERB: &str = "__cell";

/// Why a wait ended early.
pub(super) enum Ended {
    /// Ctrl-C or a termination signal.
    Interrupted,
    /// The process died, or said that it cannot go on.
    Reported(ChildReport),
}

/// A running cell. Killed, with all its threads, when dropped.
pub(super) struct Process {
    child: Child,
    pid: Pid,
    pidfd: OwnedFd,
}

impl Process {
    /// Starts `/proc/self/exe __cell` in a process group of its own. Call from the main thread: the child asks to be
    /// killed when the thread that started it ends.
    pub(super) fn start(spec: &ChildSpec) -> io::Result<Self> {
        let mut child = Command::new("/proc/self/exe")
            .arg(VERB)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let pid = Pid::from_child(&child);
        let started = pidfd_open(pid, PidfdFlags::empty()).map_err(io::Error::from).and_then(|pidfd| {
            let mut stdin = child.stdin.take().ok_or_else(|| io::Error::other("no pipe to the cell"))?;
            serde_json::to_writer(&mut stdin, spec)?;
            stdin.flush()?;
            Ok(pidfd)
        });
        match started {
            Ok(pidfd) => Ok(Self { child, pid, pidfd }),
            Err(e) => {
                let _ = kill_process_group(pid, Signal::KILL);
                let _ = child.wait();
                Err(e)
            }
        }
    }

    /// Process id.
    pub(super) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Waits until all vCPUs stand at the gate.
    pub(super) fn wait_ready(&mut self, limit: Duration) -> Result<(), Ended> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let reason = format!("its vCPUs did not start within {} s", limit.as_secs());
                return Err(Ended::Reported(ChildReport::Crashed(reason)));
            }
            let Some(stdout) = self.child.stdout.as_ref() else {
                return Err(Ended::Reported(ChildReport::Crashed("its pipe was closed".into())));
            };
            let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN), PollFd::new(stdout, PollFlags::IN)];
            wait_on(&mut fds, left)?;
            if fds[1].revents().contains(PollFlags::IN) {
                return match self.read_report() {
                    Some(ChildReport::Ready) => Ok(()),
                    Some(report) => Err(Ended::Reported(report)),
                    None => Err(Ended::Reported(self.autopsy())),
                };
            }
            if !fds[0].revents().is_empty() {
                return Err(Ended::Reported(self.autopsy()));
            }
        }
    }

    /// An error if the process has died.
    pub(super) fn check(&mut self) -> Result<(), Ended> {
        self.sleep_until(Instant::now() + Duration::from_nanos(1))
    }

    /// Sleeps until `deadline`; ends early if the process dies or the run is interrupted.
    pub(super) fn sleep_until(&mut self, deadline: Instant) -> Result<(), Ended> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
            wait_on(&mut fds, left)?;
            if !fds[0].revents().is_empty() {
                return Err(Ended::Reported(self.autopsy()));
            }
        }
    }

    /// One line of the child's standard output; none if it is no report.
    fn read_report(&mut self) -> Option<ChildReport> {
        let stdout = self.child.stdout.as_mut()?;
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() < 65_536 && matches!(stdout.read(&mut byte), Ok(1)) && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        serde_json::from_slice(&line).ok()
    }

    /// Why the process died, in plain words: its own last report, else its signal and last line on stderr.
    fn autopsy(&mut self) -> ChildReport {
        if let Some(report) = self.read_report()
            && !matches!(report, ChildReport::Ready)
        {
            return report;
        }
        let _ = kill_process_group(self.pid, Signal::KILL);
        let how = match self.child.wait() {
            Ok(status) => match (status.signal(), status.code()) {
                (Some(signal), _) => format!("was killed by {}", signal_name(signal)),
                (_, Some(code)) => format!("ended with status {code}"),
                _ => "ended".into(),
            },
            Err(e) => format!("could not be waited for: {e}"),
        };
        let mut said = String::new();
        if let Some(stderr) = self.child.stderr.take() {
            let _ = stderr.take(16_384).read_to_string(&mut said);
        }
        let said = said.lines().filter(|line| !line.trim().is_empty()).take(2).collect::<Vec<_>>().join(" ");
        let colon = if said.is_empty() { "" } else { ": " };
        ChildReport::Crashed(format!("the cell's process {how}{colon}{said}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = kill_process_group(self.pid, Signal::KILL);
        let _ = self.child.wait();
    }
}

fn wait_on(fds: &mut [PollFd<'_>], left: Duration) -> Result<(), Ended> {
    let timeout = left.try_into().ok();
    // EINTR is how Ctrl-C gets here; any other failure shows up as a wait that did not wait.
    let _ = poll(fds, timeout.as_ref());
    if interrupt::requested() { Err(Ended::Interrupted) } else { Ok(()) }
}

/// A signal by name, for those that a lock can bring upon itself.
fn signal_name(signal: i32) -> String {
    match signal {
        libc::SIGSEGV => "SIGSEGV (touched memory that is not mapped, or that it may not write)".into(),
        libc::SIGBUS => "SIGBUS (touched memory that cannot be had)".into(),
        libc::SIGILL => "SIGILL (ran an instruction that does not exist, or was told to trap)".into(),
        libc::SIGABRT => "SIGABRT (panicked or aborted)".into(),
        libc::SIGFPE => "SIGFPE (divided by zero)".into(),
        libc::SIGKILL => "SIGKILL (somebody else killed it, or memory ran out)".into(),
        other => format!("signal {other}"),
    }
}

/// Hands a descriptor's number to the child's spec.
pub(super) fn raw(fd: impl AsRawFd) -> i32 {
    fd.as_raw_fd()
}

/// A file of one of the process's threads under /proc.
pub(super) fn task_file(pid: i32, tid: u32, name: &str) -> io::Result<File> {
    File::open(format!("/proc/{pid}/task/{tid}/{name}"))
}
