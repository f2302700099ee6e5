//! Handovers between NUMA nodes.

use std::collections::{BTreeMap, BTreeSet};

use super::groups;
use crate::derive::nodes::Nodes;
use crate::derive::setting::above;
use crate::record::{Cell, CellAxes, Handovers, Results};
use crate::statistics::weighted_median;

/// The traced cells that tell most about handovers between nodes, one for each lock and equal in all other axes. Cells on more
/// nodes are preferred; then cells without overcommit (above 1x a handover inside a node may wait until the scheduler runs the
/// vCPU); then cells with all parameters at their defaults; then more locks; then more pCPUs.
pub fn told_by_node<'a>(results: &'a Results, nodes: &Nodes) -> Vec<&'a Cell> {
    let spans = |cell: &Cell| {
        let matrix = node_matrix(cell, nodes);
        matrix.iter().flat_map(|entry| [entry.from, entry.to]).collect::<BTreeSet<u32>>().len()
    };
    let groups = groups(results, |axes| Some(CellAxes { lock: String::new(), baseline: None, ..axes }));
    let told = groups.into_iter().filter_map(|cells| {
        let cells: Vec<&Cell> = cells.into_iter().filter(|cell| spans(cell) > 0).collect();
        let most = cells.iter().map(|cell| spans(cell)).max()?;
        let axes = &cells[0].axes;
        let plain = (!above(axes.overcommit), axes.params.is_empty());
        Some(((most, plain, cells.len(), axes.pcpus.len()), cells))
    });
    told.reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map_or_else(Vec::new, |(_, cells)| cells)
}

/// Handovers between nodes of a traced cell; in older records, which do not have them, summed up from those between pCPUs.
pub fn node_matrix(cell: &Cell, nodes: &Nodes) -> Vec<Handovers> {
    let Some(causes) = &cell.causes else { return Vec::new() };
    if !causes.node_matrix.is_empty() || causes.no_node_matrix.is_some() {
        return causes.node_matrix.clone();
    }
    let mut pairs: BTreeMap<(u32, u32), Vec<(f64, u64)>> = BTreeMap::new();
    for entry in &causes.matrix {
        if let (Some(from), Some(to)) = (nodes.of_pcpu.get(&entry.from), nodes.of_pcpu.get(&entry.to)) {
            pairs.entry((*from, *to)).or_default().push((entry.median_ns as f64, entry.count));
        }
    }
    let entry = |((from, to), mut of): ((u32, u32), Vec<(f64, u64)>)| Handovers {
        from,
        to,
        count: of.iter().fold(0, |sum, one| sum.saturating_add(one.1)),
        median_ns: weighted_median(&mut of).unwrap_or(0.0) as u64,
    };
    pairs.into_iter().map(entry).collect()
}
