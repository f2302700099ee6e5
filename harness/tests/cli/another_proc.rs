//! Where /proc shows another pid namespace, counts of threads are unknown, not 0.

use std::process::{Command, Output};

/// Runs the program as `unshare` starts it with these options.
fn unshared(options: &[&str], args: &[&str]) -> Output {
    let run = |more: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(more).args(options).arg(env!("CARGO_BIN_EXE_lockbench")).args(args);
        command.env("NO_COLOR", "1").output().expect("unshare, of util-linux")
    };
    // Without the right to it, in a user namespace.
    let mut output = run(&[]);
    if String::from_utf8_lossy(&output.stderr).contains("unshare:") {
        output = run(&["--user", "--map-root-user"]);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("unshare:"), "no pid namespace can be had here: {said}");
    output
}

#[test]
fn under_another_namespaces_proc_shares_and_switches_are_unknown() {
    let args = ["run", "--json", "--locks", "ticket", "--envs", "emulated", "--vcpus", "2", "--rounds", "1"];
    let output = unshared(&["--pid", "--fork"], &args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("another pid namespace") && said.contains("unknown"), "{said}");
    let results: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let cell = &results["cells"][0];
    assert_eq!(cell["status"], "ok", "{cell}");
    assert!(cell["on_cpu_share"].is_null(), "{cell}");
    let window = &cell["rounds"][0];
    assert_eq!(window["on_cpu_share"], serde_json::json!([]), "{window}");
    assert!(window["slice_ns"].is_null(), "{window}");
    for name in ["voluntary_switches", "involuntary_switches", "minor_faults", "major_faults"] {
        assert!(window["counters"].get(name).is_none(), "{name} in {window}");
    }
    let facilities = results["machine"]["facilities"].as_array().unwrap();
    let times = facilities.iter().find(|facility| facility["name"] == "thread-times").unwrap();
    assert_eq!(times["available"], false, "{times}");
}

#[test]
fn with_its_own_proc_they_are_known() {
    let args = ["run", "--json", "--locks", "ticket", "--envs", "emulated", "--vcpus", "2", "--rounds", "1"];
    let output = unshared(&["--pid", "--fork", "--mount-proc"], &args);
    let results: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let window = &results["cells"][0]["rounds"][0];
    assert_eq!(window["on_cpu_share"].as_array().map(Vec::len), Some(2), "{window}");
    assert!(window["counters"]["involuntary_switches"].is_u64(), "{window}");
}

#[test]
fn children_in_another_namespace_than_ones_own_are_refused() {
    let output = unshared(&["--pid"], &["run", "--locks", "ticket", "--envs", "native", "--rounds", "1"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("unshare -pf") && said.lines().count() == 1, "{said}");
}
