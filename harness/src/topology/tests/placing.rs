//! What every placement promises, on every machine.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use super::{OPTERON, UV, from_sample, made, synthetic, zoo};
use crate::topology::{
    Absences, CpuList, Error, Machine, NodeIndex, Placement, Pu, PuIndex, assign, describe,
};

fn order(machine: &Machine, placement: Placement) -> Vec<&Pu> {
    placement.order(machine).unwrap().into_iter().map(|cpu| machine.pu(cpu).unwrap()).collect()
}

fn listed(machine: &Machine, placement: Placement) -> String {
    placement.order(machine).unwrap().into_iter().collect::<CpuList>().to_string()
}

/// Every placement of the machine, one for each node included.
fn placements(machine: &Machine) -> Vec<Placement> {
    let nodes = machine.nodes.iter().filter(|node| !node.cpus.is_empty());
    Placement::ALL.into_iter().chain(nodes.map(|node| Placement::Node(node.os_index))).collect()
}

/// Whether no key comes back once another has followed it.
fn in_one_piece<K: Eq + std::hash::Hash>(keys: impl IntoIterator<Item = K>) -> bool {
    let mut keys: Vec<_> = keys.into_iter().collect();
    keys.dedup();
    let distinct = keys.len();
    keys.into_iter().collect::<HashSet<_>>().len() == distinct
}

#[test]
fn cpus_are_distinct_and_exist_and_fewer_are_a_prefix() {
    for machine in zoo() {
        for placement in placements(&machine) {
            let all = placement.order(&machine).unwrap();
            let distinct: HashSet<_> = all.iter().collect();
            assert_eq!(distinct.len(), all.len(), "{placement} on {}", machine.source);
            match placement {
                Placement::Node(node) => assert_eq!(all.len(), machine.node(node).unwrap().cpus.len()),
                Placement::FirstNode => {
                    let node = machine.pu(all[0]).unwrap().home();
                    let cpus = node.map_or(machine.pus.len(), |node| machine.node(node).unwrap().cpus.len());
                    assert_eq!(all.len(), cpus, "{placement} on {}", machine.source);
                }
                _ => assert_eq!(all.len(), machine.pus.len()),
            }
            for wanted in [0, 1, all.len() / 2, all.len()] {
                assert_eq!(placement.place(&machine, wanted).unwrap(), all[..wanted]);
            }
            let have = all.len();
            assert_eq!(
                placement.place(&machine, have + 1),
                Err(Error::TooFewCpus { placement: placement.to_string(), wanted: have + 1, have })
            );
        }
    }
}

#[test]
fn the_same_holds_on_any_part_of_a_machine() {
    for machine in zoo() {
        for step in [2, 3, 5] {
            let part: CpuList = machine.cpus().iter().step_by(step).collect();
            let part = machine.restricted_to(&part).unwrap();
            for placement in placements(&part) {
                let cpus = placement.order(&part).unwrap();
                assert_eq!(cpus.iter().collect::<HashSet<_>>().len(), cpus.len());
                assert!(cpus.iter().all(|&cpu| part.pu(cpu).is_some()));
            }
            assert!(part.cores.iter().all(|core| !core.cpus.is_empty()));
            let ranks = order(&part, Placement::SmtLast).into_iter().map(|pu| pu.sibling_rank);
            assert!(ranks.is_sorted(), "siblings are ranked anew");
        }
    }
}

#[test]
fn compact_fills_a_node_before_the_next() {
    for machine in zoo() {
        let cpus = order(&machine, Placement::Compact);
        let nodes = cpus.iter().map(|pu| (pu.home(), pu.home().is_none().then_some(pu.package)));
        assert!(in_one_piece(nodes), "{}", machine.source);
    }
    let smt = synthetic("pack:2 core:2 pu:2");
    assert_eq!(listed(&smt, Placement::Compact), "0,2,1,3-4,6,5,7");
}

#[test]
fn scatter_deals_over_nodes_first_where_they_have_several_packages() {
    // As hypervisors make them: every CPU, or every core, is a package of its own.
    let machine = synthetic("numa:4 pack:2 core:1 pu:1");
    assert_eq!(listed(&machine, Placement::Scatter), "0,2,4,6,1,3,5,7");
    assert_eq!(listed(&machine, Placement::Compact), "0-7");
    let smt = synthetic("numa:2 pack:2 core:1 pu:2");
    assert_eq!(listed(&smt, Placement::Scatter), "0,4,2,6,1,5,3,7");
    assert_eq!(listed(&smt, Placement::Compact), "0-7");
}

