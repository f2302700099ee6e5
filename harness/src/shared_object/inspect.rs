//! Looks at a shared object in a process of its own, because the object's constructors run when it is loaded.

use std::fs::File;
use std::io::Write;
use std::os::fd::FromRawFd;
use std::process::{Command, ExitCode};
use std::time::Duration;

use lockbench_reports::format::printable;
use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};

use super::{Described, Origin, SharedLock, elf, load};
use crate::subprocess::{finish, stay_with};
use crate::{Error, interrupt, output};

/// The hidden verb under which this program is that process.
pub(crate) const VERB: &str = "__shared_object";

/// Longest time that loading may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the process found.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    sha256: String,
    locks: Vec<Lock>,
}

/// A lock, or why its symbol stands for none.
#[derive(Debug, Serialize, Deserialize)]
struct Lock {
    symbol: String,
    described: Result<Described, String>,
}

/// The locks of a file: the one called `name`, or all. What is wrong with the file itself is an [`Error::Object`].
pub(super) fn ask(path: &str, name: Option<&str>) -> Result<Vec<SharedLock>, Error> {
    let shown = printable(path);
    let whole = std::fs::canonicalize(path).map_err(|e| Error::file("read", path, e))?;
    let whole = whole.into_os_string().into_string();
    let whole = whole.map_err(|_| {
        Error::usage(format!("{shown} lies below a directory whose name is no text; move the file elsewhere"))
    })?;
    let Seen { sha256, locks } = look(&whole, &shown)?;
    let called = |lock: &Lock, name: &str| {
        elf::suffix(&lock.symbol) == Some(name)
            || lock.described.as_ref().is_ok_and(|described| described.name == name)
    };
    if let Some(name) = name.filter(|name| !locks.iter().any(|lock| called(lock, name))) {
        let names = locks.into_iter().map(|lock| lock.described.map_or(lock.symbol, |lock| lock.name));
        return Err(crate::error::unknown("lock", name, names).inside(shown));
    }
    let chosen = locks.into_iter().filter(|lock| name.is_none_or(|name| called(lock, name)));
    let described = chosen.map(|Lock { symbol, described }| {
        let origin = Origin { path: whole.clone(), symbol, sha256: sha256.clone() };
        Ok(SharedLock::new(&described.map_err(Error::Object)?, origin))
    });
    described.collect()
}

/// Runs the process and reads its answer.
fn look(path: &str, shown: &str) -> Result<Seen, Error> {
    let mut command = Command::new("/proc/self/exe");
    command.arg(VERB).arg(std::process::id().to_string()).arg(path);
    let finished = finish(command, b"", PATIENCE).map_err(|source| Error::System {
        what: format!("the process that looks at {shown} could not be started"),
        source,
    })?;
    if let Ok(answer) = serde_json::from_slice::<Result<Seen, String>>(&finished.stdout) {
        return answer.map_err(Error::Object);
    }
    Err(match finished.end {
        None if interrupt::requested() => Error::Interrupted,
        None => Error::Object(format!("{shown} was not loaded within {} s", PATIENCE.as_secs())),
        Some(end) => {
            let said = String::from_utf8_lossy(&finished.stderr);
            let said = printable(said.lines().next().unwrap_or_default());
            let colon = if said.is_empty() { "" } else { ": " };
            Error::Object(format!("the process that loaded {shown} {end}{colon}{said}"))
        }
    })
}

/// The main function of the process.
pub(crate) fn inspecting_process() -> ExitCode {
    let mut arguments = std::env::args_os().skip(2).filter_map(|word| word.into_string().ok());
    let (Some(parent), Some(path), None) =
        (arguments.next().and_then(|word| word.parse().ok()), arguments.next(), arguments.next())
    else {
        return output::not_for_people();
    };
    stay_with(parent);
    // A crash is an expected outcome here; its core file is of no use.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // What constructors print must not be taken for the answer.
    // SAFETY: plain calls on descriptors; no other thread exists, and nothing was printed yet. A failed `dup` gives a number to which
    // nothing can be written.
    let mut answer = unsafe {
        let answer = libc::dup(libc::STDOUT_FILENO);
        libc::dup2(libc::STDERR_FILENO, libc::STDOUT_FILENO);
        if answer < 0 {
            return ExitCode::from(2);
        }
        File::from_raw_fd(answer)
    };
    let seen = serde_json::to_vec(&see(&path)).unwrap_or_default();
    let written = answer.write_all(&seen);
    // SAFETY: ends the process at once, which is always allowed: the object's destructors have nothing to do.
    unsafe { libc::_exit(if written.is_ok() { 0 } else { 2 }) }
}

fn see(path: &str) -> Result<Seen, String> {
    let (bytes, sha256) = load::content(path)?;
    let symbols = elf::locks(&bytes).map_err(|why| format!("{} {why}", printable(path)))?;
    let handle = load::open(path)?;
    let lock = |symbol: String| Lock {
        described: load::find(&handle, path, &symbol).map(|found| found.described),
        symbol,
    };
    Ok(Seen { sha256, locks: symbols.into_iter().map(lock).collect() })
}
