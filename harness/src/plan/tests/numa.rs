//! What is compared across NUMA nodes, and that nothing is measured twice.

use std::collections::HashMap;
use std::time::Duration;

use lockbench_reports::record::Purpose;

use super::{TIMING, built_in, dropped, fitted, ids, of_group, parsed, planned};
use crate::axes::Pinning;
use crate::plan::{BUILT_IN, PlannedCell};
use crate::topology::tests::{made, zoo};

const LONG: Option<Duration> = Some(Duration::from_secs(360_000));

#[test]
fn standard_compares_one_node_with_several_and_local_memory_with_remote() {
    let plan = planned("standard", "pack:2 numa:2 core:8 pu:2", None);
    let ids = ids(&plan);
    for lock in ["ticket", "mcs", "queued", "pv-queued"] {
        for cell in [
            "native/short/8v:8p/compact/pinned",
            "native/short/8v:8p/scatter/pinned",
            "native/short/8v:8p/compact/pinned/memory=remote",
            "emulated/short/8v:8p/compact/pinned",
            "emulated/short/8v:8p/scatter/pinned",
            "emulated/short/8v:8p/compact/pinned/memory=remote",
            "emulated/short/16v:8p/compact/pinned",
            "emulated/short/16v:8p/scatter/pinned",
        ] {
            assert!(ids.contains(&format!("{lock}/{cell}").as_str()), "{lock}/{cell} is not planned");
        }
    }
    let cell = |id: &str| plan.cells.iter().find(|cell| cell.axes.id == id).unwrap();
    let nodes = |id: &str| {
        let mut nodes = cell(id).vcpu_nodes.clone();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    };
    assert_eq!(nodes("ticket/native/short/8v:8p/compact/pinned"), [0]);
    assert_eq!(nodes("ticket/native/short/8v:8p/scatter/pinned"), [0, 1, 2, 3]);
    assert_eq!(cell("ticket/native/short/8v:8p/compact/pinned").memory_nodes, [0]);
    assert_ne!(cell("ticket/native/short/8v:8p/compact/pinned/memory=remote").memory_nodes, [0]);
    let one_node = "comes out the same as placement=compact at 8v:8p, 16v:8p, so it is measured once";
    assert!(dropped(&plan).contains(&("placement=node:first", one_node)), "{:?}", dropped(&plan));
}

#[test]
fn nothing_of_numa_is_planned_on_one_node_and_one_line_says_so() {
    for profile in ["standard", "nightly"] {
        let plan = planned(profile, "core:4 pu:2", LONG);
        let said: Vec<_> = dropped(&plan).into_iter().filter(|(what, _)| what.contains("NUMA")).collect();
        assert_eq!(
            said,
            [("NUMA nodes", "NUMA cannot be told here: one node (node 0 with CPUs 0-7)")],
            "{profile}"
        );
    }
    assert!(ids(&planned("standard", "core:4 pu:2", LONG)).iter().all(|id| id.contains("/compact/")));
}

#[test]
fn memory_without_cpus_is_remote_and_placements_need_cpus_on_two_nodes() {
    let standard = built_in("standard");
    let expander = made::EXPANDER.load().restricted_to(&"2-3".parse().unwrap()).unwrap();
    let plan = fitted(&standard, &expander, LONG);
    let id = "ticket/native/short/2v:2p/compact/pinned/memory=remote";
    let remote = plan.cells.iter().find(|cell| cell.axes.id == id).unwrap();
    assert_eq!(remote.vcpu_nodes, [1, 1], "node 0 has memory and no CPU that may be used");
    assert!(!ids(&plan).iter().any(|id| id.contains("scatter")));
    let why = "all CPUs are on one node (node 1 with CPUs 2-3), so placements over nodes cannot be compared";
    assert!(dropped(&plan).contains(&("NUMA nodes", why)), "{:?}", dropped(&plan));
    let bare = fitted(&standard, &made::BARE_PACKAGE.load(), LONG);
    assert!(ids(&bare).contains(&"ticket/native/short/2v:2p/scatter/pinned"));
    assert!(!ids(&bare).iter().any(|id| id.contains("remote")), "there is one node with memory");
}

