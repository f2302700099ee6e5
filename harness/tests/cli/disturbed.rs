//! A window that was disturbed from outside is repeated once, and left out if that was disturbed too.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::misbehaving;

/// One cell of a lock that disturbs its own windows, and one that does not.
fn run(lock: &str) -> (serde_json::Value, serde_json::Value) {
    let locks = format!("{lock},ticket");
    let args = ["run", "--json", "--envs", "native", "--vcpus", "2", "--rounds", "2", "--locks", &locks];
    let output = misbehaving().args(args).output().unwrap();
    let results: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    let cell = |name: &str| {
        let cells = results["cells"].as_array().unwrap();
        cells.iter().find(|cell| cell["lock"] == name).unwrap_or_else(|| panic!("no cell of {name}")).clone()
    };
    (cell(lock), cell("ticket"))
}

/// Every window of the first cell is left out for this reason; no window of the second cell counts as disturbed.
fn is_left_out(lock: &str, reason: &str) {
    let (cell, ticket) = run(lock);
    for window in cell["rounds"].as_array().unwrap() {
        let disturbed = window["disturbed"].as_str().unwrap_or_else(|| panic!("taken for good: {window}"));
        assert!(disturbed.contains(reason), "{disturbed}");
        assert_eq!(window["placed"], serde_json::json!([]), "{window}");
        assert!(window.get("steady").is_none(), "{window}");
    }
    assert!(cell["ops_per_second"].is_null(), "{cell}");
    assert_eq!(cell["windows_used"], 0, "{cell}");
    assert_eq!(cell["status"], "skipped", "{cell}");
    let why = cell["reason"].as_str().unwrap();
    assert!(why.contains("of 2 windows left out: ") && why.contains(reason), "{why}");
    for window in ticket["rounds"].as_array().unwrap() {
        assert!(window.get("disturbed").is_none(), "{window}");
        assert_eq!(window["placed"].as_array().map(Vec::len), Some(2), "{window}");
    }
}

#[test]
fn a_window_whose_pins_were_changed_is_left_out() {
    is_left_out("wandering", "was found free to run on CPU");
}

#[test]
fn a_window_in_which_a_vcpu_got_another_nice_value_is_left_out() {
    is_left_out("renicing", "was given a nice value of 7");
}

#[test]
fn a_window_in_which_the_cell_was_stopped_is_left_out() {
    is_left_out("stopping", "the cell's process was stopped");
}

#[test]
fn a_window_in_which_lockbench_itself_was_stopped_is_left_out() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lockbench"))
        .args(["run", "--locks", "ticket", "--envs", "native", "--vcpus", "2", "--rounds", "1"])
        .args(["--window", "2s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = Pid::from_child(&child);
    // Its first child is the cell.
    while !has_child(child.id()) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it measured");
        std::thread::sleep(Duration::from_millis(5));
    }
    // From now on it runs for a moment and is stopped for longer than a window, again and again: whenever a window opens, it is
    // stopped in it.
    let over = AtomicBool::new(false);
    let output = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Relaxed) {
                let _ = kill_process(pid, Signal::STOP);
                std::thread::sleep(Duration::from_secs(4));
                let _ = kill_process(pid, Signal::CONT);
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        let output = child.wait_with_output().unwrap();
        over.store(true, Relaxed);
        output
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("measured nothing"), "{said}");
    assert!(said.contains("lockbench or the machine was stopped"), "{said}");
}

/// Whether some process is a child of this one.
fn has_child(pid: u32) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let stats = processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    let parent = |stat: String| stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok();
    stats.filter_map(parent).any(|parent: u32| parent == pid)
}
