//! One of the two builds, run as a program: it gets a spec and prints a round.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lockbench_reports::format::printable;
use lockbench_reports::record::{Outcome, Round};

use crate::cell::WindowSpec;
use crate::subprocess::{End, finish};
use crate::{Error, interrupt};

/// Longest time that a build may take beyond its window, on a busy machine.
const GRACE: Duration = Duration::from_secs(30);

/// Longest time that a build may take to print its version.
const ANSWERS: Duration = Duration::from_secs(10);

/// Exit status of a build that was interrupted.
const INTERRUPTED: i32 = 130;

/// Exit status of a build that could not do what was asked, and says why.
const CANNOT: i32 = 2;

/// A build of lockbench.
pub(crate) struct Driver {
    program: PathBuf,
    /// Name and version that the build prints.
    pub(crate) version: String,
}

impl Driver {
    /// Asks the program for its version.
    pub(crate) fn open(program: &Path) -> Result<Self, Error> {
        let shown = printable(&program.display().to_string());
        let mut command = Command::new(program);
        command.arg("--version");
        let finished = finish(command, b"", ANSWERS).map_err(|e| Error::file("run", program, e))?;
        let said = String::from_utf8_lossy(&finished.stdout).trim().to_owned();
        match (finished.end, said.strip_prefix("lockbench ")) {
            (Some(End::Exited(0)), Some(version)) => {
                Ok(Self { program: program.to_owned(), version: printable(version) })
            }
            (None, _) if interrupt::requested() => Err(Error::Interrupted),
            (None, _) => Err(Error::Build(format!(
                "{shown} did not answer to `--version` within {} s: is it a build of lockbench?",
                ANSWERS.as_secs()
            ))),
            _ => Err(Error::Build(format!("{shown} is no build of lockbench: `--version` does not say so"))),
        }
    }

    /// Whether it knows [`WindowSpec::draws`]: every release after 0.1 does.
    pub(crate) fn draws(&self) -> bool {
        !self.version.starts_with("0.1.")
    }

    /// The program's path, for people.
    pub(crate) fn name(&self) -> String {
        printable(&self.program.display().to_string())
    }

    /// Takes one window; `None` if it was interrupted. If the build refuses the window, it is a skipped one; if the build dies
    /// or does not end, that is recorded as a crash or a hang.
    pub(crate) fn window(&self, spec: &WindowSpec) -> Result<Option<Outcome>, Error> {
        let json = serde_json::to_vec(spec)?;
        let expected = Duration::from_nanos(spec.warmup_ns.saturating_add(spec.window_ns) * 2 + spec.hang_ns);
        let limit = expected + GRACE;
        let name = self.name();
        let mut command = Command::new(&self.program);
        command.args(["run", "--json", "--spec", "-"]);
        // The build's own limits for a cell are far below this one.
        let finished = finish(command, &json, limit).map_err(|e| Error::file("run", &self.program, e))?;
        if interrupt::requested() || finished.end == Some(End::Exited(INTERRUPTED)) {
            return Ok(None);
        }
        let Some(end) = finished.end else {
            let reason = format!("the build did not end within {} s", limit.as_secs());
            return Ok(Some(Outcome::Hung { reason }));
        };
        // A build that skips the window prints a round too, which says whether the reason may pass.
        let printed = serde_json::from_slice::<Round>(&finished.stdout);
        let skipped = end == End::Exited(CANNOT)
            && matches!(&printed, Ok(Round { outcome: Outcome::Skipped { .. }, .. }));
        if end != End::Exited(0) && !skipped {
            let said = String::from_utf8_lossy(&finished.stderr);
            let said = printable(said.trim().trim_start_matches("lockbench: "));
            return Ok(Some(match end {
                End::Exited(CANNOT) if !said.is_empty() => Outcome::Skipped { reason: said, passing: false },
                _ if said.is_empty() => Outcome::Crashed { reason: format!("the build {end}") },
                _ => Outcome::Crashed { reason: format!("the build {end}: {said}") },
            }));
        }
        let round = printed.map_err(|source| Error::Json {
            what: format!("{name} printed no round of this version's schema"),
            source,
        })?;
        if round.cell != spec.axes.id || round.round != spec.round {
            return Err(Error::Build(format!(
                "{name} printed the round of another cell than it was asked for"
            )));
        }
        Ok(Some(round.outcome))
    }
}
