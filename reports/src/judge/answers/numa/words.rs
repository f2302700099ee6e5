//! Puts a contrast into words.

use super::{against, times_of};
use crate::derive::nodes::Nodes;
use crate::format::printable;
use crate::judge::numa::{Change, Contrast};
use crate::record::Cell;
use crate::record::params::MEMORY;

/// `with the lock on a remote node, ticket takes 1.60 (1.58 to 1.62) times as long as with it on a local one (…)`.
pub(super) fn clause(nodes: &Nodes, contrast: &Contrast<'_>) -> String {
    let (here, there) = sides(nodes, contrast);
    let lock = printable(&contrast.cell.axes.lock);
    let rates = against(contrast.cell, contrast.near);
    let cell = described(contrast);
    match contrast.times {
        Some(times) => {
            let rounds = contrast.comparison.rounds;
            let s = if rounds == 1 { "" } else { "s" };
            let times = times_of(times);
            format!(
                "{here}, {lock} takes {times} times as long as {there} ({cell}: {rates}; {rounds} round{s})"
            )
        }
        None => format!("{lock} {here} against {lock} {there} ({cell}: {rates})"),
    }
}

/// The two sides of a contrast in words: that of the cell, and that of the cell that it is compared with.
fn sides(nodes: &Nodes, contrast: &Contrast<'_>) -> (String, String) {
    match contrast.change {
        Change::Memory("remote") => {
            ("with the lock on a remote node".into(), "with it on a local one".into())
        }
        Change::Memory("interleave") => (
            "with the lock's memory interleaved over the nodes".into(),
            "with all of it on a local one".into(),
        ),
        Change::Memory(other) => {
            (format!("with the lock's memory {}", printable(other)), "with it local".into())
        }
        Change::Placement(_) => {
            let there = placed(nodes, contrast.near);
            (format!("with its vCPUs {}", placed(nodes, contrast.cell)), format!("with them {there}"))
        }
    }
}

/// Where a cell's vCPUs run: `on node 0`, `spread over 2 nodes (scatter)`.
fn placed(nodes: &Nodes, cell: &Cell) -> String {
    let placement = printable(&cell.axes.placement);
    let on = nodes.of_cell(cell);
    match on.first() {
        None => format!("placed by {placement}"),
        Some(only) if on.len() == 1 => format!("on node {only}"),
        Some(_) => format!("spread over {} nodes ({placement})", on.len()),
    }
}

/// What both cells of a contrast share, in words.
fn described(contrast: &Contrast<'_>) -> String {
    let axes = &contrast.cell.axes;
    let vcpus = if axes.vcpus == 1 { "vCPU" } else { "vCPUs" };
    let pcpus = if axes.pcpus.len() == 1 { "pCPU" } else { "pCPUs" };
    let mut parts = vec![
        axes.env.clone(),
        axes.workload.name.clone(),
        format!("{} {vcpus} on {} {pcpus}", axes.vcpus, axes.pcpus.len()),
    ];
    let memory = matches!(contrast.change, Change::Memory(_));
    parts.extend(memory.then(|| axes.placement.clone()));
    parts.extend((axes.pinning != "pinned").then(|| axes.pinning.clone()));
    let mut shared = axes.clone();
    if memory {
        shared.params.remove(MEMORY);
    }
    parts.extend(shared.told_params());
    parts.join(", ")
}
