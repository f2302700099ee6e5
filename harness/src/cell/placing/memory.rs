//! Binds an arena's pages to their NUMA nodes before they are touched, and checks that they lie there.
//!
//! The memory that all vCPUs share (header, lock, protected data) follows the cell's memory policy. Each vCPU's own block lies
//! where the spec says, on the vCPU's node, like a kernel's per-CPU queue nodes.

use std::ops::Range;

use lockbench_reports::record::{NodePages, Residence as Record};
use lockbench_workloads::arena::Layout;
use rustix::param::page_size;

use super::Placer;
use crate::Refusal;
use crate::arena::{Blank, Memory};
use crate::cell::WindowSpec;
use crate::topology::{NodeIndex, Nodes, Outcome, Page, Residence};

/// Where an arena lies.
#[derive(Debug, Default)]
pub struct Lies {
    /// All nodes that the arena has pages on; empty where the kernel does not tell.
    pub nodes: Vec<u32>,
    /// Where the arena's parts lie; none where the kernel does not tell.
    pub residence: Option<Record>,
    /// Sentences about it for readers of the record.
    pub notes: Vec<String>,
}

impl Placer {
    /// Binds every part of an untouched arena, makes its pages present, and checks where they are.
    pub fn place_memory(&self, blank: Blank, spec: &WindowSpec) -> Result<(Memory, Lies), Refusal> {
        let layout = *blank.layout();
        for (part, nodes) in parts(&layout, spec) {
            match self.binder.bind_memory(blank.part(part), &nodes) {
                Outcome::Bound(_) => {}
                // A node may come back into the set that is allowed.
                refused @ Outcome::Failed(_) => {
                    return Err(Refusal::passing(format!("the arena's memory {refused}")));
                }
                refused => return Err(format!("the arena's memory {refused}").into()),
            }
        }
        let memory = blank.make_present()?;
        // The kernel answers for each of its usual pages; a huge page has many of them, on one node.
        let of_a_page = memory.plan().memory_page / page_size();
        let mut lies = match self.binder.locate(memory.words()) {
            // Where memory is short the kernel may have taken a page away, or given one of another node.
            Ok(residence) => {
                let pages = residence.0.into_iter().step_by(of_a_page).collect();
                checked(&layout, spec, &Residence(pages))?
            }
            // A kernel without NUMA does not tell; a machine with one node needs not be asked.
            Err(_) if self.binder.has_one_node() => Lies::default(),
            Err(e) => return Err(Refusal::of("on which NUMA nodes the arena lies cannot be found out", e)),
        };
        lies.notes.extend_from_slice(&spec.notes);
        Ok((memory, lies))
    }
}

/// The ranges to bind, and their nodes. Neighbouring ranges with the same nodes are bound together.
fn parts(layout: &Layout, spec: &WindowSpec) -> Vec<(Range<usize>, Vec<NodeIndex>)> {
    let mut parts: Vec<(Range<usize>, Vec<NodeIndex>)> = Vec::new();
    let own = (0..spec.axes.vcpus as usize).map(|cpu| (layout.own(cpu), spec.block_nodes(cpu)));
    for (bytes, nodes) in shared(layout, spec).into_iter().chain(own) {
        let nodes = indices(nodes);
        match parts.last_mut() {
            Some((last, same)) if *same == nodes => last.end = bytes.end,
            _ => parts.push((bytes, nodes)),
        }
    }
    parts.retain(|(_, nodes)| !nodes.is_empty());
    parts
}

/// The ranges that all vCPUs share, each with its nodes: one, or the lock and the data apart.
fn shared<'s>(layout: &Layout, spec: &'s WindowSpec) -> Vec<(Range<usize>, &'s [u32])> {
    if spec.data_nodes.is_empty() {
        return vec![(layout.shared(), &spec.memory_nodes)];
    }
    vec![(layout.before_lines(), &spec.memory_nodes), (layout.from_lines(), &spec.data_nodes)]
}

