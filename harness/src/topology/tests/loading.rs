//! From every kind of source to a machine.

use std::process::Command;

use super::{OFFLINES, OPTERON, UV, from_sample, made, sample, synthetic, zoo};
use crate::topology::{Machine, NodeIndex, PuIndex, Source, current_cpu, load, pin_current};

fn counts(machine: &Machine) -> [usize; 4] {
    [machine.packages.len(), machine.nodes.len(), machine.cores.len(), machine.pus.len()]
}

#[test]
fn samples() {
    assert_eq!(counts(&from_sample(OPTERON)), [4, 8, 64, 64]);
    assert_eq!(counts(&from_sample(UV)), [24, 24, 192, 384]);
    let offlines = from_sample(OFFLINES);
    assert_eq!(counts(&offlines), [4, 1, 6, 7]);
    assert_eq!(offlines.cpus().to_string(), "0-1,3-4,6,12,15");
    assert_eq!(offlines.unavailable.to_string(), "2,5,7-11,13-14");
}

#[test]
fn distances() {
    let opteron = from_sample(OPTERON);
    assert_eq!(opteron.distance(NodeIndex(0), NodeIndex(0)), Some(10));
    assert_eq!(opteron.distance(NodeIndex(0), NodeIndex(3)), Some(22));
    assert_eq!(opteron.distance(NodeIndex(0), NodeIndex(99)), None);
}

#[test]
fn synthetic_descriptions() {
    assert_eq!(counts(&synthetic("pack:2 numa:1 core:4 pu:2")), [2, 2, 8, 16]);
    let bare = synthetic("pu:4");
    assert_eq!(counts(&bare), [1, 1, 4, 4], "no package, no cores: one and four are assumed");
    assert_eq!(bare.packages[0].os_index, None);
    assert!(!bare.is_this_system);
}

#[test]
fn node_without_cpus() {
    let machine = made::EXPANDER.load();
    let expander = machine.node(NodeIndex(4)).unwrap();
    assert!(expander.cpus.is_empty());
    assert_eq!((expander.memory_bytes, expander.kind.as_deref()), (Some(1 << 34), Some("CXL")));
    assert_eq!(machine.pu(PuIndex(3)).unwrap().nodes, [NodeIndex(1)]);
}

#[test]
fn cpus_without_memory() {
    let machine = made::BARE_PACKAGE.load();
    assert_eq!(machine.pu(PuIndex(0)).unwrap().nodes, [NodeIndex(0)]);
    assert_eq!(machine.pu(PuIndex(2)).unwrap().nodes, []);
}

#[test]
fn plain_memory_comes_before_fast_memory() {
    let machine = made::FAST_MEMORY.load();
    assert_eq!(machine.pu(PuIndex(2)).unwrap().nodes, [NodeIndex(1), NodeIndex(3)]);
}

#[test]
fn numbers_above_1023() {
    let machine = made::HIGH.load();
    assert_eq!(machine.cpus().to_string(), "7,1023-1024,4095");
    assert_eq!(machine.pu(PuIndex(1024)).unwrap().sibling_rank, 1);
    assert_eq!(machine.unavailable.to_string(), "0,2000");
    assert_eq!(machine.node_indices(), [NodeIndex(2), NodeIndex(9)]);
}

#[test]
fn machines_are_consistent_and_survive_serialisation() {
    for machine in zoo() {
        for pu in &machine.pus {
            assert!(machine.packages[pu.package].cpus.contains(pu.os_index), "{}", machine.source);
            let siblings = &machine.cores[pu.core].cpus;
            assert_eq!(
                siblings.iter().nth(pu.sibling_rank as usize),
                Some(pu.os_index),
                "{}",
                machine.source
            );
            for &node in &pu.nodes {
                assert!(machine.node(node).unwrap().cpus.contains(pu.os_index), "{}", machine.source);
            }
        }
        let json = serde_json::to_string(&machine).unwrap();
        assert_eq!(serde_json::from_str::<Machine>(&json).unwrap(), machine);
    }
}

#[test]
fn the_argument_tells_file_from_description() {
    assert_eq!(Source::from_argument("a.xml"), Source::File("a.xml".into()));
    assert_eq!(Source::from_argument("./a"), Source::File("./a".into()));
    assert_eq!(Source::from_argument("pu:2"), Source::Synthetic("pu:2".into()));
}

#[test]
fn this_machine_without_the_cpus_hidden_from_us() {
    let (whole, _) = load(&Source::ThisMachine).unwrap();
    assert!(whole.is_this_system);
    assert!(whole.pu(current_cpu().unwrap()).is_some());
    let last = whole.pus.last().unwrap().os_index;
    let hidden = std::thread::spawn(move || {
        assert!(pin_current(last).is_bound());
        load(&Source::ThisMachine).unwrap().0
    });
    let hidden = hidden.join().unwrap();
    assert_eq!(hidden.pus.len(), 1);
    assert_eq!(hidden.pus[0].os_index, last);
    assert_eq!((hidden.pus[0].core, hidden.pus[0].package, hidden.pus[0].sibling_rank), (0, 0, 0));
    for other in whole.pus.iter().map(|pu| pu.os_index).filter(|&cpu| cpu != last) {
        let refused = hidden.check(&[other].into_iter().collect()).unwrap_err().to_string();
        let told = format!("CPU {other} is not allowed to this process by its CPU mask (taskset, isolcpus);");
        assert!(refused.starts_with(&told), "{refused}");
    }
}

/// hwloc can be made to look elsewhere, and even to swear that it did not.
#[test]
fn overridden_discovery_is_foreign() {
    const INSIDE: &str = "LOCKBENCH_TEST_OVERRIDDEN";
    if std::env::var_os(INSIDE).is_some() {
        let (machine, binder) = load(&Source::ThisMachine).unwrap();
        assert!(!machine.is_this_system);
        assert!(!binder.bind_current(PuIndex(0)).is_bound());
        return;
    }
    let file = sample(OFFLINES);
    let file = file.to_str().unwrap();
    let overrides: [&[_]; 3] = [
        &[("HWLOC_SYNTHETIC", "pu:8")],
        &[("HWLOC_XMLFILE", file)],
        &[("HWLOC_XMLFILE", file), ("HWLOC_THISSYSTEM", "1")],
    ];
    for overrides in overrides {
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "topology::tests::loading::overridden_discovery_is_foreign"]);
        again.env(INSIDE, "1").envs(overrides.iter().copied());
        let output = again.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
