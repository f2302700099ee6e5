//! A picture of the machine with the vCPUs on it, and with marks for where their arena lay.
//!
//! The program that measured describes the machine in a format of its own. Where that description cannot be understood, the
//! picture is left out.

mod marks;
mod picture;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::marks::{Marks, marks};
use super::canvas::{WIDTH, wrap};
use super::{Figure, Plot, Table};
use crate::derive::nodes::{self, LOCAL, Nodes};
use crate::derive::setting::{environments, main_setting};
use crate::format::{counted, overcommit, printable, vcpus_on};
use crate::record::params::MEMORY;
use crate::record::{Cell, Outcome, Results};

const TITLE: &str = "The machine and the vCPUs on it";
/// Machines with more CPUs are not drawn.
const MOST_CPUS: usize = 512;
/// At most this many memory policies are drawn.
const MOST_POLICIES: usize = 4;

/// A CPU as the picture needs it.
struct Cpu {
    index: u32,
    core: u64,
    node: Option<u32>,
    /// Package and NUMA node, as a heading.
    group: String,
}

/// What is drawn on the machine.
struct Shown<'a> {
    cell: Option<&'a Cell>,
    /// vCPUs by pCPU.
    on: BTreeMap<u32, Vec<usize>>,
    /// The marks of each node, on a machine with several.
    marks: BTreeMap<u32, Marks>,
    /// Nodes that no CPU is near.
    without_cpus: Vec<u32>,
}

/// One picture; on a machine with several nodes one for each memory policy, where the record tells where the arena lay.
pub(super) fn plots(results: &Results) -> Vec<Figure> {
    let Some(cpus) = results.machine.topology_detail.as_ref().and_then(cpus) else {
        return vec![Figure::missing(TITLE, "The run recorded no topology.")];
    };
    if cpus.len() > MOST_CPUS {
        return vec![Figure::missing(TITLE, format!("{} CPUs are too many to draw.", cpus.len()))];
    }
    let several = nodes::count(results) > 1;
    let found = || results.cells.iter().filter(|cell| several && cell.residence.is_some());
    let mut policies: Vec<&str> = Vec::new();
    for cell in found() {
        if !policies.contains(&memory(cell)) && policies.len() < MOST_POLICIES {
            policies.push(memory(cell));
        }
    }
    if policies.is_empty() {
        return vec![plot(results, &cpus, crowded(results), None)];
    }
    policies.sort_by_key(|policy| *policy != LOCAL);
    // All pictures show the same vCPUs, so that they differ only by the memory policy.
    let like = most_crowded(found().filter(|cell| memory(cell) != LOCAL));
    let of = |policy| plot(results, &cpus, crowded_by(results, policy, like), Some(policy));
    policies.into_iter().map(of).collect()
}

fn plot(results: &Results, cpus: &[Cpu], cell: Option<&Cell>, policy: Option<&str>) -> Figure {
    let near: BTreeSet<u32> = cpus.iter().filter_map(|cpu| cpu.node).collect();
    let residence = cell.filter(|_| policy.is_some()).and_then(|cell| cell.residence.as_ref());
    let numbers = Nodes::of(&results.machine).numbers.into_iter();
    let shown = Shown {
        cell,
        on: cell.map(vcpus_by_cpu).unwrap_or_default(),
        marks: residence.map(marks).unwrap_or_default(),
        without_cpus: numbers.filter(|node| policy.is_some() && !near.contains(node)).collect(),
    };
    let (height, body) = picture::draw(cpus, &shown);
    let id = match policy {
        None | Some(LOCAL) => "topology".into(),
        // Names in a record may be anything; an id may not.
        Some(policy) => format!("topology-{}", policy.replace(|c: char| !c.is_ascii_alphanumeric(), "-")),
    };
    let title =
        policy.map_or_else(|| TITLE.into(), |policy| format!("{TITLE}, memory {}", printable(policy)));
    let description = format!("{}; the table below has every one.", counted(cpus.len(), "CPU"));
    Figure::Drawn(Plot {
        svg: wrap(&id, &title, &description, WIDTH, height, 1, &body),
        id,
        title,
        env: None,
        reading: reading(&shown),
        linear: None,
        legend: if shown.marks.is_empty() { Vec::new() } else { marks::legend() },
        open: false,
        data: table(cpus, &shown),
    })
}

fn reading(shown: &Shown<'_>) -> String {
    let boxes = "Boxes within boxes share a package and a NUMA node, then a core.";
    let Some(axes) = shown.cell.map(|cell| &cell.axes) else { return boxes.into() };
    let mut text = format!(
        "{boxes} vCPUs (v0, v1, …) stand where the placement “{}” pins them, here with {} ({}).",
        axes.placement,
        vcpus_on(axes.vcpus, axes.pcpus.len()),
        overcommit(axes.overcommit)
    );
    if !shown.marks.is_empty() {
        text.push_str(
            " The marks show where the kernel found the pages in the cell's last window, not where they were asked to be.",
        );
    }
    text
}

