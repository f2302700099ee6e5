//! What a handover costs between nodes, compared with one inside a node.

use super::Statement;
use crate::derive::Selection;
use crate::derive::nodes::Nodes;
use crate::derive::setting::above;
use crate::format::{duration, printable, range, ratio, vcpus_on};
use crate::judge::numa::{told_by_node, variant};
use crate::record::{Cell, Handovers, Results};
use crate::statistics::{interval, median, weighted_median};

/// The sentence on all traced locks with handovers of both kinds, in cells without overcommit.
pub(super) fn handovers(results: &Results, nodes: &Nodes) -> Option<Statement> {
    let cells = told_by_node(results, nodes);
    let axes = cells.first().map(|cell| &cell.axes).filter(|axes| !above(axes.overcommit))?;
    let told: Vec<String> = cells.iter().filter_map(|cell| between(cell)).collect();
    (!told.is_empty()).then(|| {
        let text = format!(
            "{}, {}, {} ({}): how many times as long a handover takes from node to node as within a node: {}.",
            axes.told_env(),
            axes.workload.name,
            vcpus_on(axes.vcpus, axes.pcpus.len()),
            variant(axes),
            told.join("; ")
        );
        Statement::new(text, None)
    })
}

/// `ticket 3.20 (3.10 to 3.40; 310 ns against 97 ns, 6 windows)`.
fn between(cell: &Cell) -> Option<String> {
    let windows: Vec<[f64; 2]> = Selection::traced(&cell.rounds)
        .iter()
        .filter_map(|(_, causes)| {
            let medians = [true, false].map(|within| middle(&causes.node_matrix, within));
            Some([medians[0]?, medians[1]?])
        })
        .filter(|[within, _]| *within > 0.0)
        .collect();
    let of = |pick: fn(&[f64; 2]) -> f64| windows.iter().map(pick).collect::<Vec<f64>>();
    let (times, within, across) =
        (interval(&of(|ns| ns[1] / ns[0]))?, median(&of(|ns| ns[0]))?, median(&of(|ns| ns[1]))?);
    let s = if windows.len() == 1 { "" } else { "s" };
    Some(format!(
        "{} {} ({}; {} against {}, {} window{s})",
        printable(&cell.axes.lock),
        ratio(times.median),
        range(times, ratio),
        duration(across),
        duration(within),
        windows.len()
    ))
}

/// Median handover time within nodes, or between them.
fn middle(matrix: &[Handovers], within: bool) -> Option<f64> {
    let of = matrix.iter().filter(|entry| (entry.from == entry.to) == within);
    weighted_median(&mut of.map(|entry| (entry.median_ns as f64, entry.count)).collect::<Vec<_>>())
}
