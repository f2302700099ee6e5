//! What NUMA does to locks.

mod contrasts;
mod handovers;

use std::collections::BTreeMap;

pub use contrasts::{Change, Contrast, contrasts};
pub use handovers::{node_matrix, told_by_node};

use crate::record::{Cell, CellAxes, Results};

/// Where and how a cell's vCPUs run: its placement, then what it has otherwise than by default. `scatter, memory=remote`.
pub fn variant(axes: &CellAxes) -> String {
    let params = axes.params.iter().map(|(name, value)| format!(", {name}={value}"));
    axes.placement.clone() + &params.collect::<String>()
}

/// The cells that are alike once `what` has taken away what may differ; in plan order.
fn groups(results: &Results, what: fn(CellAxes) -> Option<CellAxes>) -> Vec<Vec<&Cell>> {
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&Cell>> = Vec::new();
    for cell in &results.cells {
        let Some(axes) = what(CellAxes { id: String::new(), ..cell.axes.clone() }) else { continue };
        let at = *index.entry(format!("{axes:?}")).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Vec::new());
        }
        groups[at].push(cell);
    }
    groups
}
