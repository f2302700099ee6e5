//! Writes a SYNTHETIC run directory, for looking at the page: `cargo run -p lockbench-reports --example fixture -- DIR`.
//! With a second directory it writes two runs and the page that compares them.

#[path = "../tests/fixture/mod.rs"]
mod fixture;

use std::fs;
use std::path::{Path, PathBuf};

use lockbench_reports::record::Results;
use lockbench_reports::{answers, csv, html, output_file, run_dir, summary};

fn main() {
    let dirs: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    assert!(!dirs.is_empty(), "usage: fixture DIR [DIR]");
    let runs: Vec<Results> =
        dirs.iter().zip([(7, 1.0), (11, 1.3)]).map(|(dir, (seed, slow))| run(dir, seed, slow)).collect();
    println!("{}\n{}\n{}", answers::answers(&runs[0]), summary::table(&runs[0]), summary::closing(&runs[0]));
    for (dir, results) in dirs.iter().zip(&runs) {
        write(&dir.join(run_dir::REPORT), &html::render(std::slice::from_ref(results)).expect("a page"));
        write(&dir.join("cells.csv"), &csv::cells(results));
    }
    if runs.len() > 1 {
        write(&dirs[0].join("compared.html"), &html::render(&runs).expect("a page"));
    }
}

fn run(dir: &Path, seed: u64, slow: f64) -> Results {
    fs::create_dir_all(dir).expect("a directory");
    let lines: Vec<String> =
        fixture::lines(seed, slow).iter().map(|line| serde_json::to_string(line).expect("JSON")).collect();
    write(&dir.join(run_dir::ROUNDS), &(lines.join("\n") + "\n"));
    let results = run_dir::read(dir).expect("what was just written");
    run_dir::write_results(dir, &results).expect("results.json");
    results
}

fn write(path: &Path, text: &str) {
    output_file::write(path, text.as_bytes()).expect("a file");
}
