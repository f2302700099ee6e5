//! Matrices of handovers: between pCPUs and between NUMA nodes.

use std::sync::atomic::Ordering::Relaxed;

use lockbench_reports::record::{Causes, Handovers, Histogram};
use lockbench_reports::statistics::weighted_median;
use lockbench_workloads::traced::{MATRIX_NODES, MATRIX_PCPUS, Octaves};

use super::WindowSpec;
use super::counters::{load_all, sum};
use crate::arena::Memory;

/// The two matrices when the window opened.
pub(super) struct Handed {
    pcpus: Vec<Vec<u64>>,
    nodes: Vec<Vec<u64>>,
}

impl Handed {
    pub(super) fn read(memory: &Memory) -> Self {
        let all = |matrix: &[Octaves]| matrix.iter().map(|octaves| load_all(&octaves.0)).collect();
        Self { pcpus: all(memory.matrix()), nodes: all(memory.node_matrix()) }
    }

    /// Enters what was added to the matrices since then into `causes`, whose histogram of handovers must be filled already.
    pub(super) fn close(&self, memory: &Memory, spec: &WindowSpec, causes: &mut Causes) {
        let nodes = spec.nodes();
        causes.matrix = gained(&self.pcpus, memory.matrix(), &spec.axes.pcpus, spec.ticks_per_ns);
        causes.no_matrix = no_matrix(spec);
        causes.node_matrix = match nodes[..] {
            // Wherever on it they run, pinned or floating.
            [only] => within(only, &causes.handover).into_iter().collect(),
            _ => gained(&self.nodes, memory.node_matrix(), &nodes, spec.ticks_per_ns),
        };
        causes.no_node_matrix = no_node_matrix(spec, &nodes);
    }
}

/// Tells a new arena which row of the nodes' matrix each vCPU has: nodes may have any numbers, rows are dense.
pub(super) fn number_nodes(memory: &Memory, spec: &WindowSpec) {
    let nodes = spec.nodes();
    for (row, node) in memory.node_rows().iter().zip(&spec.vcpu_nodes) {
        row.store(nodes.binary_search(node).map_or(0, |row| row as u16), Relaxed);
    }
}

/// Handovers between each two places that had any; `places` has the indices of rows and columns.
fn gained(before: &[Vec<u64>], after: &[Octaves], places: &[u32], ticks_per_ns: f64) -> Vec<Handovers> {
    let pairs = places.iter().flat_map(|from| places.iter().map(move |to| (*from, *to)));
    let entry = |((from, to), (before, after)): ((u32, u32), (&Vec<u64>, &Octaves))| {
        let now = load_all(&after.0);
        let octaves: Vec<u64> =
            now.iter().zip(before).map(|(now, before)| now.saturating_sub(*before)).collect();
        let median_ns = (octave_median(&octaves)? / ticks_per_ns).round() as u64;
        Some(Handovers { from, to, count: sum(octaves.iter().copied()), median_ns })
    };
    pairs.zip(before.iter().zip(after)).filter_map(entry).collect()
}

/// All handovers, for a cell whose vCPUs all run on one node; none if there were none.
fn within(node: u32, handover: &Histogram) -> Option<Handovers> {
    let mut buckets: Vec<(f64, u64)> =
        handover.buckets.iter().map(|&(upper, count)| (upper as f64, count)).collect();
    let median_ns = weighted_median(&mut buckets)? as u64;
    let count = sum(handover.buckets.iter().map(|(_, count)| *count));
    Some(Handovers { from: node, to: node, count, median_ns })
}

/// Why there is no matrix of handovers between pCPUs; none if there is one.
fn no_matrix(spec: &WindowSpec) -> Option<String> {
    match spec.axes.pcpus.len() {
        _ if !spec.pinned() => Some("vCPUs float, so that the pCPU of a handover is not known".into()),
        pcpus if pcpus > MATRIX_PCPUS => {
            Some(format!("there are {pcpus} pCPUs, and the matrix has room for {MATRIX_PCPUS}"))
        }
        _ => None,
    }
}

/// Why there is no matrix of handovers between NUMA nodes; none if there is one.
fn no_node_matrix(spec: &WindowSpec, nodes: &[u32]) -> Option<String> {
    match nodes.len() {
        0 | 1 => None,
        several if !spec.pinned() => Some(format!(
            "vCPUs float over {several} NUMA nodes, so that the node of a handover is not known"
        )),
        several if several > MATRIX_NODES => {
            Some(format!("there are {several} NUMA nodes, and the matrix has room for {MATRIX_NODES}"))
        }
        _ => None,
    }
}

