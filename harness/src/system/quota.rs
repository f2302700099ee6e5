//! CPU quotas of control groups: how much of the CPUs this process may use, and how often it was throttled.

use std::fs;
use std::path::{Path, PathBuf};

use lockbench_reports::record::CpuQuota;

use super::cgroups::{Groups, Version};
use super::cpu_stat::CpuStat;

/// The groups whose quotas hold for this process. Their files are read anew each time: a quota may change while a run lasts.
#[derive(Debug)]
pub struct Quotas {
    groups: Groups,
}

/// Counts so far in the groups that have a quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Periods in which a quota ran out.
    pub(crate) periods: u64,
    /// Time for which CPUs were taken away, summed over CPUs.
    pub(crate) taken_ns: u64,
}

impl Quotas {
    /// The groups of this process.
    pub fn of_this_process() -> Self {
        Self::read(Path::new("/"), std::process::id())
    }

    /// As the files under `root` tell of process `pid`.
    fn read(root: &Path, pid: u32) -> Self {
        Self { groups: Groups::read(root, pid) }
    }

    /// The same groups, found anew if this process has been moved to another group since.
    pub(crate) fn anew(&self) -> Self {
        Self { groups: self.groups.anew() }
    }

    /// Whether some of the groups above this process cannot be seen, and so their quotas.
    pub(crate) fn hidden(&self) -> bool {
        self.groups.hidden
    }

    /// The directory of this process's own group, and its interface; none if it cannot be seen.
    pub(crate) fn own_group(&self) -> Option<(&Path, Version)> {
        Some((self.groups.dirs.first()?.as_path(), self.groups.version))
    }

    /// The smallest quota; none if no quota can be seen.
    pub(crate) fn tightest(&self) -> Option<CpuQuota> {
        self.each().map(|(_, quota)| quota).min_by(|a, b| a.cpus.total_cmp(&b.cpus))
    }

    /// Counts so far; none if no quota can be seen.
    pub(crate) fn counted(&self) -> Option<Counted> {
        let counts = self.each().map(|(dir, _)| {
            let CpuStat { throttled, taken_ns, .. } = CpuStat::read(dir, self.groups.version);
            Counted { periods: throttled, taken_ns }
        });
        // While a group is stopped, time that those below it would have been stopped for counts for them too.
        counts.reduce(|a, b| Counted {
            periods: a.periods.max(b.periods),
            taken_ns: a.taken_ns.max(b.taken_ns),
        })
    }

    /// The groups that have a quota.
    fn each(&self) -> impl Iterator<Item = (&PathBuf, CpuQuota)> {
        self.groups.dirs.iter().filter_map(|dir| Some((dir, self.quota(dir)?)))
    }

    fn quota(&self, dir: &Path) -> Option<CpuQuota> {
        let read = |file: &str| fs::read_to_string(dir.join(file)).ok();
        let (quota, period, file) = match self.groups.version {
            Version::V1 => {
                let name = "cpu.cfs_quota_us";
                (read(name)?, read("cpu.cfs_period_us")?, name)
            }
            Version::V2 => {
                let text = read("cpu.max")?;
                let (quota, period) = text.split_once(' ')?;
                (quota.to_owned(), period.to_owned(), "cpu.max")
            }
        };
        // `max` and -1 mean that there is none.
        let (quota, period): (u64, u64) = (quota.trim().parse().ok()?, period.trim().parse().ok()?);
        (period > 0).then(|| CpuQuota {
            cpus: quota as f64 / period as f64,
            period_ns: period.saturating_mul(1_000),
            source: dir.join(file).display().to_string(),
        })
    }
}

/// A quota in words: `0.2 CPUs (20 ms of every 100 ms)`.
pub(crate) fn in_words(quota: &CpuQuota) -> String {
    let ms = |ns: f64| {
        let ms = ns / 1e6;
        if ms.fract() == 0.0 { format!("{ms:.0} ms") } else { format!("{ms:.2} ms") }
    };
    let period = quota.period_ns as f64;
    format!("{} CPUs ({} of every {})", rounded(quota.cpus), ms(quota.cpus * period), ms(period))
}

/// Two decimals at most.
fn rounded(cpus: f64) -> String {
    let text = format!("{cpus:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The warning for readers of a run that may use `cpus` CPUs; none if no quota limits it.
pub(crate) fn warning(quota: &CpuQuota, cpus: usize) -> Option<String> {
    (quota.cpus < cpus as f64).then(|| {
        format!(
            "A CPU quota allows this program {} in {}: cells that keep more than that busy are stopped again and again; their \
             windows are marked as throttled.",
            in_words(quota),
            quota.source
        )
    })
}

#[cfg(test)]
#[path = "quota_tests.rs"]
mod tests;
