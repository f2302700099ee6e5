//! One of the two builds, driven from outside: a spec goes in, a round comes out.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use lockbench_reports::format::printable;
use lockbench_reports::record::{Outcome, Round};
use rustix::process::{Pid, Signal, kill_process};

use crate::cell::WindowSpec;
use crate::refusal::words;
use crate::{Error, interrupt};

/// What starting a build may take beyond its window, on a busy machine.
const GRACE: Duration = Duration::from_secs(30);

/// Exit status of a build that could not do what was asked, and says why.
const CANNOT: i32 = 2;

/// A build of lockbench.
pub(crate) struct Driver {
    program: PathBuf,
    /// What it calls itself.
    pub(crate) version: String,
}

impl Driver {
    /// Asks the program who it is.
    pub(crate) fn open(program: &Path) -> Result<Self, Error> {
        let shown = printable(&program.display().to_string());
        let output = Command::new(program)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .map_err(|e| Error::new(format!("cannot run {shown}: {}", words(&e))))?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        match said.strip_prefix("lockbench ") {
            Some(version) if output.status.success() => {
                Ok(Self { program: program.to_owned(), version: printable(version) })
            }
            _ => Err(Error::new(format!("{shown} is no build of lockbench: `--version` does not say so"))),
        }
    }

    /// The program's path, for people.
    pub(crate) fn name(&self) -> String {
        printable(&self.program.display().to_string())
    }

    /// Takes one window; `None` if it was interrupted. What the build says that it cannot do is a skipped window; that it
    /// dies or does not end is a finding.
    pub(crate) fn window(&self, spec: &WindowSpec) -> Result<Option<Outcome>, Error> {
        let json = serde_json::to_vec(spec).map_err(|e| Error::new(e.to_string()))?;
        let expected = Duration::from_nanos(spec.warmup_ns.saturating_add(spec.window_ns) * 2 + spec.hang_ns);
        let limit = expected + GRACE;
        let (output, overdue) = self.call(&json, limit)?;
        if interrupt::requested() || output.status.code() == Some(130) {
            return Ok(None);
        }
        let name = self.name();
        if overdue && output.status.signal() == Some(Signal::KILL.as_raw()) {
            let reason = format!("the build did not end within {} s", limit.as_secs());
            return Ok(Some(Outcome::Hung { reason }));
        }
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = printable(said.trim().trim_start_matches("lockbench: "));
            return Ok(Some(match output.status.code() {
                Some(CANNOT) if !said.is_empty() => Outcome::Skipped { reason: said, passing: false },
                _ if said.is_empty() => Outcome::Crashed { reason: format!("the build's {}", output.status) },
                _ => Outcome::Crashed { reason: format!("the build's {}: {said}", output.status) },
            }));
        }
        let round: Round = serde_json::from_slice(&output.stdout)
            .map_err(|e| Error::new(format!("{name} printed no round of this version's schema: {e}")))?;
        if round.cell != spec.axes.id || round.round != spec.round {
            return Err(Error::new(format!(
                "{name} printed the round of another cell than it was asked for"
            )));
        }
        Ok(Some(round.outcome))
    }

    /// What the build printed, and whether it was ended for taking longer than the limit.
    fn call(&self, spec: &[u8], limit: Duration) -> Result<(Output, bool), Error> {
        let cannot = |e: std::io::Error| Error::new(format!("cannot run {}: {}", self.name(), words(&e)));
        let mut child = Command::new(&self.program)
            .args(["run", "--json", "--spec", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(cannot)?;
        let pid = Pid::from_child(&child);
        // A build that does not end is ended; its own cells have limits far below this one.
        let (done, overdue) = mpsc::channel::<()>();
        let guard = thread::spawn(move || {
            let is_overdue = overdue.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
            if is_overdue {
                // It is still ours: nobody has waited for it.
                let _ = kill_process(pid, Signal::KILL);
            }
            is_overdue
        });
        let mut errors = child.stderr.take();
        let reader = thread::spawn(move || {
            let mut text = Vec::new();
            errors.as_mut().map(|errors| errors.read_to_end(&mut text));
            text
        });
        // A build that ends without reading its spec says why on stderr.
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(spec));
        let mut stdout = Vec::new();
        let read = child.stdout.take().map_or(Ok(0), |mut out| out.read_to_end(&mut stdout));
        let stderr = reader.join().unwrap_or_default();
        drop(done);
        let is_overdue = guard.join().unwrap_or_default();
        let status = child.wait().map_err(cannot)?;
        read.map_err(cannot)?;
        Ok((Output { status, stdout, stderr }, is_overdue))
    }
}
