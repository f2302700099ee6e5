//! What exists and may not be used: named, never used, never said not to exist.

use super::{OFFLINES, from_sample, made, synthetic};
use crate::topology::limits::Limits;
use crate::topology::{
    CpuList, Distances, Error, Machine, Memory, NodeIndex, Placement, PuIndex, Why, describe, pairs,
};

fn list(text: &str) -> Option<CpuList> {
    Some(text.parse().unwrap())
}

/// A machine of four nodes of two CPUs each, that says it is ours.
fn ours() -> Machine {
    Machine { is_this_system: true, ..synthetic("pack:4 numa:1 core:2 pu:1") }
}

/// Only the CPUs and the memory of nodes 0 and 1, as in a container.
fn in_a_cpuset() -> Machine {
    let limits = Limits { mask: list("0-3"), cpuset: list("0-3"), nodes: list("0-1"), ..Limits::default() };
    ours().within(&limits).unwrap()
}

fn refused(machine: &Machine, cpus: &str) -> String {
    machine.check(&cpus.parse().unwrap()).unwrap_err().to_string()
}

fn on_node(machine: &Machine, node: u32) -> String {
    Placement::Node(NodeIndex(node)).place(machine, 1).unwrap_err().to_string()
}

#[test]
fn no_such_cpu_offline_and_not_allowed_are_three_things() {
    let whole = Machine { unavailable: list("8-11").unwrap(), ..ours() };
    let limits = Limits {
        mask: list("0-3"),
        cpuset: list("0-5"),
        nodes: list("0-3"),
        offline: list("8-9,12-63").unwrap(),
    };
    let machine = whole.within(&limits).unwrap();
    assert_eq!(machine.cpus().to_string(), "0-3");
    assert_eq!(refused(&machine, "0,99"), "the machine has no CPU 99; choose among CPUs 0-3");
    assert_eq!(refused(&machine, "8"), "CPU 8 is offline; choose among CPUs 0-3");
    let mask = "not allowed to this process by its CPU mask (taskset, isolcpus)";
    assert_eq!(refused(&machine, "4-5"), format!("CPUs 4-5 are {mask}; choose among CPUs 0-3"));
    let cpuset = "not allowed to this process by its cpuset (cgroup)";
    assert_eq!(refused(&machine, "3,6"), format!("CPU 6 is {cpuset}; choose among CPUs 0-3"));
    assert_eq!(
        refused(&machine, "4,6,8,10"),
        format!(
            "CPU 8 is offline, CPU 4 is {mask}, CPU 6 is {cpuset}, CPU 10 is offline or not allowed; choose among CPUs 0-3"
        )
    );
}

#[test]
fn what_keeps_a_cpu_away_is_not_guessed() {
    let machine = ours().within(&Limits { mask: list("0"), ..Limits::default() }).unwrap();
    assert_eq!(refused(&machine, "1"), "CPU 1 is not allowed to this process; choose among CPU 0");
    assert_eq!(ours().within(&Limits::default()).unwrap(), ours(), "a kernel that tells nothing");
    let offlines = from_sample(OFFLINES);
    assert!(refused(&offlines, "2").starts_with("CPU 2 is offline or not allowed; choose among"));
    let chosen = ours().restricted_to(&list("0-1").unwrap()).unwrap();
    assert_eq!(refused(&chosen, "2"), "CPU 2 is left out by --pcpus; choose among CPUs 0-1");
    assert_eq!(ours().within(&Limits { mask: list("9"), ..Limits::default() }), Err(Error::NoCpu));
}

#[test]
fn a_node_outside_the_cpuset_is_not_allowed() {
    let machine = in_a_cpuset();
    assert_eq!(machine.node_indices(), [NodeIndex(0), NodeIndex(1)]);
    assert_eq!(machine.absent_nodes.get(&NodeIndex(2)), Some(&Why::Cpuset));
    let cpuset = "not allowed to this process by its cpuset (cgroup)";
    assert_eq!(on_node(&machine, 2), format!("NUMA node 2 is {cpuset}; choose among 0-1"));
    assert_eq!(on_node(&machine, 7), "the machine has no NUMA node 7; choose among 0-1");
}

