//! Where a window's arena lay.

use serde::{Deserialize, Serialize};

/// Where a window's arena lay, as the kernel told when all its pages were in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Residence {
    /// Pages that all vCPUs share (the header, the lock, the data that it protects) on each NUMA node, by node.
    pub shared: Vec<NodePages>,
    /// NUMA nodes that each vCPU's own block lies on: its queue node, its counters, its times.
    pub blocks: Vec<Vec<u32>>,
    /// NUMA node of each vCPU's pCPU; for a floating vCPU, of the first pCPU that it may run on.
    pub vcpu_nodes: Vec<u32>,
}

/// Pages on a NUMA node.
// Residence holds a list of these and no map: the node as a key of a JSON object would be a string, which serde cannot read
// back as a number inside the tagged `Outcome`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct NodePages {
    /// The node.
    pub node: u32,
    /// Number of pages on it.
    pub pages: u64,
}
