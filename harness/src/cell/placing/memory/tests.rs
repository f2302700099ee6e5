//! Residences that no machine here has, and the real one of the machine that the tests run on.

use lockbench_reports::record::{NodePages, Start};
use rustix::param::page_size;

use super::*;
use crate::topology::{Memory as Policy, Source, load};

/// A cell of two vCPUs, on CPUs of nodes 0 and 1.
fn spec(memory_nodes: &[u32], vcpu_memory_nodes: &[u32]) -> WindowSpec {
    serde_json::from_value(serde_json::json!({
        "axes": {
            "id": "ticket/native/short/2v:2p/scatter/pinned", "lock": "ticket", "env": "native",
            "workload": { "name": "short", "section_ns": 100.0, "lines": 1, "think": "none", "think_ns": 0.0 },
            "placement": "scatter", "pinning": "pinned", "vcpus": 2, "pcpus": [0, 2], "overcommit": 1.0,
            "scheduler": { "kind": "host" }
        },
        "round": 0, "purpose": "rate", "start": Start::Free, "warmup_ns": 0, "window_ns": 1, "samples": 1,
        "hang_ns": 1, "spin_threshold": 1, "work_ns": 1.0, "ticks_per_ns": 1.0, "memory_nodes": memory_nodes,
        "vcpu_nodes": [0, 1], "vcpu_memory_nodes": vcpu_memory_nodes, "count_preemptions": false
    }))
    .unwrap()
}

/// With `shared` pages that the vCPUs share, and a page for each of the two.
fn layout(shared: usize) -> Layout {
    let page = page_size();
    Layout { blocks: shared * page, stride: page, total: (shared + 2) * page, ..Layout::default() }
}

fn on(nodes: &[u32]) -> Residence {
    Residence(nodes.iter().map(|&node| Page::On(NodeIndex(node))).collect())
}

#[test]
fn every_part_is_bound_to_its_own_node() {
    let part = |pages: Range<usize>, nodes: &[u32]| {
        (pages.start * page_size()..pages.end * page_size(), indices(nodes))
    };
    assert_eq!(
        parts(&layout(2), &spec(&[1], &[0, 1])),
        [part(0..2, &[1]), part(2..3, &[0]), part(3..4, &[1])]
    );
    assert_eq!(parts(&layout(2), &spec(&[0], &[0, 1])), [part(0..3, &[0]), part(3..4, &[1])]);
    assert_eq!(parts(&layout(2), &spec(&[0, 1], &[])), [part(0..4, &[0, 1])], "as older specs mean it");
    assert_eq!(parts(&layout(2), &spec(&[], &[])), []);
}

/// A cell whose lock lies on node 1 and whose data lie on node 0.
fn apart() -> (Layout, WindowSpec) {
    let layout = Layout { lines: page_size(), ..layout(3) };
    (layout, WindowSpec { data_nodes: vec![0], ..spec(&[1], &[0, 1]) })
}