#[test]
fn a_node_whose_cpus_are_not_allowed_keeps_its_memory() {
    let limits = Limits { mask: list("0-1"), cpuset: list("0-7"), nodes: list("0-3"), ..Limits::default() };
    let machine = ours().within(&limits).unwrap();
    let mask = "CPUs 2-3 are not allowed to this process by its CPU mask (taskset, isolcpus)";
    let told = format!("of NUMA node 1 no CPU can be used: {mask}; place vCPUs on another node");
    assert_eq!(on_node(&machine, 1), told);
    let nodes = |memory: Memory| memory.nodes(&machine, &[PuIndex(0)]).unwrap();
    assert_eq!(nodes(Memory::Interleave).len(), 4);
    assert_ne!(nodes(Memory::Remote), [NodeIndex(0)]);
    assert_eq!(on_node(&made::EXPANDER.load(), 4), "NUMA node 4 has no CPUs; place vCPUs on another node");
}

#[test]
fn memory_goes_on_allowed_nodes_alone() {
    // CPUs of all nodes, memory of two: as with cpuset.mems=1,3.
    let limits = Limits { mask: list("0-7"), cpuset: list("0-7"), nodes: list("1,3"), ..Limits::default() };
    let machine = ours().within(&limits).unwrap();
    assert_eq!(machine.node_indices().len(), 4, "their CPUs are where they are");
    let nodes = |memory: Memory, cpu: u32| -> Vec<u32> {
        memory.nodes(&machine, &[PuIndex(cpu)]).unwrap().into_iter().map(|node| node.0).collect()
    };
    assert_eq!(nodes(Memory::Interleave, 0), [1, 3]);
    assert_eq!((nodes(Memory::Local, 2), nodes(Memory::Remote, 2)), (vec![1], vec![3]));
    assert_eq!(nodes(Memory::Local, 0), [1], "the nearest that is allowed");
    assert!(nodes(Memory::Remote, 0) == [3]);
    assert_eq!(pairs(&machine, &[PuIndex(0), PuIndex(2)])[0].nodes, [0, 1]);
    let one = Limits { nodes: list("0"), ..limits };
    let one = ours().within(&one).unwrap();
    let refused = Memory::Remote.nodes(&one, &[PuIndex(0)]).unwrap_err().to_string();
    assert_eq!(
        refused,
        "memory cannot be remote: all that this process may use is in one NUMA node, for the memory of nodes 1-3 is not \
         allowed to it; use local memory"
    );
}

#[test]
fn nodes_without_memory_are_not_forbidden() {
    let mut whole = ours();
    whole.nodes[1].memory_bytes = None;
    let limits = Limits { nodes: list("0,2-3"), ..Limits::default() };
    let machine = whole.within(&limits).unwrap();
    assert!(machine.absent_memory().is_empty());
    assert_eq!(machine.nodes.len(), 4);
}

#[test]
fn what_may_not_be_used_is_drawn_with_why() {
    let whole = Machine { unavailable: list("8-11").unwrap(), ..ours() };
    let limits =
        Limits { mask: list("0-3"), cpuset: list("0-4"), nodes: list("0,2"), offline: list("8-63").unwrap() };
    let nodes = (0..4).map(NodeIndex).collect();
    let distances = Some(Distances { nodes, values: vec![20; 16] });
    let whole = Machine { distances, ..whole };
    insta::assert_snapshot!(describe(&whole.within(&limits).unwrap(), 4));
}

#[test]
fn a_machine_in_a_cpuset_survives_serialisation() {
    for machine in [in_a_cpuset(), in_a_cpuset().restricted_to(&list("1").unwrap()).unwrap()] {
        let json = serde_json::to_string(&machine).unwrap();
        assert_eq!(serde_json::from_str::<Machine>(&json).unwrap(), machine);
    }
}
