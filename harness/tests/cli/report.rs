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

/// What `suite` says at the end stands on stdout, the page's path last; a page that goes to stdout itself has nothing beside it.
#[test]
fn a_report_of_one_run_says_what_suite_says_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let run = super::compare::night(dir.path(), 1, 1.0);
    let said = |arguments: &[&str]| {
        let output = lockbench().arg("report").arg(&run).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let short = said(&[]);
    assert!(short.contains("vCPUs per CPU") && short.contains("\nnext "), "{short}");
    assert!(short.contains("More in summary.txt."), "{short}");
    assert_eq!(short.lines().last(), Some(run.join("report.html").to_str().unwrap()));

    let elsewhere = dir.path().join("page.html");
    let page = elsewhere.to_str().unwrap();
    let other = said(&["-o", page]);
    assert!(other.contains("More with --full."), "no summary.txt lies beside it: {other}");
    assert_eq!(other.lines().last(), Some(page));
    let full = said(&["--full", "-o", page]);
    assert!(full.contains("1. Problem:") && full.lines().count() > short.lines().count(), "{full}");

    assert!(said(&["-o", "/dev/stdout"]).trim_end().ends_with("</html>"));
    let two = lockbench().arg("report").args([&run, &run]).args(["-o", page]).output().unwrap();
    assert_eq!(String::from_utf8(two.stdout).unwrap().trim_end(), page, "several runs have a page alone");
}
