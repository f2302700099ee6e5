//! Locks of shared objects, which C and C++ compile to: `--lock-so PATH[:NAME]`.
//!
//! A shared object runs code when it is loaded, so this program's own process never loads one. A process of its own looks at it
//! ([`inspect`]): what kind of file it is ([`elf`]), and what its locks say of themselves ([`abi`]). A cell's process loads it again
//! ([`load`]), if it is still the same file, before the environment starts its vCPUs. What C sees of all this is
//! `include/lockbench.h`.

mod abi;
mod elf;
mod inspect;
mod load;
#[cfg(target_arch = "x86_64")]
mod outside;

use std::path::Path;

use lockbench_workloads::Family;
use lockbench_workloads::locks::Variant;
use serde::{Deserialize, Serialize};

use crate::Error;

pub(crate) use abi::{Described, LONGEST};
pub(crate) use inspect::{VERB, inspecting_process};
#[cfg(target_arch = "x86_64")]
pub(crate) use load::loaded;
pub(crate) use load::{Loaded, load};
#[cfg(target_arch = "x86_64")]
pub(crate) use outside::{function, holds, left};

/// The header that a lock is compiled with.
pub(crate) const HEADER: &str = include_str!("../../include/lockbench.h");

/// What the names of such locks begin with, so that none is taken for a built-in one.
pub(crate) const PREFIX: &str = "so:";

/// Where a lock comes from: enough for another process to load it, or to see that it is another one by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The shared object, as an absolute path.
    pub path: String,
    /// The symbol of the lock's descriptor.
    pub symbol: String,
    /// SHA-256 of the file's content, in hexadecimal.
    pub sha256: String,
}

impl Origin {
    /// The file's name without its directories.
    pub(crate) fn file(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// A lock of a shared object, for the registry.
#[derive(Debug)]
pub(crate) struct SharedLock {
    /// Its descriptor.
    pub(crate) family: Family,
    /// Where it comes from.
    pub(crate) origin: Origin,
}

/// What such a lock natively carries beyond a built-in one that it is compared with, whatever else is different.
const CARRIES: &str =
    "a lock of a shared object: called through pointers, where the other is compiled into the loop";

impl SharedLock {
    fn new(described: &Described, origin: Origin) -> Self {
        let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        let name = leak(&format!("{PREFIX}{}", described.name));
        let from = described.source.clone().unwrap_or_else(|| origin.file().to_owned());
        let about = described.about.clone().unwrap_or_else(|| format!("a lock of {}", origin.file()));
        let mut variant = Variant::new(name, leak(&about));
        if let Some(baseline) = &described.compare_with {
            variant = variant.against(leak(baseline));
            if !baseline.starts_with(PREFIX) {
                variant = variant.natively(CARRIES);
            }
        }
        let mut family = described.family();
        family.name = name;
        family.variants = Box::leak(Box::new([variant]));
        family.source = leak(&from);
        Self { family, origin }
    }
}

/// The locks that options name, each `PATH` or `PATH:NAME`. An object from which none can be taken goes to `left_out` with its
/// sentence, which decides whether the others are taken all the same.
pub(crate) fn named(
    options: &[String],
    mut left_out: impl FnMut(Error) -> Result<(), Error>,
) -> Result<&'static [SharedLock], Error> {
    let mut locks = Vec::new();
    for option in options {
        let (path, name) = split(option);
        if path.is_empty() {
            return Err(Error::usage(format!(
                "--lock-so `{}` names no file; write it like ./my-lock.so or ./my-lock.so:NAME",
                option.escape_debug()
            )));
        }
        match inspect::ask(path, name) {
            Err(why @ Error::Object(_)) => left_out(why)?,
            found => locks.extend(found?),
        }
    }
    Ok(Vec::leak(locks))
}

/// The locks of these origins, if their files are still the same.
pub(crate) fn of_origins<'a>(
    origins: impl Iterator<Item = &'a Origin>,
) -> Result<&'static [SharedLock], Error> {
    let mut locks: Vec<SharedLock> = Vec::new();
    for origin in origins {
        if locks.iter().any(|lock| lock.origin == *origin) {
            continue;
        }
        let found = inspect::ask(&origin.path, None)?;
        let same = found.into_iter().find(|lock| lock.origin == *origin);
        locks.push(same.ok_or_else(|| Error::usage(changed(&origin.path)))?);
    }
    Ok(Vec::leak(locks))
}

/// Why a shared object is not loaded any more.
fn changed(path: &str) -> String {
    format!(
        "{} is not the file any more that this run began with",
        lockbench_reports::format::printable(path)
    )
}

/// The path and, where the whole is no file, the name behind the last colon.
fn split(option: &str) -> (&str, Option<&str>) {
    match option.rsplit_once(':') {
        Some((path, name)) if !name.contains('/') && !Path::new(option).exists() => (path, Some(name)),
        _ => (option, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_behind_the_last_colon() {
        assert_eq!(split("./x.so"), ("./x.so", None));
        assert_eq!(split("./x.so:mine"), ("./x.so", Some("mine")));
        assert_eq!(split("a:b/x.so"), ("a:b/x.so", None));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.so:mine");
        std::fs::write(&path, "").unwrap();
        let path = path.to_str().unwrap();
        assert_eq!(split(path), (path, None), "there is such a file");
    }
}
