//! `report`: what is derived from a run's rounds is made again.

use std::fs;

use super::lockbench;

#[test]
fn a_run_directory_gets_everything_that_is_derived_from_its_rounds() {
    let dir = tempfile::tempdir().unwrap();
    let run = super::compare::night(dir.path(), 1, 1.0);
    let rounds = fs::read(run.join("rounds.jsonl")).unwrap();
    fs::write(run.join("results.json"), "older").unwrap();
    lockbench().arg("report").arg(&run).assert().success();
    assert!(fs::read_to_string(run.join("results.json")).unwrap().contains("\"schema_version\": 1"));
    assert!(fs::read_to_string(run.join("report.html")).unwrap().starts_with("<!doctype html>"));
    assert_eq!(fs::read(run.join("rounds.jsonl")).unwrap(), rounds);
    let elsewhere = dir.path().join("page.html");
    fs::remove_file(run.join("results.json")).unwrap();
    lockbench().arg("report").arg(&run).arg("-o").arg(&elsewhere).assert().success();
    assert!(elsewhere.exists() && !run.join("results.json").exists(), "-o writes one file");
}
