//! The machine as plain data: no hwloc object, no lifetime.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{Absences, CpuList, Why};

/// A CPU's number in the operating system: what `taskset -c` takes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PuIndex(pub u32);

/// A NUMA node's number in the operating system: what `numactl --membind` takes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeIndex(pub u32);

impl fmt::Display for PuIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for NodeIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A machine: the CPUs that may be used, and what they share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Where this description came from, for people.
    pub source: String,
    /// Whether it describes the machine that we run on. If not, nothing can be bound.
    pub is_this_system: bool,
    /// The processor's name, where hwloc knows it.
    pub cpu_model: Option<String>,
    /// Packages in the order of hwloc's tree; CPUs without a package (some VMs) share one that has no number.
    pub packages: Vec<Package>,
    /// NUMA nodes by number. There is at least one.
    pub nodes: Vec<Node>,
    /// Cores in the order of hwloc's tree; a CPU without a core has one of its own.
    pub cores: Vec<Core>,
    /// The CPUs that may be used, in the order of hwloc's tree: neighbours share most.
    pub pus: Vec<Pu>,
    /// Data and unified caches, by level, in the order of hwloc's tree.
    pub caches: Vec<Cache>,
    /// How far the nodes are from one another, where known.
    pub distances: Option<Distances>,
    /// CPUs that exist and cannot be used, as far as known, ascending.
    pub unavailable: CpuList,
    /// Those of them of which it is known why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub absent: Absences,
    /// NUMA nodes that exist and of which nothing can be used, and why; they are not among `nodes`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub absent_nodes: BTreeMap<NodeIndex, Why>,
}

/// A processor package (socket).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Package {
    /// Its number in the operating system; none where the machine shows no packages.
    pub os_index: Option<u32>,
    /// Its CPUs.
    pub cpus: CpuList,
}

/// A NUMA node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its number in the operating system.
    pub os_index: NodeIndex,
    /// What kind of memory, such as `HBM`, where hwloc knows it.
    pub kind: Option<String>,
    /// Its memory in bytes; none where it has none or hwloc does not know (see [`Machine::has_memory`]).
    pub memory_bytes: Option<u64>,
    /// A cache in front of its memory, in bytes.
    pub memory_side_cache_bytes: Option<u64>,
    /// The CPUs near it that may be used; empty for a node near none in particular, such as a memory expander.
    pub cpus: CpuList,
    /// The CPUs near it that exist and cannot be used.
    #[serde(default, skip_serializing_if = "CpuList::is_empty")]
    pub unavailable: CpuList,
    /// Whether the kernel does not allow its memory to this process.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forbidden: bool,
}

/// A core: the CPUs that are hardware threads of one another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Core {
    /// Its number in the operating system, which need not be unique across packages.
    pub os_index: Option<u32>,
    /// Its CPUs; the position is the sibling rank.
    pub cpus: CpuList,
}

/// A CPU (processing unit, hardware thread): what a vCPU is pinned to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pu {
    /// Its number in the operating system.
    pub os_index: PuIndex,
    /// Its position among those CPUs of its core that may be used, from 0.
    pub sibling_rank: u32,
    /// Its core, as an index into [`Machine::cores`].
    pub core: usize,
    /// Its package, as an index into [`Machine::packages`].
    pub package: usize,
    /// The nodes near it, nearest first; of equally near ones the lowest number first, for there Linux has plain
    /// memory. May be empty.
    pub nodes: Vec<NodeIndex>,
}

/// What a cache holds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheKind {
    /// Data only.
    Data,
    /// Data and instructions.
    Unified,
    /// Instructions only.
    Instruction,
}

/// A CPU cache.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cache {
    /// 1 is nearest to the core.
    pub level: u32,
    /// What it holds.
    pub kind: CacheKind,
    /// Its size in bytes, where known.
    pub size_bytes: Option<u64>,
    /// The CPUs that share it.
    pub cpus: CpuList,
}

/// Relative distances (latencies) between NUMA nodes as the firmware tells them; 10 is usually "here".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distances {
    /// The nodes, in the order of the rows and of the columns.
    pub nodes: Vec<NodeIndex>,
    /// `nodes.len()` rows of as many values; a row is "from".
    pub values: Vec<u64>,
}

impl Pu {
    /// The node that its plain memory comes from.
    pub fn home(&self) -> Option<NodeIndex> {
        self.nodes.first().copied()
    }
}

impl Machine {
    /// The numbers of all CPUs that may be used, ascending.
    pub fn cpus(&self) -> CpuList {
        let mut cpus: Vec<_> = self.pus.iter().map(|pu| pu.os_index).collect();
        cpus.sort_unstable();
        cpus.into_iter().collect()
    }

    /// The CPU of that number, if it may be used.
    pub fn pu(&self, index: PuIndex) -> Option<&Pu> {
        self.pus.iter().find(|pu| pu.os_index == index)
    }

    /// The node of that number.
    pub fn node(&self, index: NodeIndex) -> Option<&Node> {
        self.nodes.iter().find(|node| node.os_index == index)
    }

    /// The numbers of all nodes, ascending.
    pub fn node_indices(&self) -> Vec<NodeIndex> {
        self.nodes.iter().map(|node| node.os_index).collect()
    }

    /// Whether memory can be had from `node` by this process. Where a description names no sizes at all, every node counts.
    pub fn has_memory(&self, node: &Node) -> bool {
        let sizes_are_known = self.nodes.iter().any(|node| node.memory_bytes.is_some());
        !node.forbidden && (node.memory_bytes.is_some() || !sizes_are_known)
    }

    /// The distance from one node to another, where known.
    pub fn distance(&self, from: NodeIndex, to: NodeIndex) -> Option<u64> {
        self.distances.as_ref()?.between(from, to)
    }
}

impl Distances {
    /// The distance from one node to another; none for a node that is not in the table.
    pub fn between(&self, from: NodeIndex, to: NodeIndex) -> Option<u64> {
        let place = |wanted| self.nodes.iter().position(|&node| node == wanted);
        self.values.get(place(from)? * self.nodes.len() + place(to)?).copied()
    }
}
