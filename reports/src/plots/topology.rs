//! The machine drawn with the vCPUs on it.
//!
//! Whoever measured describes the machine in a shape of their own; it is read with suspicion, and where it is not
//! understood the picture is left out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::canvas::{WIDTH, escape, wrap};
use super::{Figure, Plot, Table};
use crate::format::overcommit;
use crate::record::{Cell, Outcome, Results};
use crate::slices::{environments, main_slice};

const TITLE: &str = "The machine and the vCPUs on it";
/// Beyond this a picture shows nothing any more.
const MOST_CPUS: usize = 512;
const CPU: (u32, u32) = (50, 40);

/// A CPU as the picture needs it.
struct Cpu {
    index: u32,
    core: u64,
    /// Package and NUMA node, as a heading.
    group: String,
}

pub(super) fn plot(results: &Results) -> Figure {
    let Some(cpus) = results.machine.topology_detail.as_ref().and_then(cpus) else {
        return Figure::missing(TITLE, "The run recorded no topology.");
    };
    if cpus.len() > MOST_CPUS {
        return Figure::missing(TITLE, format!("{} CPUs are too many to draw.", cpus.len()));
    }
    let shown = crowded(results);
    let on = shown.map(vcpus_by_cpu).unwrap_or_default();
    let (height, body) = draw(&cpus, &on);
    let reading = match shown {
        Some(cell) => format!(
            "Boxes within boxes share a package and a NUMA node, then a core. vCPUs (v0, v1, …) stand where the \
             placement “{}” pins them, here with {} vCPUs on {} pCPUs ({}).",
            cell.axes.placement,
            cell.axes.vcpus,
            cell.axes.pcpus.len(),
            overcommit(cell.axes.overcommit)
        ),
        None => "Boxes within boxes share a package and a NUMA node, then a core.".into(),
    };
    let description = format!("{} CPUs; the table below has every one.", cpus.len());
    Figure::Drawn(Plot {
        id: "topology".into(),
        title: TITLE.into(),
        reading,
        svg: wrap("topology", TITLE, &description, WIDTH, height, 1, &body),
        legend: Vec::new(),
        open: false,
        data: table(&cpus, &on),
    })
}

/// The cell with most vCPUs a pCPU that is still easy to read: 2x, or what there is.
fn crowded(results: &Results) -> Option<&Cell> {
    let slices: Vec<_> =
        environments(results).into_iter().filter_map(|env| main_slice(results, env)).collect();
    let cells = || slices.iter().flat_map(|slice| slice.cells.iter().copied());
    cells()
        .filter(|cell| cell.axes.overcommit <= 2.0 + 1e-9)
        .max_by(|a, b| a.axes.overcommit.total_cmp(&b.axes.overcommit).then(a.axes.vcpus.cmp(&b.axes.vcpus)))
}

/// vCPUs by pCPU: where they were verified, or else dealt in order.
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
    let node = |pu: &Value| pu.get("nodes")?.get(0)?.as_u64();
    let cpu = |pu: &Value| {
        let package = package(pu).map_or_else(|| "Machine".into(), |package| format!("Package {package}"));
        let node = node(pu).map_or_else(String::new, |node| format!(", NUMA node {node}"));
        Some(Cpu {
            index: u32::try_from(pu.get("os_index")?.as_u64()?).ok()?,
            core: pu.get("core").and_then(Value::as_u64).unwrap_or(0),
            group: format!("{package}{node}"),
        })
    };
    let cpus: Option<Vec<Cpu>> = detail.get("pus")?.as_array()?.iter().map(cpu).collect();
    cpus.filter(|cpus| !cpus.is_empty())
}

/// Height and content of the picture.
fn draw(cpus: &[Cpu], on: &BTreeMap<u32, Vec<usize>>) -> (u32, String) {
    let mut svg = String::new();
    let mut y = 4;
    let mut rest = cpus;
    while let Some(first) = rest.first() {
        let of_group = rest.iter().take_while(|cpu| cpu.group == first.group).count();
        let (group, after) = rest.split_at(of_group);
        let mut body = String::new();
        let bottom = draw_group(group, on, y + 22, &mut body);
        svg.push_str(&rect(2, y, WIDTH - 4, bottom + 6 - y, "#FFFFFF", "#555555"));
        svg.push_str(&text(12, y + 16, "start", "#000000", &first.group));
        svg.push_str(&body);
        y = bottom + 14;
        rest = after;
    }
    (y, svg)
}

/// Cores of a group in rows, from `top` down; where they end.
fn draw_group(group: &[Cpu], on: &BTreeMap<u32, Vec<usize>>, top: u32, svg: &mut String) -> u32 {
    let (mut x, mut y) = (10, top);
    let row = CPU.1 + 10;
    let mut rest = group;
    while let Some(first) = rest.first() {
        let of_core = rest.iter().take_while(|cpu| cpu.core == first.core).count().min(8);
        let (core, after) = rest.split_at(of_core);
        let width = core.len() as u32 * (CPU.0 + 2) + 6;
        if x + width > WIDTH - 10 && x > 10 {
            (x, y) = (10, y + row);
        }
        svg.push_str(&rect(x, y, width, CPU.1 + 6, "#FFFFFF", "#DDDDDD"));
        for (place, cpu) in core.iter().enumerate() {
            draw_cpu(cpu, on, x + 4 + place as u32 * (CPU.0 + 2), y + 3, svg);
        }
        x += width + 4;
        rest = after;
    }
    y + row - 4
}

fn draw_cpu(cpu: &Cpu, on: &BTreeMap<u32, Vec<usize>>, x: u32, y: u32, svg: &mut String) {
    let vcpus = on.get(&cpu.index);
    svg.push_str(&rect(x, y, CPU.0, CPU.1, "#FFFFFF", if vcpus.is_some() { "#0072B2" } else { "#DDDDDD" }));
    svg.push_str(&text(x + CPU.0 / 2, y + 15, "middle", "#555555", &format!("P{}", cpu.index)));
    let names = vcpus.map(|vcpus| match vcpus[..] {
        [] => String::new(),
        [only] => format!("v{only}"),
        [one, other] => format!("v{one} v{other}"),
        [first, .., last] => format!("v{first}–v{last}"),
    });
    svg.push_str(&text(x + CPU.0 / 2, y + 32, "middle", "#000000", &names.unwrap_or_default()));
}

fn rect(x: u32, y: u32, width: u32, height: u32, fill: &str, stroke: &str) -> String {
    format!(
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"4\" fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"1.5\"/>"
    )
}

fn text(x: u32, y: u32, anchor: &str, fill: &str, text: &str) -> String {
    let text = escape(text);
    format!(
        "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"{fill}\">{text}</text>"
    )
}

fn table(cpus: &[Cpu], on: &BTreeMap<u32, Vec<usize>>) -> Table {
    let rows = cpus.iter().map(|cpu| {
        let vcpus: Vec<String> =
            on.get(&cpu.index).into_iter().flatten().map(|vcpu| format!("v{vcpu}")).collect();
        vec![cpu.index.to_string(), cpu.core.to_string(), cpu.group.clone(), vcpus.join(" ")]
    });
    Table { columns: ["pCPU", "core", "where", "vCPUs"].map(str::to_owned).to_vec(), rows: rows.collect() }
}
