//! The machine as text.

use std::collections::BTreeMap;

use super::{
    CacheKind, CpuList, Machine, Node, NodeIndex, Pu, PuIndex, Why,
    group::grouped,
    text::{Strided, bytes, columns, count},
};

/// Draws a machine as text: a summary, a row for every NUMA node of every package, then caches, distances, absentees.
///
/// Meant to stay readable at hundreds of CPUs. Lines are about 100 columns wide at most and end in a newline.
pub fn draw(machine: &Machine) -> String {
    let mut out = String::new();
    out += &format!("{}\n", machine.source);
    if let Some(model) = &machine.cpu_model {
        out += &format!("{model}\n");
    }
    out += &format!("{}\n", summary(machine));
    if !machine.is_this_system {
        out += "Not the machine we run on: plans only, nothing can be bound.\n";
    }
    out += &format!("\n{}", columns(&places(machine)));
    if !machine.caches.is_empty() {
        out += &format!("\n{}", columns(&caches(machine)));
    }
    out += &distances(machine);
    out += &absentees(machine);
    out
}

/// What exists and cannot be used, and why.
fn absentees(machine: &Machine) -> String {
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let mut lines: Vec<String> = Vec::new();
    for (why, cpus) in machine.absences(&machine.unavailable) {
        lines.push(format!("{why}: CPU{} {}\n", plural(cpus.len()), Strided(&cpus)));
    }
    let mut nodes = |why: Why, what: &str, nodes: CpuList| {
        if !nodes.is_empty() {
            lines.push(format!("{why}: {what}node{} {nodes}\n", plural(nodes.len())));
        }
    };
    let forbidden = machine.nodes.iter().filter(|node| node.forbidden);
    nodes(Why::Cpuset, "memory of ", forbidden.map(|node| node.os_index.0).collect());
    for (why, absent) in grouped(&machine.absent_nodes, |(_, why)| **why) {
        nodes(why, "", absent.into_iter().map(|(node, _)| node.0).collect());
    }
    if lines.is_empty() { String::new() } else { format!("\n{}", lines.concat()) }
}

fn summary(machine: &Machine) -> String {
    [
        count(machine.packages.len(), "package"),
        count(machine.nodes.len(), "NUMA node"),
        count(machine.cores.len(), "core"),
        count(machine.pus.len(), "CPU"),
    ]
    .join(", ")
}

/// A row for all CPUs that share package and nodes, then one for each node that has no CPU.
fn places(machine: &Machine) -> Vec<[String; 5]> {
    let smt = machine.pus.iter().any(|pu| pu.sibling_rank > 0);
    let cpus = if smt { "CPUs (sibling 0 | 1 | …)" } else { "CPUs" };
    let mut rows = vec![["package", "node", "memory", "cores", cpus].map(str::to_owned)];
    for ((package, nodes), pus) in grouped(&machine.pus, |pu| (pu.package, pu.nodes.clone())) {
        let package = machine.packages[package].os_index.map_or("-".to_owned(), |index| index.to_string());
        let mut cores: Vec<usize> = pus.iter().map(|pu| pu.core).collect();
        cores.dedup();
        rows.push([package, join(&nodes), memory(machine, &nodes), cores.len().to_string(), siblings(&pus)]);
    }
    let empty: Vec<&Node> = machine.nodes.iter().filter(|node| node.cpus.is_empty()).collect();
    rows.extend(empty.into_iter().map(|node| {
        let nodes = [node.os_index];
        ["-".to_owned(), join(&nodes), memory(machine, &nodes), "0".to_owned(), "-".to_owned()]
    }));
    rows
}

fn join(nodes: &[NodeIndex]) -> String {
    if nodes.is_empty() {
        return "-".to_owned();
    }
    nodes.iter().map(NodeIndex::to_string).collect::<Vec<_>>().join("+")
}

fn memory(machine: &Machine, nodes: &[NodeIndex]) -> String {
    let of = |node: &Node| {
        let size = match node.memory_bytes {
            Some(size) => bytes(size),
            None if machine.has_memory(node) => "?".to_owned(),
            None => "none".to_owned(),
        };
        let kind = node.kind.as_ref().map_or(String::new(), |kind| format!(" {kind}"));
        let cache =
            node.memory_side_cache_bytes.map_or(String::new(), |size| format!(" behind {}", bytes(size)));
        let forbidden = if node.forbidden { " (not allowed)" } else { "" };
        format!("{size}{kind}{cache}{forbidden}")
    };
    let all: Vec<_> = nodes.iter().filter_map(|&node| machine.node(node)).map(of).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(" + ") }
}

/// First CPUs of the cores, then the second ones, and so on.
fn siblings(pus: &[&Pu]) -> String {
    let mut ranks: BTreeMap<u32, Vec<PuIndex>> = BTreeMap::new();
    for pu in pus {
        ranks.entry(pu.sibling_rank).or_default().push(pu.os_index);
    }
    let lists = ranks.into_values().map(|cpus| Strided(&cpus.into_iter().collect()).to_string());
    lists.collect::<Vec<_>>().join(" | ")
}

/// A row for each kind of cache: how many, how large, shared by how many CPUs.
fn caches(machine: &Machine) -> Vec<[String; 3]> {
    let kinds =
        grouped(&machine.caches, |cache| (cache.level, cache.kind, cache.size_bytes, cache.cpus.len()));
    let rows = kinds.into_iter().map(|((level, kind, size, sharers), caches)| {
        let letter = match kind {
            CacheKind::Data => "d",
            CacheKind::Instruction => "i",
            CacheKind::Unified => "",
        };
        let size = size.map_or("?".to_owned(), bytes);
        let each = if sharers == 1 { "one CPU each".to_owned() } else { format!("{sharers} CPUs each") };
        [format!("L{level}{letter}"), format!("{} × {size}", caches.len()), each]
    });
    rows.collect()
}

/// The distances between nodes: the table where it is small, its range where it is not.
fn distances(machine: &Machine) -> String {
    const LARGEST: usize = 8;
    let Some(distances) = &machine.distances else { return String::new() };
    // Distances of nodes that cannot be used are left out.
    let nodes: Vec<NodeIndex> =
        distances.nodes.iter().copied().filter(|&node| machine.node(node).is_some()).collect();
    if nodes.len() < 2 {
        return String::new();
    }
    if nodes.len() > LARGEST {
        let all = || nodes.iter().copied();
        let pairs = all().flat_map(|from| all().map(move |to| (from, to)));
        let elsewhere: Vec<_> =
            pairs.filter(|(a, b)| a != b).filter_map(|(a, b)| distances.between(a, b)).collect();
        let here = all().filter_map(|node| distances.between(node, node)).min();
        return match (here, elsewhere.iter().min(), elsewhere.iter().max()) {
            (Some(here), Some(near), Some(far)) => {
                format!("\ndistances between nodes: {here} to itself, {near} to {far} to others\n")
            }
            _ => String::new(),
        };
    }
    let cell = |text: String| format!("{text:>5}");
    let mut out = "\ndistances between nodes\n".to_owned();
    out += &format!("from{}\n", nodes.iter().map(|node| cell(node.to_string())).collect::<String>());
    for &from in &nodes {
        let to = nodes
            .iter()
            .map(|&to| cell(distances.between(from, to).map_or("?".to_owned(), |d| d.to_string())));
        out += &format!("{:>4}{}\n", from.to_string(), to.collect::<String>());
    }
    out
}
