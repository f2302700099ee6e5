//! Whether /proc shows the processes of this program's own namespace.
//!
//! /proc may belong to another pid namespace (`unshare -pf` without `--mount-proc`), in which the same id is another process or
//! none; or it may not be mounted at all.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use crate::Refusal;
use crate::refusal::words;

/// Whether a process's id in /proc refers to that process; the error says why not. Found out once.
pub(crate) fn is_ours() -> Result<(), &'static str> {
    static OURS: OnceLock<Result<(), &str>> = OnceLock::new();
    *OURS.get_or_init(|| look(Path::new("/proc"), std::process::id()))
}

/// What has to hold before any process is started: this program's file is reached through /proc, and the numbers of its
/// children and their threads are those that this program uses for them.
pub(crate) fn check() -> Result<(), Refusal> {
    if let Err(e) = fs::File::open("/proc/self/exe") {
        return Err(format!(
            "cells are started through /proc/self/exe, which cannot be opened: {}; mount this pid namespace's /proc",
            words(&e)
        ).into());
    }
    // Linux before 4.12 does not show the children's namespace; later versions show none that has had no process yet.
    let (own, children) = (Path::new("/proc/self/ns/pid"), Path::new("/proc/self/ns/pid_for_children"));
    let told = children.symlink_metadata().is_ok();
    match (fs::read_link(own), fs::read_link(children)) {
        (Ok(own), children) if told && children.as_ref().ok() != Some(&own) => Err(
            "the processes that lockbench starts would be in another pid namespace than its own, and their threads could not              be pinned; start it with `unshare -pf`, not `unshare -p`"
                .into(),
        ),
        _ => Ok(()),
    }
}

/// As the files under `proc` tell of process `pid`, which this is.
fn look(proc: &Path, pid: u32) -> Result<(), &'static str> {
    const FOREIGN: &str = "/proc shows another pid namespace than this program's, so that its threads cannot be found there; mount \
                           this one's own (unshare --mount-proc)";
    if !proc.join("stat").exists() {
        return Err("/proc is not mounted, or cannot be read");
    }
    // Where this program has no number in the namespace shown, the link leads nowhere.
    let own = fs::read_link(proc.join("self")).map_err(|_| FOREIGN)?;
    // The number by itself may be the same in both by chance; where a namespace within the one shown has another, the kernel
    // lists both.
    let status = fs::read_to_string(proc.join("self/status")).unwrap_or_default();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    let one = numbers.is_none_or(|numbers| numbers.split_whitespace().count() == 1);
    if one && own == Path::new(&pid.to_string()) { Ok(()) } else { Err(FOREIGN) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn proc(link: &str, nspid: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("stat"), "cpu 0\n").unwrap();
        fs::create_dir(dir.path().join("42")).unwrap();
        fs::write(dir.path().join("42/status"), format!("Name:\tlockbench\n{nspid}")).unwrap();
        symlink(link, dir.path().join("self")).unwrap();
        dir
    }

    #[test]
    fn the_own_proc_is_known_by_number_and_namespace() {
        assert_eq!(look(proc("42", "NSpid:\t42\n").path(), 42), Ok(()));
        // Kernels without pid namespaces list none.
        assert_eq!(look(proc("42", "").path(), 42), Ok(()));
    }

    #[test]
    fn another_namespaces_proc_is_told_from_ones_own() {
        assert!(look(proc("42", "NSpid:\t42\t7\n").path(), 7).unwrap_err().contains("pid namespace"));
        assert!(look(proc("42", "").path(), 7).unwrap_err().contains("pid namespace"));
        // The same number in both.
        assert!(look(proc("42", "NSpid:\t42\t42\n").path(), 42).unwrap_err().contains("pid namespace"));
        // A namespace in which this program is not.
        assert!(look(proc("99/gone", "").path(), 42).unwrap_err().contains("pid namespace"));
    }

    #[test]
    fn a_proc_that_is_not_mounted_says_so() {
        let empty = tempfile::tempdir().unwrap();
        assert!(look(empty.path(), 42).unwrap_err().contains("not mounted"));
    }
}
