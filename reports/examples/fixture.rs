//! Writes a SYNTHETIC run directory with its page, `cargo run -p lockbench-reports --example fixture -- DIR`, and in DIR/nodes
//! that of a machine with four NUMA nodes, in DIR/many that of thirty locks, in DIR/standard one as full as a standard run, with
//! locks that people use, and DIR/trend.html, which shows twenty-four nights.
//! With a second directory it writes a second run, and a page that compares the two.

#[path = "../tests/fixture/mod.rs"]
mod fixture;
#[path = "../tests/fixture/many.rs"]
mod many;
#[path = "../tests/fixture/nights.rs"]
mod nights;
#[path = "../tests/fixture/nodes.rs"]
mod nodes;
#[path = "../tests/fixture/peers.rs"]
mod peers;
#[path = "../tests/fixture/standard.rs"]
mod standard;

use std::fs;
use std::path::{Path, PathBuf};

use lockbench_reports::derive::run_dir;
use lockbench_reports::output_file;
use lockbench_reports::record::{CellAxes, Line, Results};
use lockbench_reports::show::ending::{Layout, ending};
use lockbench_reports::show::{csv, html, summary, trend};
use lockbench_reports::statistics::MARGIN;

fn main() {
    let dirs: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    assert!(!dirs.is_empty(), "usage: fixture DIR [DIR]");
    let runs: Vec<Results> = dirs
        .iter()
        .zip([(7, 1.0), (11, 1.3)])
        .map(|(dir, (seed, slow))| run(dir, &fixture::lines(seed, slow)))
        .collect();
    tell(&runs[0]);
    for (dir, results) in dirs.iter().zip(&runs) {
        page(dir, results);
        write(&dir.join("cells.csv"), &csv::cells(results));
    }
    if runs.len() > 1 {
        write(&dirs[0].join("compared.html"), &html::render(&runs).expect("a page"));
    }
    let (night, history) = nights::nights(|_, _| ());
    let trend = trend::render(&night.machine, &history, &[], MARGIN).expect("a page");
    write(&dirs[0].join("trend.html"), &trend);
    let dir = dirs[0].join("many");
    page(&dir, &run(&dir, &many::lines(fixture::lines(7, 1.0))));
    let dir = dirs[0].join("standard");
    let mut full = standard::lines();
    for line in &mut full {
        if let Line::Header(header) = line {
            peers::among(&mut header.locks);
        }
    }
    page(&dir, &run(&dir, &full));
    let dir = dirs[0].join("nodes");
    let several = nodes::Several {
        nodes: vec![0, 1, 2, 3],
        each: 2,
        times: costs,
        traced: true,
        ..nodes::Several::default()
    };
    let results = run(&dir, &several.lines());
    println!();
    tell(&results);
    page(&dir, &results);
}

/// By which factor other memory and other placements slow a cell down on that machine.
fn costs(axes: &CellAxes) -> f64 {
    let memory = match axes.params.get("memory").map(String::as_str) {
        Some("remote") if axes.lock != "tas" => 1.6,
        Some("interleave") if axes.lock != "tas" => 1.25,
        _ => 1.0,
    };
    let spread = if axes.placement == "scatter" { 2.1 } else { 1.0 };
    memory * spread
}

fn tell(results: &Results) {
    println!("{}\n{}", ending(results, Layout::PLAIN), summary::whole(results));
}

fn run(dir: &Path, lines: &[Line]) -> Results {
    fs::create_dir_all(dir).expect("a directory");
    let lines: Vec<String> = lines.iter().map(|line| serde_json::to_string(line).expect("JSON")).collect();
    write(&dir.join(run_dir::ROUNDS), &(lines.join("\n") + "\n"));
    let results = run_dir::read(dir).expect("what was just written");
    run_dir::write_results(dir, &results).expect("results.json");
    results
}

fn page(dir: &Path, results: &Results) {
    write(&dir.join(run_dir::REPORT), &html::render(std::slice::from_ref(results)).expect("a page"));
}

fn write(path: &Path, text: &str) {
    output_file::write(path, text.as_bytes()).expect("a file");
}
