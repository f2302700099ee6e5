//! What tests of schedules share.

use serde_json::Value;
use tempfile::TempDir;

use super::lockbench;
use super::real_vcpus::has_kvm;

/// The environments that the emulated hypervisor schedules, as far as they are there.
pub(super) fn envs() -> &'static str {
    if has_kvm() { "emulated,kvm" } else { "emulated" }
}

/// The schedules of all windows, with their cells' ids.
pub(super) fn schedules(results: &Value) -> Vec<(String, Value)> {
    let cells = results["cells"].as_array().expect("cells were measured");
    let windows = cells.iter().flat_map(|cell| {
        let rounds = cell["rounds"].as_array().unwrap().iter();
        rounds.map(|round| (cell["id"].as_str().unwrap().to_owned(), round["schedule"].clone()))
    });
    windows.collect()
}

/// Whether a schedule was kept, as on a machine that has nothing else to do. Where other programs run, a vCPU may have no time in a window
/// although its turn comes: then only what did happen can be looked at.
pub(super) fn was_kept(schedule: &Value) -> bool {
    schedule["deviation"].as_f64().is_none_or(|deviation| deviation <= 0.02)
}

/// How the program ended and all that it said.
pub(super) fn said(arguments: &[&str]) -> (Option<i32>, String) {
    let output = lockbench().args(arguments).output().unwrap();
    let both = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&both).into_owned())
}

/// Writes a scenario's file. Returns its path.
pub(super) fn scenario(dir: &TempDir, text: &str) -> String {
    let path = dir.path().join("own.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A scenario's text with every environment that the emulated hypervisor schedules, as far as they are there.
pub(super) fn in_all_envs(text: String) -> String {
    if has_kvm() { text.replace("['emulated']", "['emulated', 'kvm']") } else { text }
}

/// What a run of a scenario left behind.
pub(super) struct Ran {
    /// The axes of its cells.
    pub(super) cells: Vec<Value>,
    /// The window of each cell, with its log.
    pub(super) windows: Vec<Value>,
    pub(super) said: String,
}

/// Runs the scenario of a file, whose cells have one window each.
pub(super) fn ran(dir: &TempDir, path: &str) -> Ran {
    let out = dir.path().join("out");
    let (_, said) = said(&["suite", "--scenario", path, "--out", out.to_str().unwrap()]);
    let run = std::fs::read_dir(&out).unwrap_or_else(|e| panic!("{e}: {said}")).next().unwrap().unwrap();
    let lines = std::fs::read_to_string(run.path().join("rounds.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let cells = lines[0]["cells"].as_array().unwrap().clone();
    let windows: Vec<Value> = lines.into_iter().filter(|line| line["schedule"]["log"].is_array()).collect();
    assert_eq!(windows.len(), cells.len(), "{said}");
    Ran { cells, windows, said }
}
