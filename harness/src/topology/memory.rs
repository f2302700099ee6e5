//! Which NUMA nodes memory goes on.

use std::{cmp::Reverse, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Error, Machine, Node, NodeIndex, PuIndex};

/// Where memory lies, seen from the first pCPU of a placement.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Memory {
    /// `local`: on the first pCPU's own node; if that has no memory, on the nearest that has.
    #[default]
    Local,
    /// `remote`: on the node with memory that is farthest from it; on one near it (fast memory, say) only if there
    /// is no other.
    Remote,
    /// `remote-lock`: the lock as with `remote`, the lines of data that sections write as with `local`.
    RemoteLock,
    /// `remote-data`: the lock as with `local`, the lines of data that sections write as with `remote`.
    RemoteData,
    /// `interleave`: page by page over all nodes with memory. Where there is one only, the same as `local`.
    Interleave,
}

impl Memory {
    /// Every policy, in the order that `list` shows.
    pub const ALL: [Self; 5] =
        [Self::Local, Self::Remote, Self::RemoteLock, Self::RemoteData, Self::Interleave];

    /// Where the lines of data lie, where that is not where the lock does.
    pub fn of_data(self) -> Option<Self> {
        match self {
            Self::RemoteLock => Some(Self::Local),
            Self::RemoteData => Some(Self::Remote),
            Self::Local | Self::Remote | Self::Interleave => None,
        }
    }

    /// The nodes that the lock should lie on, and the data with it unless [`Memory::of_data`] says otherwise, for vCPUs on `pcpus`.
    ///
    /// Distance is the firmware's where known. Where not, nodes near the first pCPU come first, then those of its
    /// package, then the others; among equals the lowest number wins.
    pub fn nodes(self, machine: &Machine, pcpus: &[PuIndex]) -> Result<Vec<NodeIndex>, Error> {
        let with_memory: Vec<&Node> = machine.nodes.iter().filter(|node| machine.has_memory(node)).collect();
        let first = pcpus.first().copied();
        if let Some(unknown) = first.filter(|&cpu| machine.pu(cpu).is_none()) {
            return Err(Error::UnknownCpus {
                unknown: [unknown].into_iter().collect(),
                have: machine.cpus(),
            });
        }
        let nearest = |node: &&&Node| (remoteness(machine, first, node), node.os_index);
        let local = with_memory.iter().min_by_key(nearest).map(|node| node.os_index);
        let node = match self {
            Self::Interleave => return Ok(with_memory.iter().map(|node| node.os_index).collect()),
            Self::Local | Self::RemoteData => local,
            Self::Remote | Self::RemoteLock => with_memory
                .iter()
                .filter(|node| Some(node.os_index) != local)
                .max_by_key(|node| (remoteness(machine, first, node), Reverse(node.os_index)))
                .map(|node| node.os_index),
        };
        node.map(|node| vec![node]).ok_or_else(|| Error::NoRemoteNode { absent: machine.absent_memory() })
    }
}

/// How far `node` is from a CPU; only comparable for the same CPU of the same machine.
fn remoteness(machine: &Machine, from: Option<PuIndex>, node: &Node) -> u64 {
    const SAME: u64 = 0;
    let Some(pu) = from.and_then(|from| machine.pu(from)) else { return SAME };
    let near = pu.nodes.iter().position(|&near| near == node.os_index);
    if let Some(rank) = near {
        return rank as u64;
    }
    // Above any rank among the nodes near the CPU.
    let ranks = machine.nodes.len() as u64;
    let distance = pu.home().and_then(|home| machine.distance(home, node.os_index));
    distance.map_or_else(
        || {
            let package = &machine.packages[pu.package];
            let shares_package = node.cpus.iter().any(|cpu| package.cpus.contains(cpu));
            ranks + u64::from(!shares_package)
        },
        |distance| ranks.saturating_add(distance),
    )
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Local => "local",
            Self::Remote => "remote",
            Self::RemoteLock => "remote-lock",
            Self::RemoteData => "remote-data",
            Self::Interleave => "interleave",
        })
    }
}

impl FromStr for Memory {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|memory| memory.to_string() == name);
        found.ok_or_else(|| Error::UnknownMemory(name.to_owned()))
    }
}
