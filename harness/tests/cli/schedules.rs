//! What tests of schedules share.

use serde_json::Value;

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