fn indices(nodes: &[u32]) -> Vec<NodeIndex> {
    nodes.iter().copied().map(NodeIndex).collect()
}

/// Where the parts of an arena lie, whose pages must all be present; an error if a part is not where it was bound to.
fn checked(layout: &Layout, spec: &WindowSpec, residence: &Residence) -> Result<Lies, Refusal> {
    let pages = residence.0.len();
    if pages == 0 || residence.unknown() > 0 {
        let unknown = residence.unknown();
        return Err(Refusal::passing(format!(
            "the kernel does not say where {unknown} of the arena's {pages} pages lie"
        )));
    }
    if residence.absent() > 0 {
        let absent = residence.absent();
        return Err(Refusal::passing(format!(
            "{absent} of the arena's {pages} pages are not in memory although each was written to; free some memory"
        )));
    }
    let page = layout.total / pages;
    let of = |bytes: Range<usize>| Residence(residence.0[bytes.start / page..bytes.end / page].to_vec());
    let all = of(layout.shared());
    let wanted = indices(&spec.memory_nodes);
    for (bytes, nodes) in shared(layout, spec) {
        let (part, nodes) = (of(bytes), indices(nodes));
        within(&part, &nodes, || "what the vCPUs share".into())?;
        if nodes.len() > 1 {
            alternates(&part, &nodes)?;
        }
    }
    let mut blocks = Vec::new();
    for cpu in 0..spec.axes.vcpus as usize {
        let own = of(layout.own(cpu));
        within(&own, &indices(spec.block_nodes(cpu)), || format!("the block of vCPU {cpu}"))?;
        blocks.push(own.nodes().keys().map(|node| node.0).collect());
    }
    Ok(Lies {
        nodes: residence.nodes().keys().map(|node| node.0).collect(),
        notes: too_few(all.0.len(), wanted.len()).into_iter().collect(),
        residence: Some(Record {
            shared: all
                .nodes()
                .into_iter()
                .map(|(node, pages)| NodePages { node: node.0, pages: pages as u64 })
                .collect(),
            blocks,
            vcpu_nodes: match spec.vcpu_nodes[..] {
                [first, ..] if !spec.pinned() => vec![first; spec.vcpu_nodes.len()],
                _ => spec.vcpu_nodes.clone(),
            },
        }),
    })
}

/// An error if a part that was bound has a page elsewhere.
fn within(part: &Residence, nodes: &[NodeIndex], what: impl Fn() -> String) -> Result<(), Refusal> {
    if nodes.is_empty() || part.is_within(nodes) {
        return Ok(());
    }
    Err(Refusal::passing(format!("{} was bound to {} yet lies on {part}", what(), Nodes(nodes))))
}

/// An error unless pages that follow one another lie on different nodes and each node has its share.
fn alternates(part: &Residence, nodes: &[NodeIndex]) -> Result<(), Refusal> {
    let counts = part.nodes();
    let count = |node: &NodeIndex| counts.get(node).copied().unwrap_or(0);
    let (most, least) =
        (nodes.iter().map(count).max().unwrap_or(0), nodes.iter().map(count).min().unwrap_or(0));
    let interleaved = part.0.windows(2).all(|pair: &[Page]| pair[0] != pair[1]);
    if interleaved && most - least <= 1 {
        return Ok(());
    }
    Err(Refusal::passing(format!(
        "what the vCPUs share was to alternate over {} yet lies on {part}",
        Nodes(nodes)
    )))
}

/// A sentence on an interleaved part with fewer pages than nodes.
fn too_few(pages: usize, nodes: usize) -> Option<String> {
    let (have, lie) = match pages {
        1 => ("1 page".into(), "it lies on one of them, not always the same".into()),
        _ => (format!("{pages} pages"), format!("they lie on {pages} of them, not always the same")),
    };
    (nodes > 1 && pages < nodes).then(|| {
        format!(
            "interleave: the vCPUs share {have} (header, lock and data), fewer than the {nodes} NUMA nodes: in a window \
             {lie}"
        )
    })
}

#[cfg(test)]
mod tests;
