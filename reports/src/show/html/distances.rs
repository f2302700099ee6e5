//! How far the NUMA nodes are apart: the firmware's distances, and the round trips of the ping-pongs.

use std::collections::BTreeMap;

use super::view::{Column, Table, TableEntry};
use crate::derive::Selection;
use crate::derive::nodes::Nodes;
use crate::format::duration;
use crate::record::{Purpose, Results};
use crate::statistics::median;

/// The table has at most this many columns; the embedded data has all.
const MOST_NODES: usize = 64;

/// A table with a row and a column for each node; none with fewer than two nodes, or if no distance is known.
pub(super) fn table(results: &Results) -> Option<Table> {
    let nodes = Nodes::of(&results.machine);
    let measured = measured(results);
    let numbers = &nodes.numbers[..nodes.numbers.len().min(MOST_NODES)];
    let told =
        |from: u32, to: u32| nodes.distances.as_ref().and_then(|distances| distances.between(from, to));
    let known = |from: u32, to: u32| told(from, to).is_some() || measured.contains_key(&[from, to]);
    if numbers.len() < 2 || !numbers.iter().any(|from| numbers.iter().any(|to| known(*from, *to))) {
        return None;
    }
    let rows = numbers.iter().map(|from| {
        let mut row = vec![TableEntry::text(format!("node {from}"))];
        row.extend(numbers.iter().map(|to| {
            let entry = TableEntry::number(told(*from, *to).map(|told| told as f64), |told| told.to_string());
            entry.with_note(measured.get(&[*from, *to]).map_or_else(String::new, |ns| duration(*ns)))
        }));
        row
    });
    let mut table = Table::new("Distances between NUMA nodes", &[("From", false)], rows.collect());
    table.columns.extend(numbers.iter().map(|to| Column { name: format!("to node {to}"), number: true }));
    table.sortable = false;
    Some(table)
}

/// Median round trip between pCPUs of each two nodes that were timed, entered for both directions.
fn measured(results: &Results) -> BTreeMap<[u32; 2], f64> {
    let mut trips: BTreeMap<[u32; 2], Vec<f64>> = BTreeMap::new();
    for cell in &results.cells {
        let windows = Selection::usable(&cell.rounds, Purpose::Rate);
        for looked in windows.each().flat_map(|measured| &measured.ping_pongs) {
            let [one, other] = looked.pair.nodes;
            for pair in if one == other { vec![[one, one]] } else { vec![[one, other], [other, one]] } {
                trips.entry(pair).or_default().extend([looked.before_ns, looked.after_ns]);
            }
        }
    }
    trips.into_iter().filter_map(|(pair, trips)| Some((pair, median(&trips)?))).collect()
}
