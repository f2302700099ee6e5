//! Where memory goes.

use super::{OPTERON, UV, from_sample, made, synthetic, zoo};
use crate::topology::{Error, Machine, Memory, NodeIndex, PuIndex};

fn nodes(machine: &Machine, memory: Memory, first: u32) -> Vec<u32> {
    memory.nodes(machine, &[PuIndex(first)]).unwrap().into_iter().map(|node| node.0).collect()
}

#[test]
fn local_is_the_first_cpus_node() {
    for machine in zoo() {
        for pu in &machine.pus {
            let local = Memory::Local.nodes(&machine, &[pu.os_index]).unwrap();
            assert_eq!(local.len(), 1);
            if let Some(home) = pu.nodes.first() {
                assert_eq!(local, [*home], "{}", machine.source);
            }
        }
    }
    assert_eq!(nodes(&made::BARE_PACKAGE.load(), Memory::Local, 2), [0], "the nearest where there is none");
}

#[test]
fn remote_is_the_farthest() {
    let opteron = from_sample(OPTERON);
    assert_eq!(nodes(&opteron, Memory::Remote, 0), [3], "22, the lowest number of four as far");
    let uv = from_sample(UV);
    let remote = nodes(&uv, Memory::Remote, 0)[0];
    let distance = |node| uv.distance(NodeIndex(0), NodeIndex(node)).unwrap();
    assert_eq!(distance(remote), (0..24).map(distance).max().unwrap());
}

#[test]
fn without_distances_another_package_is_remote() {
    let machine = synthetic("pack:2 numa:2 core:1 pu:1");
    assert_eq!(machine.distances, None);
    assert_eq!(nodes(&machine, Memory::Remote, 0), [2]);
    assert_eq!(nodes(&machine, Memory::Remote, 3), [0]);
    assert_eq!(nodes(&made::FAST_MEMORY.load(), Memory::Remote, 0), [1], "fast memory here is not remote");
}

#[test]
fn one_node_has_nothing_remote() {
    let machine = synthetic("core:4 pu:1");
    assert_eq!(
        Memory::Remote.nodes(&machine, &[PuIndex(0)]),
        Err(Error::NoRemoteNode { absent: Vec::new() })
    );
    assert_eq!(nodes(&machine, Memory::Interleave, 0), [0]);
}

#[test]
fn interleaving_takes_every_node_with_memory() {
    assert_eq!(nodes(&made::EXPANDER.load(), Memory::Interleave, 0), [0, 1, 4]);
}

#[test]
fn a_cpu_that_is_not_there() {
    let machine = synthetic("pu:2");
    assert!(matches!(Memory::Local.nodes(&machine, &[PuIndex(7)]), Err(Error::UnknownCpus { .. })));
    assert_eq!(Memory::Local.nodes(&machine, &[]).unwrap(), [NodeIndex(0)]);
}

#[test]
fn names() {
    for memory in Memory::ALL {
        assert_eq!(memory.to_string().parse(), Ok(memory));
        assert_eq!(serde_json::to_string(&memory).unwrap(), format!("\"{memory}\""));
    }
    assert_eq!("near".parse::<Memory>(), Err(Error::UnknownMemory("near".to_owned())));
}