#[test]
fn a_lock_and_data_that_lie_apart_are_bound_each_to_its_own_node_and_checked() {
    let (layout, spec) = apart();
    let part = |pages: Range<usize>, nodes: &[u32]| {
        (pages.start * page_size()..pages.end * page_size(), indices(nodes))
    };
    assert_eq!(parts(&layout, &spec), [part(0..1, &[1]), part(1..4, &[0]), part(4..5, &[1])]);
    let lies = checked(&layout, &spec, &on(&[1, 0, 0, 0, 1])).unwrap();
    let shared = lies.residence.unwrap().shared;
    assert_eq!(shared, [NodePages { node: 0, pages: 2 }, NodePages { node: 1, pages: 1 }]);
    for wrong in [[0, 0, 0, 0, 1], [1, 1, 0, 0, 1], [1, 0, 1, 0, 1]] {
        assert!(checked(&layout, &spec, &on(&wrong)).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_part_that_lies_elsewhere_is_an_error_that_names_it() {
    let check = |nodes: &[u32]| checked(&layout(2), &spec(&[0], &[0, 1]), &on(nodes));
    let lies = check(&[0, 0, 0, 1]).unwrap();
    assert_eq!((lies.nodes.as_slice(), lies.notes.len()), (&[0, 1][..], 0));
    let residence = lies.residence.unwrap();
    assert_eq!(residence.shared, [NodePages { node: 0, pages: 2 }]);
    assert_eq!((residence.blocks, residence.vcpu_nodes), (vec![vec![0], vec![1]], vec![0, 1]));
    let said = |nodes| check(nodes).unwrap_err().reason;
    assert_eq!(
        said(&[0, 1, 0, 1]),
        "what the vCPUs share was bound to node 0 yet lies on node 0 (1 page), node 1 (1 page)"
    );
    assert_eq!(said(&[0, 0, 0, 0]), "the block of vCPU 1 was bound to node 1 yet lies on node 0 (1 page)");
}

#[test]
fn pages_that_are_absent_or_of_which_nothing_is_told_are_errors() {
    let check = |pages: &[Page]| {
        checked(&layout(1), &spec(&[], &[]), &Residence(pages.to_vec())).map(|lies| lies.nodes)
    };
    let here = Page::On(NodeIndex(0));
    assert_eq!(check(&[here; 3]), Ok(vec![0]));
    let absent = check(&[here, here, Page::Absent]).unwrap_err().reason;
    assert!(absent.starts_with("1 of the arena's 3 pages are not in memory"), "{absent}");
    let unknown = check(&[here, Page::Unknown, Page::Unknown]).unwrap_err().reason;
    assert_eq!(unknown, "the kernel does not say where 2 of the arena's 3 pages lie");
    assert!(check(&[]).is_err());
}

#[test]
fn interleaved_pages_alternate_and_fewer_pages_than_nodes_are_said() {
    let check = |nodes: &[u32], pages: &[u32]| {
        let shared: Vec<u32> = pages.iter().copied().chain([0, 1]).collect();
        checked(&layout(pages.len()), &spec(nodes, &[0, 1]), &on(&shared))
    };
    let lies = check(&[0, 1, 2], &[1, 2, 0, 1]).unwrap();
    assert_eq!((lies.nodes, lies.notes), (vec![0, 1, 2], Vec::new()));
    let whole_on_one = check(&[0, 1], &[1, 1, 1]).unwrap_err().reason;
    assert_eq!(
        whole_on_one,
        "what the vCPUs share was to alternate over nodes 0-1 yet lies on node 1 (3 pages)"
    );
    assert!(check(&[0, 1], &[0, 0, 1, 1]).is_err(), "even, but not in turns");
    assert!(check(&[0, 1, 2], &[0, 1, 0, 1, 0]).is_err(), "in turns, but one node has none");
    let one = check(&[0, 1, 2, 3], &[2]).unwrap();
    assert_eq!(
        one.notes,
        [
            "interleave: the vCPUs share 1 page (header, lock and data), fewer than the 4 NUMA nodes: in a window it lies \
          on one of them, not always the same"
        ]
    );
    let two = check(&[0, 1, 2, 3], &[3, 0]).unwrap();
    assert!(
        two.notes[0].ends_with("in a window they lie on 2 of them, not always the same"),
        "{:?}",
        two.notes
    );
}

#[test]
fn an_arena_lies_where_it_was_bound_with_all_pages_present_and_nothing_written() {
    let (machine, binder) = load(&Source::ThisMachine).unwrap();
    let node = Policy::Local.nodes(&machine, &[machine.pus[0].os_index]).unwrap()[0].0;
    let placer = Placer::new(binder);
    let layout = layout(5);
    let mut spec = spec(&[node], &[node, node]);
    spec.notes = vec!["what the plan found".into()];
    let blank = Blank::empty(layout, 2, 1);
    let before = placer.binder.locate(blank.part(0..layout.total)).unwrap();
    assert_eq!((before.absent(), before.0.len()), (7, 7));
    let (memory, lies) = placer.place_memory(blank, &spec).unwrap();
    let residence = lies.residence.unwrap();
    assert_eq!(residence.shared, [NodePages { node, pages: 5 }]);
    assert_eq!((residence.blocks, lies.nodes), (vec![vec![node]; 2], vec![node]));
    assert_eq!(lies.notes, ["what the plan found"]);
    assert!(memory.words().iter().all(|word| word.load(std::sync::atomic::Ordering::Relaxed) == 0));
}
