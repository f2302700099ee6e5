//! Which pCPUs play ping-pong: the pairs whose distances say how far apart a cell's pCPUs are.

use std::cmp::Reverse;
use std::collections::HashMap;

use lockbench_reports::record::Pair;

use super::{Machine, Memory, NodeIndex, Pu, PuIndex, group::grouped};

/// The pairs to look at where vCPUs run on `pcpus`: the first two pCPUs, then a pair inside each NUMA node that has two of
/// them, then one across the two of their nodes that are farthest apart. A pair that is there already is not named again,
/// so that on one node the first two pCPUs are the only pair. They come first everywhere: what earlier builds recorded
/// is the distance of these two.
///
/// A pair inside a node takes two cores where it can, for hardware threads of one core share its first cache and stay
/// together whatever the host does; where the first two pCPUs are such siblings, two cores of their node come on top.
///
/// Distance is the firmware's where known. Nodes as far apart by that are told apart by package, then by the gap between
/// their numbers; among equals the lowest numbers win.
pub fn pairs(machine: &Machine, pcpus: &[PuIndex]) -> Vec<Pair> {
    let by_index: HashMap<PuIndex, &Pu> = machine.pus.iter().map(|pu| (pu.os_index, pu)).collect();
    let pus: Vec<&Pu> = pcpus.iter().filter_map(|cpu| by_index.get(cpu).copied()).collect();
    let [first, second, ..] = pus[..] else { return Vec::new() };
    // CPUs that are near no node are told apart by their packages.
    let nodes = grouped(pus, |pu| (pu.home(), pu.home().is_none().then_some(pu.package)));
    let nodes: Vec<Vec<&Pu>> = nodes.into_iter().map(|(_, pus)| pus).collect();
    let inside = nodes.iter().filter_map(|pus| {
        let another = pus.iter().find(|pu| pu.core != pus[0].core).or(pus.get(1))?;
        Some([pus[0], *another])
    });
    let mut chosen: Vec<Pair> = Vec::new();
    for pus in std::iter::once([first, second]).chain(inside).chain(farthest(machine, &nodes)) {
        let pair = Pair { pcpus: pus.map(|pu| pu.os_index.0), nodes: pus.map(|pu| node_of(machine, pu).0) };
        let [here, there] = pair.pcpus;
        if !chosen.iter().any(|known| known.pcpus == [here, there] || known.pcpus == [there, here]) {
            chosen.push(pair);
        }
    }
    chosen
}

/// The first pCPUs of the two nodes that are farthest apart.
fn farthest<'a>(machine: &Machine, nodes: &[Vec<&'a Pu>]) -> Option<[&'a Pu; 2]> {
    let firsts: Vec<&Pu> = nodes.iter().map(|pus| pus[0]).collect();
    let couples =
        firsts.iter().enumerate().flat_map(|(at, one)| firsts[at + 1..].iter().map(move |two| [*one, *two]));
    couples.max_by_key(|couple| {
        let [one, two] = couple.map(|pu| node_of(machine, pu));
        let distance = machine.distance(one, two).max(machine.distance(two, one));
        let packages_differ = couple[0].package != couple[1].package;
        (distance, packages_differ, one.0.abs_diff(two.0), Reverse(one.min(two)))
    })
}

/// A pCPU's own node; where it has none, the nearest with memory.
fn node_of(machine: &Machine, pu: &Pu) -> NodeIndex {
    let nearest = || Memory::Local.nodes(machine, &[pu.os_index]).ok()?.first().copied();
    pu.home().or_else(nearest).unwrap_or(NodeIndex(0))
}
