//! The NUMA nodes that a record's topology tells of.
//!
//! The program that measured describes the machine in a format of its own (the harness's `topology::Machine`). Parts of that
//! description that cannot be understood are ignored.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::record::params::MEMORY;
use crate::record::{Cell, Machine, Residence, Results, Status};

/// The default of [`MEMORY`], for a cell that does not name it.
pub const LOCAL: &str = "local";

/// The nodes of a machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nodes {
    /// Their numbers, ascending, possibly with gaps.
    pub numbers: Vec<u32>,
    /// The node of each pCPU.
    pub of_pcpu: BTreeMap<u32, u32>,
    /// How far the nodes are apart, where the firmware tells.
    pub distances: Option<Distances>,
}

/// Relative distances between nodes as the firmware tells them; from a node to itself it is usually 10.
#[derive(Clone, Debug, PartialEq)]
pub struct Distances {
    /// The nodes, in the order of rows and columns.
    pub nodes: Vec<u32>,
    /// The distances, row after row; a row holds those from one node.
    pub values: Vec<u64>,
}

impl Distances {
    /// The distance from one node to another, where known.
    pub fn between(&self, from: u32, to: u32) -> Option<u64> {
        let place = |wanted| self.nodes.iter().position(|node| *node == wanted);
        self.values.get(place(from)? * self.nodes.len() + place(to)?).copied()
    }
}

impl Nodes {
    /// The nodes in a machine's description; empty where it has none.
    pub fn of(machine: &Machine) -> Self {
        let Some(detail) = &machine.topology_detail else { return Self::default() };
        let list = |name: &str| detail.get(name).and_then(Value::as_array).into_iter().flatten();
        let of_pcpu: BTreeMap<u32, u32> = list("pus")
            .filter_map(|pu| Some((number(pu.get("os_index")?)?, number(pu.get("nodes")?.get(0)?)?)))
            .collect();
        let named = list("nodes").filter_map(|node| number(node.get("os_index")?));
        let numbers: BTreeSet<u32> = named.chain(of_pcpu.values().copied()).collect();
        Self {
            numbers: numbers.into_iter().collect(),
            of_pcpu,
            distances: detail.get("distances").and_then(distances),
        }
    }

    /// The nodes that a cell's vCPUs run on: those that were found, or else those of its pCPUs. Empty where not known.
    pub fn of_cell(&self, cell: &Cell) -> BTreeSet<u32> {
        let pinned = cell.axes.pinning == "pinned";
        let found = cell.residence.as_ref().filter(|_| pinned).map(|residence| &residence.vcpu_nodes);
        match found.filter(|nodes| !nodes.is_empty()) {
            Some(nodes) => nodes.iter().copied().collect(),
            None => {
                let nodes = cell.axes.pcpus.iter().map(|pcpu| self.of_pcpu.get(pcpu).copied());
                nodes.collect::<Option<BTreeSet<u32>>>().unwrap_or_default()
            }
        }
    }
}

/// How many nodes a run's machine has; 0 where the record does not tell.
pub fn count(results: &Results) -> usize {
    let told = (results.machine.numa_nodes as usize).max(Nodes::of(&results.machine).numbers.len());
    // A cell that was measured with remote memory shows that there is a second node.
    let remote = |cell: &Cell| {
        cell.status == Status::Ok && cell.axes.params.get(MEMORY).is_some_and(|memory| memory == "remote")
    };
    if told < 2 && results.cells.iter().any(remote) { 2 } else { told }
}

/// The nodes on which the pages that all vCPUs share were found: `node 0 (3 pages), node 1 (2 pages)`.
pub fn resides(residence: &Residence) -> String {
    let on = residence.shared.iter().filter(|on| on.pages > 0).map(|on| {
        let s = if on.pages == 1 { "" } else { "s" };
        format!("node {} ({} page{s})", on.node, on.pages)
    });
    on.collect::<Vec<_>>().join(", ")
}

fn number(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}

/// Reads a square table of distances; none if it is not one.
fn distances(detail: &Value) -> Option<Distances> {
    let nodes = detail.get("nodes")?.as_array()?.iter().map(number).collect::<Option<Vec<u32>>>()?;
    let values = detail.get("values")?.as_array()?.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>()?;
    (values.len() == nodes.len() * nodes.len()).then_some(Distances { nodes, values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(detail: Value) -> Nodes {
        Nodes::of(&Machine { topology_detail: Some(detail), ..Machine::default() })
    }

    #[test]
    fn nodes_with_sparse_numbers_and_without_cpus() {
        let nodes = of(json!({
            "pus": [{"os_index": 0, "nodes": [3]}, {"os_index": 1, "nodes": [1023]}, {"os_index": 2, "nodes": []}],
            "nodes": [{"os_index": 3}, {"os_index": 7}, {"os_index": 1023}],
            "distances": {"nodes": [3, 1023], "values": [10, 32, 33, 10]},
        }));
        assert_eq!(nodes.numbers, [3, 7, 1023]);
        assert_eq!(nodes.of_pcpu, BTreeMap::from([(0, 3), (1, 1023)]));
        let distances = nodes.distances.unwrap();
        assert_eq!((distances.between(3, 1023), distances.between(1023, 3)), (Some(32), Some(33)));
        assert_eq!(distances.between(3, 7), None);
    }

    #[test]
    fn what_is_not_understood_is_not_there() {
        for detail in [
            json!(null),
            json!([]),
            json!({"pus": 7, "nodes": "x", "distances": []}),
            json!({"pus": [{"os_index": -1, "nodes": [0]}], "distances": {"nodes": [0, 1], "values": [10]}}),
        ] {
            assert_eq!(of(detail), Nodes::default());
        }
    }
}
