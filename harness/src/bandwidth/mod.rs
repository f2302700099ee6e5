//! The kernel's bandwidth control: a control group with a limit of CPUs, as a container has, for a cell's process.
//!
//! The group is made below this program's own. A *keeper*, a process of its own, removes it when the window is over or this
//! program is gone, however it ended. What a killed keeper left is removed when the next group is made.

mod control;
mod keeper;
mod name;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub(crate) use keeper::VERB;
pub(crate) use keeper::main as keeper_process;

use crate::Refusal;
use crate::refusal::words;
use crate::system::cgroups::Version;
use crate::system::cpu_stat::CpuStat;
use crate::system::quota::Quotas;
use keeper::Keeper;

/// The period of the limit: that of containers.
pub(crate) const PERIOD_NS: u64 = 100_000_000;

/// A control group with a limit. Removed when dropped; its processes must be gone by then.
pub(crate) struct Group {
    dir: PathBuf,
    version: Version,
    /// Dropped last.
    _keeper: Keeper,
}

impl Group {
    /// Makes a group below this process's own that gets so much of all CPUs in a period.
    pub(crate) fn make(quotas: &Quotas, limit_ns: u64) -> Result<Self, Refusal> {
        let quotas = quotas.anew();
        let (own, version) = quotas.own_group().ok_or_else(|| {
            Refusal::from("a CPU quota needs a control group, and this process's own cannot be seen; mount the cpu controller")
        })?;
        let refused = |what: &str| {
            let what = what.to_owned();
            move |e: io::Error| {
                Refusal::from(format!("{what} in {}: {}; {}", own.display(), words(&e), advice(version)))
            }
        };
        name::remove_stale(own);
        let dir = own.join(name::of_this_process());
        // The keeper is there before the group is.
        let keeper = Keeper::start(&dir)
            .map_err(|e| Refusal::of("the keeper of a control group could not be started", e))?;
        let group = Self { dir, version, _keeper: keeper };
        if version == Version::V2 {
            control::delegate(own).map_err(refused("no CPU quota can be had for control groups"))?;
        }
        fs::create_dir(&group.dir).map_err(refused("no control group for a CPU quota could be made"))?;
        control::limit(&group.dir, version, PERIOD_NS, limit_ns)
            .map_err(refused("the CPU quota was refused"))?;
        Ok(group)
    }

    /// Moves a process with all its threads into the group.
    pub(crate) fn admit(&self, pid: i32) -> Result<(), Refusal> {
        control::write(&self.dir, "cgroup.procs", &pid.to_string())
            .map_err(|e| Refusal::of("the cell's process could not be moved into its control group", e))
    }

    /// The kernel's counts so far.
    pub(crate) fn stat(&self) -> CpuStat {
        CpuStat::read(&self.dir, self.version)
    }
}

fn advice(version: Version) -> &'static str {
    match version {
        Version::V1 => "start lockbench as root, where the control groups are mounted to be written to",
        Version::V2 => {
            "start lockbench as root, or in a control group that is delegated to you: systemd-run --user --scope -p Delegate=yes"
        }
    }
}

/// Removes a group; true once it is gone.
fn remove(dir: &Path) -> bool {
    match fs::remove_dir(dir) {
        Ok(()) => true,
        Err(e) => e.kind() == io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests;
