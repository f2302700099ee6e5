//! Drives the program as a user would, and reads its JSON.

use std::process::Command;

use serde_json::Value;

/// Runs `lockbench run --json` with these options and gives its results.
pub(crate) fn run(options: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_lockbench"))
        .args(["run", "--json"])
        .args(options.split_whitespace())
        .output()
        .expect("the program starts");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("run {options}: {e}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The cells that a test picks by lock and environment, above or at 1x.
pub(crate) fn cells<'a>(results: &'a Value, lock: &str, env: &str) -> impl Iterator<Item = &'a Value> {
    let cells = results["cells"].as_array().expect("cells");
    cells.iter().filter(move |cell| cell["lock"] == lock && cell["env"] == env)
}

/// Median acquisitions per second of a cell.
pub(crate) fn rate(cell: &Value) -> f64 {
    cell["ops_per_second"]["median"].as_f64().unwrap_or(f64::NAN)
}

/// Low and high end of a cell's rate.
pub(crate) fn interval(cell: &Value) -> (f64, f64) {
    let rate = &cell["ops_per_second"];
    (rate["low"].as_f64().unwrap_or(f64::NAN), rate["high"].as_f64().unwrap_or(f64::NAN))
}
