//! How NUMA affects locks.

mod contrasts;
mod handovers;

use std::collections::BTreeMap;

pub use contrasts::{Change, Contrast, contrasts};
pub use handovers::{node_matrix, told_by_node};

use crate::record::{Cell, CellAxes, Results};

/// A cell's placement and the parameters that are not at their defaults: `scatter, memory=remote`.
pub fn variant(axes: &CellAxes) -> String {
    [vec![axes.placement.clone()], axes.told_params()].concat().join(", ")
}

/// Groups of cells whose axes are equal once `what` has removed those that may differ; in plan order.
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