/// The cell with most vCPUs per pCPU, up to 2x, which is still easy to read.
fn crowded(results: &Results) -> Option<&Cell> {
    let settings: Vec<_> =
        environments(results).into_iter().filter_map(|env| main_setting(results, env)).collect();
    most_crowded(settings.iter().flat_map(|setting| setting.cells.iter().copied()))
}

/// The cell with most vCPUs per pCPU, up to 2x, among those with a memory policy whose pages were found; preferably one on the same
/// pCPUs as `like`.
fn crowded_by<'a>(results: &'a Results, policy: &str, like: Option<&Cell>) -> Option<&'a Cell> {
    let found = || results.cells.iter().filter(|cell| memory(cell) == policy && cell.residence.is_some());
    let alike = |cell: &&Cell| {
        let place = |cell: &Cell| (cell.axes.placement.clone(), cell.axes.pcpus.clone(), cell.axes.vcpus);
        like.is_some_and(|like| place(cell) == place(like))
    };
    most_crowded(found().filter(alike)).or_else(|| most_crowded(found()))
}

fn most_crowded<'a>(cells: impl Iterator<Item = &'a Cell>) -> Option<&'a Cell> {
    cells
        .filter(|cell| cell.axes.overcommit <= 2.0 + 1e-9)
        .max_by(|a, b| a.axes.overcommit.total_cmp(&b.axes.overcommit).then(a.axes.vcpus.cmp(&b.axes.vcpus)))
}

fn memory(cell: &Cell) -> &str {
    cell.axes.params.get(MEMORY).map_or(LOCAL, String::as_str)
}

/// vCPUs by pCPU: where they were found, or else dealt round-robin.
fn vcpus_by_cpu(cell: &Cell) -> BTreeMap<u32, Vec<usize>> {
    let placed = cell.rounds.iter().find_map(|round| match &round.outcome {
        Outcome::Measured(measured) if measured.placed.len() == cell.axes.vcpus as usize => {
            Some(&measured.placed)
        }
        _ => None,
    });
    let mut on: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let vcpus = (cell.axes.vcpus as usize).min(4 * MOST_CPUS);
    for vcpu in 0..vcpus {
        let dealt = || cell.axes.pcpus.get(vcpu % cell.axes.pcpus.len().max(1));
        let Some(&cpu) = placed.map_or_else(dealt, |placed| placed.get(vcpu)) else { continue };
        on.entry(cpu).or_default().push(vcpu);
    }
    on
}

fn cpus(detail: &Value) -> Option<Vec<Cpu>> {
    let package = |pu: &Value| {
        let at = pu.get("package")?.as_u64()?;
        detail.get("packages")?.get(usize::try_from(at).ok()?)?.get("os_index")?.as_u64()
    };
    let node = |pu: &Value| u32::try_from(pu.get("nodes")?.get(0)?.as_u64()?).ok();
    let cpu = |pu: &Value| {
        let package = package(pu).map_or_else(|| "Machine".into(), |package| format!("Package {package}"));
        let node = node(pu);
        let on = node.map_or_else(String::new, |node| format!(", NUMA node {node}"));
        Some(Cpu {
            index: u32::try_from(pu.get("os_index")?.as_u64()?).ok()?,
            core: pu.get("core").and_then(Value::as_u64).unwrap_or(0),
            node,
            group: format!("{package}{on}"),
        })
    };
    let cpus: Option<Vec<Cpu>> = detail.get("pus")?.as_array()?.iter().map(cpu).collect();
    cpus.filter(|cpus| !cpus.is_empty())
}

fn table(cpus: &[Cpu], shown: &Shown<'_>) -> Table {
    let marked = !shown.marks.is_empty();
    let mut columns = vec!["pCPU", "core", "where", "vCPUs"];
    columns
        .extend(marked.then_some(["lock and data on its node", "blocks on its node"]).into_iter().flatten());
    let lies = |node: Option<u32>| {
        let marks = node.and_then(|node| shown.marks.get(&node));
        let of = |pick: fn(&Marks) -> &String| marks.map_or_else(String::new, |marks| pick(marks).clone());
        let told = [of(|marks| &marks.lock), of(|marks| &marks.blocks)];
        marked.then_some(told).into_iter().flatten()
    };
    let of_cpus = cpus.iter().map(|cpu| {
        let on = shown.on.get(&cpu.index).into_iter().flatten();
        let vcpus: Vec<String> = on.map(|vcpu| format!("v{vcpu}")).collect();
        let mut row = vec![cpu.index.to_string(), cpu.core.to_string(), cpu.group.clone(), vcpus.join(" ")];
        row.extend(lies(cpu.node));
        row
    });
    let of_nodes = shown.without_cpus.iter().map(|node| {
        let mut row = vec!["–".into(), "–".into(), format!("NUMA node {node}, no CPUs"), String::new()];
        row.extend(lies(Some(*node)));
        row
    });
    Table {
        columns: columns.into_iter().map(str::to_owned).collect(),
        rows: of_cpus.chain(of_nodes).collect(),
    }
}
