//! How often, and for how long, the kernel held a control group back that has a CPU quota.

use std::fs;
use std::path::Path;

use super::cgroups::Version;

/// A group's counts so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CpuStat {
    /// Periods in which the group wanted CPUs.
    pub(crate) periods: u64,
    /// Periods in which its quota ran out.
    pub(crate) throttled: u64,
    /// Time for which CPUs were taken away, summed over CPUs.
    pub(crate) taken_ns: u64,
}

impl CpuStat {
    /// The counts of the group `dir`; zeros where the kernel does not count.
    pub(crate) fn read(dir: &Path, version: Version) -> Self {
        let text = fs::read_to_string(dir.join("cpu.stat")).unwrap_or_default();
        let field = |name: &str| {
            let mut words = text.lines().map(|line| line.split_whitespace());
            words.find_map(|mut line| (line.next()? == name).then(|| line.next()?.parse::<u64>().ok())?)
        };
        let taken_ns = match version {
            Version::V1 => field("throttled_time"),
            Version::V2 => field("throttled_usec").map(|us| us.saturating_mul(1_000)),
        };
        Self {
            periods: field("nr_periods").unwrap_or(0),
            throttled: field("nr_throttled").unwrap_or(0),
            taken_ns: taken_ns.unwrap_or(0),
        }
    }

    /// What was counted since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            periods: self.periods.saturating_sub(before.periods),
            throttled: self.throttled.saturating_sub(before.throttled),
            taken_ns: self.taken_ns.saturating_sub(before.taken_ns),
        }
    }
}
