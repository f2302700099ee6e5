//! Which pairs play ping-pong.

use lockbench_reports::record::Pair;

use super::{OFFLINES, OPTERON, UV, from_sample, made, synthetic, zoo};
use crate::topology::{CpuList, Distances, Machine, NodeIndex, Placement, PuIndex, pairs};

/// "0-1 in 0" or "0-6 across 0-3", in the order in which they are looked at.
fn shown(pairs: &[Pair]) -> Vec<String> {
    let shown = pairs.iter().map(|pair| {
        let ([here, there], [near, far]) = (pair.pcpus, pair.nodes);
        if near == far {
            format!("{here}-{there} in {near}")
        } else {
            format!("{here}-{there} across {near}-{far}")
        }
    });
    shown.collect()
}

/// The pairs of a cell on the first `pcpus` pCPUs of a placement.
fn of(machine: &Machine, placement: Placement, pcpus: usize) -> Vec<String> {
    shown(&pairs(machine, &placement.place(machine, pcpus).unwrap()))
}

fn on(machine: &Machine, pcpus: &str) -> Vec<String> {
    shown(&pairs(machine, &pcpus.parse::<CpuList>().unwrap().iter().collect::<Vec<_>>()))
}

#[test]
fn one_node_has_the_pair_that_it_always_had() {
    for machine in [synthetic("core:4 pu:1"), synthetic("core:4 pu:2"), made::HYBRID.load()] {
        for placement in [Placement::Compact, Placement::Scatter, Placement::SmtLast] {
            let pcpus = placement.place(&machine, 4).unwrap();
            let expected = Pair { pcpus: [pcpus[0].0, pcpus[1].0], nodes: [0, 0] };
            assert_eq!(pairs(&machine, &pcpus), [expected], "{placement} on {}", machine.source);
        }
    }
    assert_eq!(of(&from_sample(OFFLINES), Placement::Compact, 7), ["0-4 in 0"], "four packages, one node");
}

#[test]
fn one_pcpu_has_no_pair() {
    assert!(of(&synthetic("numa:4 core:2 pu:1"), Placement::Compact, 1).is_empty());
    assert!(pairs(&synthetic("numa:4 core:2 pu:1"), &[]).is_empty());
}

#[test]
fn a_pair_inside_each_node_and_one_across_the_farthest() {
    let machine = synthetic("numa:4 core:2 pu:1");
    let all = ["0-1 in 0", "2-3 in 1", "4-5 in 2", "6-7 in 3", "0-6 across 0-3"];
    assert_eq!(of(&machine, Placement::Compact, 8), all);
    assert_eq!(of(&machine, Placement::Compact, 4), ["0-1 in 0", "2-3 in 1", "0-2 across 0-1"]);
}

#[test]
fn a_cell_on_one_node_of_four_looks_there() {
    let machine = synthetic("numa:4 core:2 pu:1");
    assert_eq!(of(&machine, Placement::Node(NodeIndex(2)), 2), ["4-5 in 2"]);
    assert_eq!(on(&machine, "6-7"), ["6-7 in 3"]);
}

#[test]
fn a_node_with_one_of_the_pcpus_has_no_pair_inside() {
    let machine = synthetic("numa:4 core:2 pu:1");
    assert_eq!(on(&machine, "0,2"), ["0-2 across 0-1"]);
    assert_eq!(on(&machine, "0-2"), ["0-1 in 0", "0-2 across 0-1"]);
    // The first two pCPUs come first even where others are farther apart: older records have them.
    let scattered = of(&machine, Placement::RoundRobin, 4);
    assert_eq!(scattered, ["0-2 across 0-1", "0-6 across 0-3"]);
}

#[test]
fn the_firmware_tells_which_nodes_are_farthest() {
    let mut machine = synthetic("numa:4 core:2 pu:1");
    let nodes: Vec<NodeIndex> = (0..4).map(NodeIndex).collect();
    let mut distances = Distances { nodes, values: vec![20; 16] };
    // From node 2 to node 1, and not the other way.
    distances.values[2 * 4 + 1] = 31;
    machine.distances = Some(distances);
    assert_eq!(of(&machine, Placement::Compact, 8).last().unwrap(), "2-4 across 1-2");
    let opteron = of(&from_sample(OPTERON), Placement::Compact, 64);
    assert_eq!(opteron.len(), 9);
    let uv = from_sample(UV);
    let of_uv = pairs(&uv, &Placement::Compact.order(&uv).unwrap());
    assert_eq!(of_uv.len(), 25);
    let [one, two] = of_uv[24].nodes.map(NodeIndex);
    let all = || uv.node_indices().into_iter();
    let most = all().flat_map(|from| all().map(move |to| (from, to)));
    let most = most.filter_map(|(from, to)| uv.distance(from, to)).max();
    assert_eq!(uv.distance(one, two).max(uv.distance(two, one)), most);
}

#[test]
fn without_distances_other_packages_are_farther() {
    let machine = synthetic("pack:2 numa:2 core:2 pu:1");
    assert_eq!(machine.distances, None);
    assert_eq!(of(&machine, Placement::Compact, 8).last().unwrap(), "0-6 across 0-3");
    // Node 1 and node 2 are neighbours by number, and of two packages.
    assert_eq!(on(&machine, "2-5"), ["2-3 in 1", "4-5 in 2", "2-4 across 1-2"]);
    assert_eq!(on(&machine, "0,2,4"), ["0-2 across 0-1", "0-4 across 0-2"]);
}

#[test]
fn cores_are_looked_at_rather_than_siblings() {
    let machine = synthetic("numa:2 core:2 pu:2");
    // The first two pCPUs are siblings; older records have their distance, and it says nothing of other cores.
    let first = of(&machine, Placement::SmtFirst, 8);
    assert_eq!(first, ["0-1 in 0", "0-2 in 0", "4-6 in 1", "0-4 across 0-1"]);
    assert_eq!(of(&machine, Placement::Compact, 8), ["0-2 in 0", "4-6 in 1", "0-4 across 0-1"]);
    assert_eq!(of(&machine, Placement::SmtFirst, 2), ["0-1 in 0"], "there is no other core");
}

#[test]
fn cpus_near_no_node_are_looked_at_by_package() {
    let machine = made::BARE_PACKAGE.load();
    assert_eq!(of(&machine, Placement::Compact, 4), ["0-1 in 0", "2-3 in 0", "0-2 in 0"]);
}

#[test]
fn pairs_are_of_the_cell_and_stand_once_on_any_machine() {
    for machine in zoo() {
        for placement in Placement::ALL {
            let pcpus = placement.order(&machine).unwrap();
            for taken in 0..=pcpus.len().min(12) {
                let chosen = pairs(&machine, &pcpus[..taken]);
                assert_eq!(chosen.is_empty(), taken < 2, "{placement} on {}", machine.source);
                assert_eq!(chosen, pairs(&machine, &pcpus[..taken]));
                for (at, pair) in chosen.iter().enumerate() {
                    let [here, there] = pair.pcpus.map(PuIndex);
                    assert!(here != there && [here, there].iter().all(|cpu| pcpus[..taken].contains(cpu)));
                    let again =
                        |other: &Pair| other.pcpus.contains(&here.0) && other.pcpus.contains(&there.0);
                    assert!(!chosen[at + 1..].iter().any(again), "{placement} on {}", machine.source);
                }
            }
        }
    }
}