#[test]
fn scatter_takes_another_package_each_time() {
    for machine in zoo() {
        let packages = machine.packages.len();
        let first: HashSet<_> =
            order(&machine, Placement::Scatter).iter().take(packages).map(|pu| pu.package).collect();
        assert_eq!(first.len(), packages, "{}", machine.source);
        let ranks = order(&machine, Placement::Scatter).into_iter().map(|pu| pu.sibling_rank);
        assert!(ranks.is_sorted(), "cores before siblings on {}", machine.source);
    }
    let deep = synthetic("pack:2 numa:2 l3:2 core:2 pu:1");
    assert_eq!(listed(&deep, Placement::Scatter), "0,8,4,12,2,10,6,14,1,9,5,13,3,11,7,15");
}

#[test]
fn round_robin_takes_another_node_each_time() {
    let machine = from_sample(UV);
    let nodes: Vec<_> =
        order(&machine, Placement::RoundRobin).iter().take(48).map(|pu| pu.nodes[0].0).collect();
    assert_eq!(nodes, (0..24).chain(0..24).collect::<Vec<_>>());
    let opteron = from_sample(OPTERON);
    assert_eq!(Placement::RoundRobin.place(&opteron, 9).unwrap().last(), Some(&PuIndex(1)));
}

#[test]
fn smt_first_and_last() {
    for machine in zoo() {
        let cores = order(&machine, Placement::SmtFirst).into_iter().map(|pu| pu.core);
        assert!(cores.is_sorted(), "{}", machine.source);
        let ranks = order(&machine, Placement::SmtLast).into_iter().map(|pu| pu.sibling_rank);
        assert!(ranks.is_sorted(), "{}", machine.source);
    }
    let hybrid = made::HYBRID.load();
    assert_eq!(listed(&hybrid, Placement::SmtFirst), "0-5");
    assert_eq!(listed(&hybrid, Placement::SmtLast), "0,2,4-5,1,3");
}

#[test]
fn one_node() {
    let machine = made::EXPANDER.load();
    assert_eq!(listed(&machine, Placement::Node(NodeIndex(1))), "2-3");
    let empty = Placement::Node(NodeIndex(4)).place(&machine, 1);
    assert_eq!(empty, Err(Error::NodeWithoutCpus { node: NodeIndex(4), absent: Absences::new() }));
    let unknown = Placement::Node(NodeIndex(7)).place(&machine, 1).unwrap_err();
    assert_eq!(unknown.to_string(), "the machine has no NUMA node 7; choose among 0-1,4");
}

#[test]
fn the_first_node_is_one_with_cpus_whatever_its_number() {
    let machine = made::EXPANDER.load();
    assert_eq!(listed(&machine, Placement::FirstNode), "0-1");
    let second = machine.restricted_to(&"2-3".parse().unwrap()).unwrap();
    assert_eq!(listed(&second, Placement::FirstNode), "2-3", "node 0 is left without a CPU");
}

#[test]
fn vcpus_go_round() {
    let pcpus = [PuIndex(4), PuIndex(2), PuIndex(9)];
    let on: Vec<_> = assign(7, &pcpus).into_iter().map(|cpu| cpu.0).collect();
    assert_eq!(on, [4, 2, 9, 4, 2, 9, 4]);
    assert_eq!(assign(3, &[]), []);
}

#[test]
fn explicit_lists_are_checked() {
    let machine = made::HIGH.load();
    let refused = |list: &str| machine.restricted_to(&list.parse().unwrap()).unwrap_err().to_string();
    insta::assert_snapshot!([refused("7,3-4"), refused("2000"), refused("0,5")].join("\n"));
    let part = machine.restricted_to(&"1024,4095".parse().unwrap()).unwrap();
    assert_eq!(part.cpus().to_string(), "1024,4095");
    assert_eq!(part.pu(PuIndex(1024)).unwrap().sibling_rank, 0);
    assert_eq!(part.nodes.len(), 2);
    assert_eq!(part.unavailable.to_string(), "0,7,1023,2000");
}

#[test]
fn names() {
    for placement in Placement::ALL.into_iter().chain([Placement::Node(NodeIndex(12))]) {
        assert_eq!(placement.to_string().parse(), Ok(placement));
        let json = serde_json::to_string(&placement).unwrap();
        assert_eq!(json, format!("\"{placement}\""));
        assert_eq!(serde_json::from_str::<Placement>(&json).unwrap(), placement);
    }
    for wrong in ["", "Compact", "node", "node:", "node:x", "node:-1", "node:+1", "node:99999999999"] {
        assert_eq!(wrong.parse::<Placement>(), Err(Error::UnknownPlacement(wrong.to_owned())));
    }
}

#[test]
fn large_machines_are_planned_at_once() {
    let start = Instant::now();
    let machine = from_sample(UV);
    for placement in placements(&machine) {
        placement.place(&machine, 16).unwrap();
    }
    describe(&machine, 768);
    // A few dozen milliseconds here; the bound only catches a wrong order of growth.
    assert!(start.elapsed() < Duration::from_secs(10));
}
