//! Marks for where a cell's arena lay: the nodes of the lock and its data, and those of the vCPUs' blocks.

use std::collections::BTreeMap;

use super::super::Key;
use super::super::style::{COLOURS, Marker, Style};
use crate::record::Residence;

/// At most this many vCPUs are named on a node; of the others the number is told.
const MOST_NAMED: usize = 8;

/// The mark of the lock and its data.
pub(super) const LOCK: Style = Style { colour: COLOURS[0], marker: Marker::Diamond, dashed: false };
/// The mark of the vCPUs' blocks.
pub(super) const BLOCKS: Style = Style { colour: COLOURS[2], marker: Marker::Square, dashed: false };

/// What lies on a node, in words; empty where nothing does.
#[derive(Default)]
pub(super) struct Marks {
    pub(super) lock: String,
    pub(super) blocks: String,
}

/// The marks of each node.
pub(super) fn marks(residence: &Residence) -> BTreeMap<u32, Marks> {
    let mut marks: BTreeMap<u32, Marks> = BTreeMap::new();
    let all = residence.shared.iter().fold(0, |sum: u64, on| sum.saturating_add(on.pages));
    for on in residence.shared.iter().filter(|on| on.pages > 0) {
        marks.entry(on.node).or_default().lock = format!("{} of {all} pages", on.pages);
    }
    let mut blocks: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (vcpu, nodes) in residence.blocks.iter().enumerate() {
        for node in nodes {
            blocks.entry(*node).or_default().push(vcpu);
        }
    }
    for (node, vcpus) in blocks {
        marks.entry(node).or_default().blocks = named(&vcpus);
    }
    marks
}

fn named(vcpus: &[usize]) -> String {
    let names: Vec<String> = vcpus.iter().take(MOST_NAMED).map(|vcpu| format!("v{vcpu}")).collect();
    match vcpus.len() - names.len() {
        0 => names.join(" "),
        more => format!("{} and {more} more", names.join(" ")),
    }
}

/// The marks by name.
pub(super) fn legend() -> Vec<Key> {
    vec![
        Key::new("lock and data (the pages that all vCPUs share)", LOCK, false),
        Key::new("vCPUs' own blocks: queue nodes, counters", BLOCKS, false),
    ]
}
