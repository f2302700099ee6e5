//! Why CPUs and NUMA nodes that exist cannot be used.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::{CpuList, Machine, NodeIndex, PuIndex};

/// Why a CPU or a NUMA node that exists cannot be used.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It is offline.
    Offline,
    /// The CPU mask that the process was started with leaves it out.
    Mask,
    /// The process's cpuset leaves it out.
    Cpuset,
    /// The kernel does not allow it to this process; the reason is not known.
    NotAllowed,
    /// The reason is not known, for example because the machine is another one and its description does not say.
    Untold,
    /// `--pcpus` leaves it out.
    LeftOut,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offline => "offline",
            Self::Mask => "not allowed to this process by its CPU mask (taskset, isolcpus)",
            Self::Cpuset => "not allowed to this process by its cpuset (cgroup)",
            Self::NotAllowed => "not allowed to this process",
            Self::Untold => "offline or not allowed",
            Self::LeftOut => "left out by --pcpus",
        })
    }
}

/// CPUs that exist and cannot be used, by reason.
pub type Absences = BTreeMap<Why, CpuList>;

/// "CPUs 2-3 are offline, CPU 5 is not allowed to this process".
pub(crate) struct Told<'a>(pub(crate) &'a Absences);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (why, cpus) in self.0 {
            let (s, are) = if cpus.len() == 1 { ("", "is") } else { ("s", "are") };
            write!(f, "{separator}CPU{s} {cpus} {are} {why}")?;
            separator = ", ";
        }
        Ok(())
    }
}

impl Machine {
    /// The CPUs of `cpus` that exist and cannot be used, by reason.
    pub fn absences(&self, cpus: &CpuList) -> Absences {
        let known: HashMap<PuIndex, Why> =
            self.absent.iter().flat_map(|(&why, cpus)| cpus.iter().map(move |cpu| (cpu, why))).collect();
        let asked: HashSet<PuIndex> = cpus.iter().collect();
        let mut absences: BTreeMap<Why, Vec<PuIndex>> = BTreeMap::new();
        for cpu in self.unavailable.iter().filter(|cpu| asked.contains(cpu)) {
            absences.entry(known.get(&cpu).copied().unwrap_or(Why::Untold)).or_default().push(cpu);
        }
        absences.into_iter().map(|(why, cpus)| (why, cpus.into_iter().collect())).collect()
    }

    /// Notes that CPUs cannot be used, and why.
    pub(super) fn note_absent(&mut self, found: impl IntoIterator<Item = (PuIndex, Why)>) {
        let mut all: BTreeSet<PuIndex> = self.unavailable.iter().collect();
        let mut by_why: BTreeMap<Why, BTreeSet<PuIndex>> =
            self.absent.iter().map(|(&why, cpus)| (why, cpus.iter().collect())).collect();
        for (cpu, why) in found {
            all.insert(cpu);
            by_why.entry(why).or_default().insert(cpu);
        }
        self.unavailable = all.into_iter().collect();
        self.absent = by_why.into_iter().map(|(why, cpus)| (why, cpus.into_iter().collect())).collect();
    }

    /// The nodes whose memory exists and cannot be used, by number.
    pub fn absent_memory(&self) -> Vec<NodeIndex> {
        let forbidden = self.nodes.iter().filter(|node| node.forbidden).map(|node| node.os_index);
        let nodes: BTreeSet<NodeIndex> = forbidden.chain(self.absent_nodes.keys().copied()).collect();
        nodes.into_iter().collect()
    }
}
