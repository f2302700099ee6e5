//! Bad input gets one clear sentence and exit status 2.

use std::fs;

use super::lockbench;

fn refused(args: &[&str]) -> String {
    let output = lockbench().args(args).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?} said: {said}");
    assert!(output.stdout.is_empty(), "{args:?} printed to stdout");
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// One sentence on one line, written by this program and not by a library.
fn refused_in_a_line(args: &[&str]) -> String {
    let said = refused(args);
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    assert!(said.starts_with("lockbench: "), "{said}");
    said
}

#[test]
fn unknown_names_come_with_a_suggestion() {
    assert!(refused_in_a_line(&["run", "--locks", "tickt"]).contains("did you mean `ticket`"));
    assert!(refused_in_a_line(&["run", "--envs", "nativ"]).contains("did you mean `native`"));
    assert!(refused_in_a_line(&["run", "--workloads", "shrt"]).contains("did you mean `short`"));
    assert!(refused_in_a_line(&["suite", "--profile", "quik"]).contains("did you mean `quick`"));
    refused_in_a_line(&["run", "--placement", "sideways"]);
    refused_in_a_line(&["run", "--pinning", "loose"]);
    refused_in_a_line(&["run", "--memory", "far"]);
    refused(&["suit"]);
    refused(&["run", "--lock", "ticket"]);
}

#[test]
fn figures_out_of_range_are_refused() {
    assert!(refused_in_a_line(&["run", "--window", "1ms"]).contains("100ms"));
    refused(&["run", "--window", "soon"]);
    refused(&["run", "--rounds", "-1"]);
    refused_in_a_line(&["run", "--rounds", "0"]);
    refused_in_a_line(&["run", "--overcommit", "65"]);
    refused_in_a_line(&["run", "--overcommit", "NaN"]);
    refused_in_a_line(&["run", "--vcpus", "0"]);
    refused_in_a_line(&["run", "--pcpus", "9999"]);
    refused_in_a_line(&["run", "--pcpus", "3-1"]);
    refused_in_a_line(&["suite", "--time", "1ms"]);
    for times in ["--latency", "--trace"] {
        let several = ["run", "--locks", "ticket", "--workloads", "short,many:8", times];
        assert!(refused_in_a_line(&several).contains("`many:8` takes several locks"));
    }
}

#[test]
fn unreadable_and_damaged_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    refused_in_a_line(&["report", &path("missing")]);
    fs::write(path("empty.json"), "").unwrap();
    refused_in_a_line(&["report", &path("empty.json")]);
    fs::write(path("noise.json"), [0xff, 0x00, 0x7b]).unwrap();
    refused_in_a_line(&["report", &path("noise.json")]);
    fs::write(path("newer.json"), r#"{"schema_version": 99}"#).unwrap();
    refused_in_a_line(&["report", &path("newer.json")]);
    refused_in_a_line(&["suite", "--config", &path("missing.toml")]);
    fs::write(path("typo.toml"), "about = 'x'\nrounds = 6\nwindow = '100ms'\n[[cells]]\nlock = ['ticket']\n")
        .unwrap();
    assert!(refused_in_a_line(&["suite", "--config", &path("typo.toml")]).contains("line 5"));
    fs::write(path("spec.json"), "{}").unwrap();
    refused_in_a_line(&["run", "--json", "--spec", &path("spec.json")]);
}

#[test]
fn an_output_directory_that_cannot_be_written_is_refused_before_measuring() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let said = refused_in_a_line(&["suite", "--profile", "smoke", "--out", file.to_str().unwrap()]);
    assert!(said.contains("--out"), "{said}");
}

#[test]
fn a_foreign_topology_is_planned_for_and_never_measured() {
    refused(&["suite", "--topology", "pack:2 core:2 pu:2"]);
    let output =
        lockbench().args(["suite", "--plan-only", "--topology", "pack:2 core:2 pu:2"]).output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("16v:8p"));
    let output = lockbench()
        .args(["run", "--locks", "ticket"])
        .env("HWLOC_SYNTHETIC", "core:4 pu:1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_request_of_which_nothing_can_be_had_is_refused_with_the_reason() {
    let said = refused_in_a_line(&["run", "--vcpus", "5000", "--envs", "emulated", "--locks", "ticket"]);
    assert!(said.contains("5000 vCPUs cannot be had"), "{said}");
    let nowhere = ["suite", "--plan-only", "--profile", "smoke", "--placement", "node:4095"];
    assert!(refused_in_a_line(&nowhere).contains("no NUMA node 4095"));
    refused_in_a_line(&["run", "--arrivals", "0", "--locks", "ticket"]);
    refused_in_a_line(&["run", "--arrivals", "inf", "--locks", "ticket"]);
}
