//! The files of control groups that set a limit. They are the kernel's: a write is a request, which may be refused.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::system::cgroups::Version;

/// Writes to a file of a group, in one piece.
pub(super) fn write(dir: &Path, file: &str, text: &str) -> io::Result<()> {
    fs::OpenOptions::new().write(true).open(dir.join(file))?.write_all(text.as_bytes())
}

fn read(dir: &Path, file: &str) -> io::Result<String> {
    fs::read_to_string(dir.join(file))
}

/// Lets groups below `own` have limits (version 2). The cpu controller works on threads, so that the kernel allows this in a
/// group that has processes itself; the groups below are then threaded ones.
pub(super) fn delegate(own: &Path) -> io::Result<()> {
    let has_cpu = |text: String| -> bool { text.split_whitespace().any(|name| name == "cpu") };
    if read(own, "cgroup.subtree_control").is_ok_and(has_cpu) {
        return Ok(());
    }
    if !has_cpu(read(own, "cgroup.controllers")?) {
        return Err(io::Error::other("it has no cpu controller"));
    }
    write(own, "cgroup.subtree_control", "+cpu")
}

/// Sets the limit of a new group.
pub(super) fn limit(dir: &Path, version: Version, period_ns: u64, limit_ns: u64) -> io::Result<()> {
    let (period_us, limit_us) = (period_ns / 1_000, limit_ns / 1_000);
    match version {
        Version::V1 => {
            write(dir, "cpu.cfs_period_us", &period_us.to_string())?;
            write(dir, "cpu.cfs_quota_us", &limit_us.to_string())
        }
        Version::V2 => {
            if read(dir, "cgroup.type").is_ok_and(|kind| kind.trim() == "domain invalid") {
                write(dir, "cgroup.type", "threaded")?;
            }
            write(dir, "cpu.max", &format!("{limit_us} {period_us}"))
        }
    }
}
