//! A cell's process, seen from its parent.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::arena::{Board, Memory};
use crate::protocol::ChildArgument;
use crate::protocol::ChildReport;
use crate::protocol::ChildSpec;
use crate::subprocess::{End, Said, Subprocess};
use crate::{Refusal, interrupt};

/// The hidden verb under which this program is a cell's process.
pub const VERB: &str = "__cell";

/// Most bytes of a report. A report that a process had no time to finish is ignored.
const LONGEST_REPORT: usize = 65_536;

/// Why a wait for the cell's process ended early.
pub(super) enum ChildEnd {
    /// Ctrl-C or a termination signal.
    Interrupted,
    /// The process died, or said that it cannot go on.
    Reported(ChildReport),
}

/// A running cell. Killed, with all its threads, when dropped.
pub(super) struct Process {
    process: Subprocess,
    /// The process' reports, on a pipe of their own: the standard output belongs to the lock.
    reports: OwnedFd,
    /// The part of a report that was read so far.
    line: Vec<u8>,
    /// What the lock prints.
    said: Said,
}

impl Process {
    /// Starts `/proc/self/exe __cell` in a process group of its own, with nothing on its standard input. Call from the main
    /// thread, for the process ends with the thread that started it.
    pub(super) fn start(spec: ChildSpec, memory: &Memory, board: Option<&Board>) -> io::Result<Self> {
        let (reports, report) = pipe_with(PipeFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&reports, true)?;
        let (said, say) = Said::new()?;
        let argument = ChildArgument {
            parent: std::process::id(),
            arena: memory.fd().as_raw_fd(),
            reports: report.as_raw_fd(),
            board: board.map(|board| board.fd().as_raw_fd()),
            spec,
        };
        let mut command = Command::new("/proc/self/exe");
        command.arg(VERB).arg(serde_json::to_string(&argument)?);
        command.stdin(Stdio::null()).stdout(say.try_clone()?).stderr(say);
        let mut inherited = vec![memory.fd(), report.as_fd()];
        inherited.extend(board.map(Board::fd));
        let (process, _) = Subprocess::start(command, true, &inherited)?;
        Ok(Self { process, reports, line: Vec::new(), said })
    }

    /// Process id.
    pub(super) fn pid(&self) -> i32 {
        self.process.pid().as_raw_nonzero().get()
    }

    /// Waits until all vCPUs stand at the gate.
    pub(super) fn wait_ready(&mut self, limit: Duration) -> Result<(), ChildEnd> {
        let deadline = Instant::now() + limit;
        while self.wait(deadline, true)? {
            match self.report() {
                Some(ChildReport::Ready) => return Ok(()),
                Some(report) => return Err(ChildEnd::Reported(report)),
                None => {}
            }
        }
        let reason = format!("its vCPUs did not start within {} s", limit.as_secs());
        Err(ChildEnd::Reported(ChildReport::Crashed(reason)))
    }

    /// The ids of the threads that run the vCPUs. They come from the arena, where a lock may store anything, and are passed to
    /// calls that pin and look at threads: so each is read once and must be a thread of this process.
    pub(super) fn threads(&self, memory: &Memory) -> Result<Vec<u32>, ChildEnd> {
        let thread = |cpu: usize| {
            let tid = memory.block(cpu).env.tid.load(std::sync::atomic::Ordering::Relaxed);
            // SAFETY: with signal 0 nothing is sent; the call only looks whether the process has such a thread.
            let known = unsafe { libc::syscall(libc::SYS_tgkill, self.pid(), tid, 0) } == 0;
            known.then_some(tid).ok_or_else(|| {
                let reason = format!(
                    "vCPU {cpu} is run by no thread of the cell's process: something wrote over the arena"
                );
                ChildEnd::Reported(ChildReport::Crashed(reason))
            })
        };
        (0..memory.vcpus()).map(thread).collect()
    }

    /// An error if the process has died.
    pub(super) fn check(&mut self) -> Result<(), ChildEnd> {
        self.sleep_until(Instant::now() + Duration::from_nanos(1))
    }

    /// Sleeps until `deadline`; ends early if the process dies or the run is interrupted.
    pub(super) fn sleep_until(&mut self, deadline: Instant) -> Result<(), ChildEnd> {
        while self.wait(deadline, false)? {}
        Ok(())
    }

    /// Kills the process and waits for its end: from then on its arena stands still.
    pub(super) fn end(mut self) -> Result<(), ChildEnd> {
        match self.process.end() {
            Ok(_) => Ok(()),
            Err(lingers) => {
                Err(ChildEnd::Reported(ChildReport::Crashed(format!("the cell's process: {lingers}"))))
            }
        }
    }

    /// Waits for a report or the process' end; false once `deadline` has passed. Reads what the lock prints meanwhile, because a
    /// full pipe would stop it.
    fn wait(&mut self, deadline: Instant, for_report: bool) -> Result<bool, ChildEnd> {
        let mut left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        let (loud, rest) = self.said.next();
        left = rest.map_or(left, |rest| left.min(rest));
        let mut fds = vec![PollFd::from_borrowed_fd(self.process.pidfd(), PollFlags::IN)];
        fds.extend(for_report.then(|| PollFd::new(&self.reports, PollFlags::IN)));
        fds.extend(loud.map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::IN)));
        // Ctrl-C arrives here as EINTR; after any other failure the loop just looks again.
        let _ = poll(&mut fds, left.try_into().ok().as_ref());
        if interrupt::requested() {
            return Err(ChildEnd::Interrupted);
        }
        let dead = !fds[0].revents().is_empty();
        let printed =
            rest.is_some() || loud.is_some() && fds.last().is_some_and(|fd| !fd.revents().is_empty());
        if dead {
            return Err(ChildEnd::Reported(self.autopsy()));
        }
        if printed {
            self.said.take();
        }
        Ok(true)
    }

    /// The next report, once it is complete.
    fn report(&mut self) -> Option<ChildReport> {
        let mut chunk = [0; 4096];
        loop {
            if let Some(end) = self.line.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.line.drain(..=end).collect();
                let garbled = || ChildReport::Crashed("the cell's process reported what is no report".into());
                return Some(serde_json::from_slice(&line).unwrap_or_else(|_| garbled()));
            }
            match rustix::io::read(&self.reports, &mut chunk) {
                Ok(read) if read > 0 && self.line.len() < LONGEST_REPORT => {
                    self.line.extend_from_slice(&chunk[..read]);
                }
                _ => return None,
            }
        }
    }

    /// Why the process died, in plain words: its own last report, else how it ended and what it said first.
    fn autopsy(&mut self) -> ChildReport {
        while let Some(report) = self.report() {
            if !matches!(report, ChildReport::Ready) {
                return report;
            }
        }
        let how = match self.process.end() {
            Ok(end @ End::Killed(libc::SIGXCPU | libc::SIGXFSZ)) => {
                return ChildReport::Skipped(Refusal::from(format!("the cell's process {end}")));
            }
            Ok(end) => end.to_string(),
            Err(lingers) => lingers.to_string(),
        };
        let said = self.said.beginning();
        let colon = if said.is_empty() { "" } else { ": " };
        ChildReport::Crashed(format!("the cell's process {how}{colon}{said}"))
    }
}

/// A file of one of the process's threads under /proc.
pub(super) fn task_file(pid: i32, tid: u32, name: &str) -> io::Result<File> {
    File::open(format!("/proc/{pid}/task/{tid}/{name}"))
}