#[test]
fn placements_that_come_out_as_the_same_cpus_are_measured_once() {
    let plan = of_group(
        "locks = ['ticket', 'mcs']\nenvs = ['emulated']\nworkloads = ['short']\novercommit = [1, 2]\n\
         placements = ['compact', 'scatter', 'smt-first', 'node:first', 'node:0']",
        "core:2 pu:1",
    );
    assert_eq!(plan.cells.len(), 4);
    assert!(ids(&plan).iter().all(|id| id.ends_with("/compact/pinned")));
    let why = "comes out the same as placement=compact at 2v:2p, 4v:2p, so it is measured once";
    let names = ["placement=scatter", "placement=smt-first", "placement=node:first", "placement=node:0"];
    assert_eq!(dropped(&plan), names.map(|name| (name, why)), "each is told once");
}

#[test]
fn a_purpose_asked_for_under_another_name_is_not_lost() {
    let profile = parsed(
        "about = ''\nrounds = 6\nwindow = '100ms'\n\
         [[cells]]\nlocks = ['ticket']\nenvs = ['native']\nworkloads = ['short']\nvcpus = [2]\n\
         [[cells]]\nlocks = ['ticket']\nenvs = ['native']\nworkloads = ['work:100ns']\nvcpus = [2]\nlatency = true",
    );
    let plan = fitted(&profile, &crate::topology::tests::synthetic("core:2 pu:1"), None);
    assert_eq!(ids(&plan), ["ticket/native/short/2v:2p/compact/pinned"]);
    assert_eq!(plan.cells[0].purposes.len(), 2);
}

/// All that a window depends on, read off the cell itself.
fn essence(cell: &PlannedCell) -> String {
    let axes = &cell.axes.record();
    let mut params = axes.params.clone();
    params.remove("memory");
    params.remove("arrivals");
    let mut workload = axes.workload.clone();
    workload.name.clear();
    format!(
        "{} {} {workload:?} {} {:?} {} {:?} {params:?}",
        axes.lock, axes.env, axes.vcpus, axes.pcpus, axes.pinning, cell.memory_nodes
    )
}

#[test]
fn no_cell_is_measured_twice_on_any_machine() {
    for machine in zoo() {
        for (name, _) in BUILT_IN {
            let plan = fitted(&built_in(name), &machine, LONG);
            let mut seen: HashMap<String, &str> = HashMap::new();
            for cell in &plan.cells {
                if let Some(first) = seen.insert(essence(cell), &cell.axes.id) {
                    panic!("{first} and {} are one cell on {}", cell.axes.id, machine.source);
                }
            }
        }
    }
}

#[test]
fn blocks_lie_with_their_vcpus_and_those_of_floating_vcpus_with_the_first_pcpu() {
    let group = "locks = ['ticket']\nenvs = ['emulated']\nworkloads = ['short']\novercommit = [1.5]\n\
                 placements = ['scatter']\npinnings = ['pinned', 'floating']\nmemory = ['remote']";
    let plan = of_group(group, "pack:2 [numa] core:2 pu:1");
    let window = |pinning: Pinning| {
        let cell = plan.cells.iter().find(|cell| cell.axes.values.pinning == pinning).unwrap();
        let spec = cell.window(&TIMING, 0, Purpose::Rate, 0, false);
        spec.check().unwrap();
        assert_eq!(spec.memory_nodes, [1]);
        spec
    };
    let pinned = window(Pinning::Pinned);
    assert_eq!(pinned.axes.pcpus, [0, 2, 1, 3]);
    assert_eq!(pinned.vcpu_memory_nodes, [0, 1, 0, 1, 0, 1]);
    assert_eq!(window(Pinning::Floating).vcpu_memory_nodes, [0; 6]);
}

/// An older build refuses a field that it does not know, and `duel` drives it with this one's specs.
#[test]
fn a_spec_says_nothing_of_blocks_on_one_node() {
    for cell in &planned("smoke", "core:2 pu:1", None).cells {
        let spec = serde_json::to_value(cell.window(&TIMING, 0, Purpose::Rate, 0, false)).unwrap();
        assert!(spec.get("vcpu_nodes").is_some(), "{spec}");
        for field in ["vcpu_memory_nodes", "notes"] {
            assert_eq!(spec.get(field), None, "{}", cell.axes.id);
        }
    }
}
