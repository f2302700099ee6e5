//! Draws the boxes of nodes, cores and CPUs.

use std::collections::BTreeMap;

use super::marks::{BLOCKS, LOCK, Marks};
use super::{Cpu, Shown};
use crate::show::plots::canvas::{WIDTH, escape, marker_outline};
use crate::show::plots::style::Style;

const CPU: (u32, u32) = (50, 40);
/// Height of a line of text.
const LINE: u32 = 18;

/// Height and content of the picture.
pub(super) fn draw(cpus: &[Cpu], shown: &Shown<'_>) -> (u32, String) {
    let mut svg = String::new();
    let mut y = 4;
    for group in cpus.chunk_by(|one, next| one.group == next.group) {
        let marks = group[0].node.and_then(|node| shown.marks.get(&node));
        y = draw_box(&group[0].group, group, marks, shown, y, &mut svg);
    }
    for node in &shown.without_cpus {
        let heading = format!("NUMA node {node}, no CPUs");
        y = draw_box(&heading, &[], shown.marks.get(node), shown, y, &mut svg);
    }
    (y, svg)
}

/// Draws a node's box from `y` down and returns where the next may begin.
fn draw_box(
    heading: &str,
    cpus: &[Cpu],
    marks: Option<&Marks>,
    shown: &Shown<'_>,
    y: u32,
    svg: &mut String,
) -> u32 {
    let mut body = text(12, y + 16, "start", "#000000", heading);
    let mut line = y + 16;
    for (style, lead, what) in marks.map_or_else(Vec::new, |marks| {
        vec![(LOCK, "lock and data: ", &marks.lock), (BLOCKS, "blocks of ", &marks.blocks)]
    }) {
        if !what.is_empty() {
            line += LINE;
            body.push_str(&marker(18, line - 4, style));
            body.push_str(&text(28, line, "start", "#000000", &format!("{lead}{what}")));
        }
    }
    let bottom = if cpus.is_empty() { line } else { draw_cores(cpus, &shown.on, line + 6, &mut body) };
    svg.push_str(&rect(2, y, WIDTH - 4, bottom + 6 - y, "#FFFFFF", "#555555"));
    svg.push_str(&body);
    bottom + 14
}

/// Draws cores in rows from `top` down and returns where they end.
fn draw_cores(cpus: &[Cpu], on: &BTreeMap<u32, Vec<usize>>, top: u32, svg: &mut String) -> u32 {
    let (mut x, mut y) = (10, top);
    let row = CPU.1 + 10;
    let mut rest = cpus;
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

fn marker(x: u32, y: u32, style: Style) -> String {
    let (r, g, b) = style.colour;
    let corners: Vec<String> = marker_outline(style.marker, 4.5)
        .iter()
        .map(|(dx, dy)| format!("{:.1} {:.1}", f64::from(x) + dx, f64::from(y) + dy))
        .collect();
    format!("<path d=\"M{}Z\" fill=\"#{r:02X}{g:02X}{b:02X}\"/>", corners.join("L"))
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
