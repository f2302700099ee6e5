//! Names of control groups, which tell whose they are: so that those of programs that are gone can be removed.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

const PREFIX: &str = "lockbench-";

/// The name for this process's group. A number of a process is given again, but not with the same start; and it means
/// something in one namespace of numbers only.
pub(super) fn of_this_process() -> String {
    let pid = std::process::id();
    format!("{PREFIX}{}-{pid}-{}", namespace(), started(pid).unwrap_or_default())
}

/// Whether a group's name is of a program like this.
pub(super) fn is_ours(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| numbers(name).is_some())
}

/// Removes the groups in `dir` of programs that are gone.
pub(super) fn remove_stale(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(is_stale) {
            super::remove(&entry.path());
        }
    }
}

/// Whether the name is that of a program that is gone.
fn is_stale(name: &str) -> bool {
    let Some([of, pid, start]) = numbers(name) else { return false };
    of == namespace() && u32::try_from(pid).is_ok_and(|pid| started(pid) != Some(start))
}

/// The namespace, process and start of a name.
fn numbers(name: &str) -> Option<[u64; 3]> {
    let numbers: Option<Vec<u64>> =
        name.strip_prefix(PREFIX)?.split('-').map(|number| number.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// The number of the namespace that process ids are of; 0 where the kernel does not tell.
fn namespace() -> u64 {
    let link = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let digits: String = link.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

/// When a process was started, in the kernel's ticks; none if it is gone.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name, in parentheses, may hold anything.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_groups_of_programs_that_are_gone_are_stale() {
        let own = of_this_process();
        assert!(!is_stale(&own), "{own}");
        let start = started(std::process::id()).unwrap();
        let named = |namespace: u64, pid: u32, start: u64| format!("{PREFIX}{namespace}-{pid}-{start}");
        assert!(is_stale(&named(namespace(), std::process::id(), start + 1)), "its number was given again");
        assert!(is_stale(&named(namespace(), u32::MAX, start)), "there is no such process");
        assert!(!is_stale(&named(namespace() + 1, u32::MAX, start)), "of another namespace nothing is known");
        assert!(is_ours(OsStr::new(&own)) && !is_ours(OsStr::new("system.slice")));
        for other in ["lockbench-mine", "lockbench-1-2-3-4", "system.slice", "lockbench-1-2"] {
            assert!(!is_stale(other), "{other}");
        }
    }
}
