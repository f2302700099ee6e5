//! Test: whatever a lock has stored into the arena, the parent reads only figures there, does not panic, and reads nothing
//! outside the arena.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lockbench_reports::record::{Purpose, TraceKind};
use lockbench_workloads::CATALOGUE;
use lockbench_workloads::arena::{Detail, Extent, Plan};

use super::window::{Threads, Window};
use super::{WindowSpec, exclusion, trace};
use crate::arena::Memory;

fn spec(purpose: Purpose) -> WindowSpec {
    serde_json::from_value(serde_json::json!({
        "axes": {
            "id": "a", "lock": "ticket", "env": "emulated", "placement": "compact", "pinning": "pinned",
            "vcpus": 3, "pcpus": [0, 1], "overcommit": 1.5, "scheduler": {"kind": "host"},
            "workload": {"name": "short", "section_ns": 100.0, "lines": 0, "think": "none", "think_ns": 0.0},
        },
        "round": 0, "purpose": purpose, "start": "queued", "warmup_ns": 0, "window_ns": 1, "samples": 1,
        "hang_ns": 0, "spin_threshold": 1, "work_ns": 1.0, "ticks_per_ns": 2.0, "memory_nodes": [],
        "vcpu_nodes": [0, 0, 0], "count_preemptions": true,
    }))
    .unwrap()
}

fn arena(detail: Detail) -> Memory {
    let page = rustix::param::page_size();
    Memory::empty(&Extent { detail, pcpus: 2, nodes: 2, ..Extent::plain(3, page) })
}

/// Threads that do not exist: nothing can be read about them.
fn nobody() -> Threads {
    Threads { pid: 0, threads: vec![0; 3] }
}

/// Stores what `word` gives for each word that a cell's process can write.
fn fill(memory: &Memory, word: impl Fn(u64) -> u64) {
    for offset in (size_of::<Plan>()..memory.bytes()).step_by(8) {
        // SAFETY: an aligned word of the mapping, reached as an atomic like all that changes there.
        let at = unsafe { &*memory.as_ptr().byte_add(offset).cast::<AtomicU64>() };
        at.store(word(offset as u64), Relaxed);
    }
}

#[test]
fn figures_from_an_arena_full_of_anything_are_read_without_panic() {
    let scattered = |salt: u64| move |offset: u64| (offset ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // What stands there when the window opens, and when it closes.
    let fills: [&dyn Fn(u64) -> u64; 5] = [&|_| 0, &|_| u64::MAX, &|_| 1, &scattered(0), &scattered(99)];
    for (purpose, detail) in
        [(Purpose::Rate, Detail::Counts), (Purpose::Latency, Detail::Times), (Purpose::Trace, Detail::Events)]
    {
        let spec = spec(purpose);
        for before in fills {
            for after in fills {
                let memory = arena(detail);
                fill(&memory, before);
                let mut window = Window::open(&spec, &memory, &CATALOGUE[0], nobody());
                fill(&memory, after);
                window.look();
                let measured = window.close().measured;
                assert_eq!(measured.operations.len(), 3);
                let _ = exclusion::violation(&memory);
                if let Some(trace) = trace::worst_handover(&memory, 0, 2.0) {
                    assert!(trace.events.iter().all(|event| event.vcpu < 3));
                    let kicks = trace.events.iter().filter(|event| event.kind == TraceKind::Kick);
                    assert!(kicks.into_iter().all(|kick| kick.arg < 3));
                }
            }
        }
    }
}

#[test]
fn what_an_arena_was_made_for_is_not_read_from_it() {
    let memory = arena(Detail::Events);
    for offset in (0..size_of::<Plan>()).step_by(8) {
        // SAFETY: as in `fill`.
        let at = unsafe { &*memory.as_ptr().byte_add(offset).cast::<AtomicU64>() };
        at.store(0x00ff_ffff_0000_1001, Relaxed);
    }
    assert_eq!(
        (memory.vcpus(), memory.blocks().count(), memory.matrix().len(), memory.node_rows().len()),
        (3, 3, 4, 3)
    );
    assert!(memory.rings().flat_map(|ring| ring.events()).next().is_none());
}
