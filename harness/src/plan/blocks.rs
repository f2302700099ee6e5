//! On which NUMA nodes the vCPUs' own blocks are to lie.

use std::collections::{BTreeMap, BTreeSet};

use crate::topology::{CpuList, Error, Machine, Memory, NodeIndex, PuIndex};

/// Where a cell's blocks are to lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Blocks {
    /// Node of each vCPU's block; empty where all blocks lie on the one node of the shared memory.
    pub(crate) nodes: Vec<u32>,
    /// Sentences about it for readers of the record.
    pub(crate) notes: Vec<String>,
}

impl Blocks {
    /// Those of vCPUs on `pcpus`, one entry each, that share memory on the nodes `shared`. A block lies on the node of its
    /// vCPU's pCPU, as a kernel has its per-CPU data; if that has no memory, on the nearest that has.
    pub(crate) fn on(machine: &Machine, pcpus: &[PuIndex], shared: &[u32]) -> Result<Self, Error> {
        let distinct: BTreeSet<PuIndex> = pcpus.iter().copied().collect();
        let near = |cpu: PuIndex| {
            let home = machine.pu(cpu).and_then(|pu| pu.home()).and_then(|home| machine.node(home));
            // Asking for the nearest node looks at all of them, for each of hundreds of CPUs in each of thousands of cells.
            let local = match home.filter(|home| machine.has_memory(home)) {
                Some(home) => home.os_index,
                None => Memory::Local.nodes(machine, &[cpu])?[0],
            };
            Ok((cpu, Near { home: home.map(|home| (home.os_index, home.forbidden)), local }))
        };
        let near: BTreeMap<PuIndex, Near> = distinct.into_iter().map(near).collect::<Result<_, Error>>()?;
        let nodes: Vec<u32> = pcpus.iter().map(|cpu| near[cpu].local.0).collect();
        let together = nodes.iter().all(|node| shared == [*node]);
        Ok(Self { nodes: if together { Vec::new() } else { nodes }, notes: away(&near) })
    }
}

/// The nodes near a CPU.
#[derive(Clone, Copy, PartialEq)]
struct Near {
    /// Its own, and whether this process may not use the memory there; none for a CPU that is near none.
    home: Option<(NodeIndex, bool)>,
    /// The one that its local memory is on.
    local: NodeIndex,
}

/// A sentence for each group of CPUs whose local memory is not on their own node.
fn away(own: &BTreeMap<PuIndex, Near>) -> Vec<String> {
    let mut groups: Vec<(Near, Vec<PuIndex>)> = Vec::new();
    for (&cpu, &near) in own.iter().filter(|(_, near)| near.home.map(|(home, _)| home) != Some(near.local)) {
        match groups.iter_mut().find(|(group, _)| *group == near) {
            Some((_, cpus)) => cpus.push(cpu),
            None => groups.push((near, vec![cpu])),
        }
    }
    let sentence = |(near, cpus): (Near, Vec<PuIndex>)| {
        let plural = if cpus.len() == 1 { "" } else { "s" };
        let cpus: CpuList = cpus.into_iter().collect();
        let why = match near.home {
            None => "which no node is near".to_owned(),
            Some((home, true)) => format!("node {home}, whose memory is not allowed to this process"),
            Some((home, false)) => format!("node {home}, which has no memory"),
        };
        format!("local memory of CPU{plural} {cpus} ({why}) is on node {}", near.local)
    };
    groups.into_iter().map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{Placement, Source, load};

    fn machine(text: &str) -> Machine {
        load(&Source::Synthetic(text.into())).unwrap().0
    }

    /// Two nodes of two CPUs.
    fn two() -> Machine {
        machine("pack:2 [numa] core:2 pu:1")
    }

    fn on(machine: &Machine, cpus: &[u32], shared: &[u32]) -> Blocks {
        let cpus: Vec<PuIndex> = cpus.iter().copied().map(PuIndex).collect();
        Blocks::on(machine, &cpus, shared).unwrap()
    }

    #[test]
    fn each_block_lies_on_its_own_vcpus_node_wherever_the_lock_lies() {
        for shared in [&[0][..], &[1], &[0, 1]] {
            let expected = Blocks { nodes: vec![0, 1, 1, 0], notes: Vec::new() };
            assert_eq!(on(&two(), &[0, 2, 3, 1], shared), expected);
        }
        let four = machine("pack:4 [numa] core:2 pu:1");
        for placement in Placement::ALL {
            let cpus = placement.order(&four).unwrap();
            let homes: Vec<u32> = cpus.iter().map(|cpu| cpu.0 / 2).collect();
            assert_eq!(Blocks::on(&four, &cpus, &[3]).unwrap().nodes, homes, "{placement}");
        }
    }

    /// So that a build that does not know the field takes the spec.
    #[test]
    fn blocks_are_not_named_where_all_lie_on_the_node_of_the_lock() {
        assert!(on(&two(), &[2, 3, 2], &[1]).nodes.is_empty());
        assert_eq!(on(&two(), &[2, 3, 2], &[0]).nodes, [1, 1, 1]);
        assert!(on(&machine("core:2 pu:1"), &[0, 1], &[0]).nodes.is_empty());
    }

    #[test]
    fn what_is_local_to_a_node_without_memory_lies_on_the_nearest_that_has_and_is_said() {
        let mut machine = two();
        machine.nodes[0].memory_bytes = Some(1 << 30);
        machine.nodes[1].memory_bytes = None;
        let said = ["local memory of CPUs 2-3 (node 1, which has no memory) is on node 0"];
        assert_eq!(on(&machine, &[0, 3, 2], &[0]).notes, said);
        assert_eq!(on(&machine, &[0, 3, 2], &[1]).nodes, [0, 0, 0]);
        let said = ["local memory of CPU 3 (node 1, which has no memory) is on node 0"];
        assert_eq!(on(&machine, &[3], &[0]).notes, said);
        assert!(on(&machine, &[0, 1], &[0]).notes.is_empty());
        machine.nodes[1].memory_bytes = Some(1 << 30);
        machine.nodes[1].forbidden = true;
        let said =
            ["local memory of CPU 3 (node 1, whose memory is not allowed to this process) is on node 0"];
        assert_eq!(on(&machine, &[3], &[0]).notes, said);
        for pu in &mut machine.pus[2..] {
            pu.nodes.clear();
        }
        let said = ["local memory of CPU 2 (which no node is near) is on node 0"];
        assert_eq!(on(&machine, &[2], &[0]).notes, said);
    }
}
