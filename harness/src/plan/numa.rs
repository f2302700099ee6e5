//! Whether a machine has the NUMA nodes that a group of cells compares.

use std::collections::HashSet;

use lockbench_reports::record::Dropped;

use crate::Error;
use crate::axes::Axis;
use crate::error::unknown;
use crate::topology::{Machine, Memory, Node, Placement};

/// What a group of cells compares across NUMA nodes. Where there is nothing to compare the whole group is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numa {
    /// vCPUs on one node or on several.
    Placement,
    /// Memory on the vCPUs' own node or on another.
    Memory,
}

impl Numa {
    /// The axes that are compared.
    const NAMES: [&'static str; 2] = [Placement::FLAGS[0].name, Memory::FLAGS[0].name];

    /// Reads what a profile says.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let [placement, memory] = Self::NAMES;
        match text {
            _ if text == placement => Ok(Self::Placement),
            _ if text == memory => Ok(Self::Memory),
            _ => Err(unknown("comparison of NUMA nodes", text, Self::NAMES)),
        }
    }

    /// Why there is nothing to compare on the machine, in one line for the whole group; none if there is.
    pub(crate) fn refusal(self, machine: &Machine) -> Option<Dropped> {
        let homes: HashSet<_> = machine.pus.iter().map(|pu| pu.home()).collect();
        let with_memory: Vec<&Node> = machine.nodes.iter().filter(|node| machine.has_memory(node)).collect();
        let several = match self {
            Self::Placement => homes.len() > 1,
            Self::Memory => with_memory.len() > 1,
        };
        let node = machine.nodes.iter().find(|node| homes.contains(&Some(node.os_index)));
        let shown = node.map_or_else(
            || format!("CPUs {}", machine.cpus()),
            |node| format!("node {} with CPUs {}", node.os_index, node.cpus),
        );
        let others = if machine.absent_memory().is_empty() {
            ""
        } else {
            "; the memory of others is not allowed to this process"
        };
        let reason = match (self, machine.nodes.len()) {
            _ if several => return None,
            (_, 1) => format!("NUMA cannot be told here: one node ({shown}){others}"),
            (Self::Placement, _) => {
                format!("all CPUs are on one node ({shown}), so placements over nodes cannot be compared")
            }
            (Self::Memory, _) => {
                format!("all memory is on one node, so local and remote memory cannot be compared{others}")
            }
        };
        Some(Dropped { cell: "NUMA nodes".into(), reason })
    }
}