/// Median of durations that are counted by octaves, as if those of an octave were spread evenly on a logarithmic scale. None
/// if there are no durations.
fn octave_median(octaves: &[u64]) -> Option<f64> {
    let half = sum(octaves.iter().copied()) as f64 / 2.0;
    let mut below = 0.0;
    for (octave, &count) in octaves.iter().enumerate().filter(|(_, count)| **count > 0) {
        let count = count as f64;
        if below + count >= half {
            return Some((octave as f64 + (half - below) / count).exp2());
        }
        below += count;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockbench_workloads::arena::{Detail, Extent};
    use serde_json::json;

    /// A window of four vCPUs on the nodes given, and a traced arena for it.
    fn window(pinning: &str, vcpu_nodes: [u32; 4]) -> (WindowSpec, Memory) {
        let spec: WindowSpec = serde_json::from_value(json!({
            "axes": {
                "id": "", "lock": "ticket", "env": "emulated", "placement": "scatter", "pinning": pinning,
                "vcpus": 4, "pcpus": [0, 1, 2, 3], "overcommit": 1.0, "scheduler": {"kind": "host"},
                "workload": {"name": "short", "section_ns": 100.0, "lines": 1, "think": "none", "think_ns": 0.0},
            },
            "round": 0, "purpose": "latency", "start": "free", "warmup_ns": 1, "window_ns": 1, "samples": 1,
            "hang_ns": 1, "spin_threshold": 1, "work_ns": 1.0, "ticks_per_ns": 1.0, "memory_nodes": [],
            "vcpu_nodes": vcpu_nodes, "count_preemptions": true,
        }))
        .unwrap();
        let nodes = spec.nodes().len();
        let (detail, page) = (Detail::Times, rustix::param::page_size());
        let memory = Memory::empty(&Extent { detail, pcpus: 4, nodes, ..Extent::plain(4, page) });
        number_nodes(&memory, &spec);
        (spec, memory)
    }

    #[test]
    fn nodes_are_named_as_the_system_numbers_them() {
        let (spec, memory) = window("pinned", [1023, 3, 1023, 3]);
        let rows: Vec<u16> = memory.node_rows().iter().map(|row| row.load(Relaxed)).collect();
        assert_eq!(rows, [1, 0, 1, 0]);
        let opened = Handed::read(&memory);
        memory.node_matrix()[2].0[10].store(5, Relaxed);
        let mut causes = Causes::default();
        opened.close(&memory, &spec, &mut causes);
        let [only] = causes.node_matrix[..] else { panic!("{:?}", causes.node_matrix) };
        assert_eq!((only.from, only.to, only.count), (1023, 3, 5));
        assert_eq!(causes.no_node_matrix, None);
    }

    #[test]
    fn on_one_node_every_handover_is_within_it() {
        let (spec, memory) = window("floating", [5; 4]);
        let mut causes = Causes {
            handover: Histogram { buckets: vec![(90, 3), (200, 4)], max_ns: 200, ..Histogram::default() },
            ..Causes::default()
        };
        Handed::read(&memory).close(&memory, &spec, &mut causes);
        assert_eq!(causes.node_matrix, [Handovers { from: 5, to: 5, count: 7, median_ns: 200 }]);
        assert!(causes.no_matrix.is_some() && causes.no_node_matrix.is_none());
    }

    #[test]
    fn vcpus_that_float_over_nodes_have_none() {
        let (spec, memory) = window("floating", [0, 0, 1, 1]);
        let mut causes = Causes::default();
        Handed::read(&memory).close(&memory, &spec, &mut causes);
        assert!(causes.node_matrix.is_empty());
        assert!(causes.no_node_matrix.unwrap().starts_with("vCPUs float over 2 NUMA nodes"));
    }

    #[test]
    fn the_median_lies_within_its_octave() {
        let mut octaves = vec![0; 64];
        assert_eq!(octave_median(&octaves), None);
        octaves[10] = 10;
        assert_eq!(octave_median(&octaves), Some(10.5_f64.exp2()));
        octaves[20] = 90;
        let median = octave_median(&octaves).unwrap();
        assert!((20_f64.exp2()..21_f64.exp2()).contains(&median), "{median}");
    }
}
