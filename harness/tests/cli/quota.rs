//! Cells under a CPU quota that was asked for: what the kernel is told, what it counts, and that no control group is left. How
//! much the vCPUs got of a busy machine is not looked at.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getuid, kill_process};
use serde_json::Value;

use super::real_vcpus::has_kvm;

/// Generous, for a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

fn command(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockbench"));
    command.arg("run").args(arguments.split(' ')).stdin(Stdio::null());
    command
}

fn run(mut command: Command) -> (u32, Value, String) {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (pid, serde_json::from_slice(&output.stdout).unwrap_or(Value::Null), said)
}

/// The control groups of `pid` that are there.
fn groups_of(pid: u32) -> Vec<PathBuf> {
    fn search(dir: &Path, pid: u32, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("lockbench-") && name.split('-').nth(2) == Some(&pid.to_string()) {
                found.push(entry.path());
            }
            search(&entry.path(), pid, found);
        }
    }
    let mut found = Vec::new();
    search(Path::new("/sys/fs/cgroup"), pid, &mut found);
    found
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < LONGEST, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A program with a long window under a quota, once its cell is in its control group; none where there can be none.
fn in_its_group() -> Option<(Child, PathBuf)> {
    let mut command = command(
        "--envs emulated --locks tas --scheduler quota:0.5 --vcpus 2 --window 600s --rounds 1 --json",
    );
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (mut group, mut ended) = (None, false);
    wait_until("no control group was made", || {
        group = groups_of(child.id()).pop();
        let members = |group: &PathBuf| fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        // A threaded group does not tell its processes.
        let threads = |group: &PathBuf| fs::read_to_string(group.join("cgroup.threads")).unwrap_or_default();
        ended = child.try_wait().unwrap().is_some();
        ended || group.as_ref().is_some_and(|group| !(members(group) + &threads(group)).is_empty())
    });
    if ended {
        eprintln!("skipped, for no control group can be made here");
        return None;
    }
    Some((child, group.unwrap()))
}

/// The processes that keep this group.
fn keepers(group: &Path) -> Vec<Pid> {
    let of = |entry: fs::DirEntry| {
        let words = fs::read(entry.path().join("cmdline")).ok()?;
        let words: Vec<&[u8]> = words.split(|&byte| byte == 0).collect();
        let keeps = words.get(1) == Some(&&b"__keeper"[..])
            && words.get(2).copied() == Some(group.to_str()?.as_bytes());
        keeps.then(|| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))?
    };
    fs::read_dir("/proc").unwrap().flatten().filter_map(of).collect()
}

#[test]
fn a_quota_throttles_in_every_environment_and_its_counts_stand_in_the_record() {
    let envs = if has_kvm() { "native,emulated,kvm" } else { "native,emulated" };
    // Two vCPUs that never sleep want ten times what they may have.
    let (pid, results, said) =
        run(command(&format!("--envs {envs} --locks tas --scheduler quota:0.2 --vcpus 2 --rounds 1 --json")));
    assert!(groups_of(pid).is_empty(), "a control group was left");
    if said.contains("no control group for a CPU quota could be made") {
        eprintln!("skipped: {said}");
        return;
    }
    let cells = results["cells"].as_array().expect("cells were measured");
    assert_eq!(cells.len(), envs.split(',').count(), "{said}");
    for cell in cells {
        assert!(cell["id"].as_str().unwrap().ends_with("/scheduler=quota:0.2"), "{cell}");
        assert_eq!(cell["scheduler"], serde_json::json!({ "kind": "quota", "cpus": 0.2 }));
        for round in cell["rounds"].as_array().unwrap() {
            assert!(round["window_ns"].as_u64().unwrap() >= 20 * 100_000_000, "whole periods: {round}");
            let quota = &round["quota"];
            assert_eq!((&quota["cpus"], &quota["period_ns"]), (&Value::from(0.2), &Value::from(100_000_000)));
            // Where other programs leave them less than the quota, nothing holds them up.
            let used: f64 =
                round["on_cpu_share"].as_array().unwrap().iter().map(|share| share.as_f64().unwrap()).sum();
            let throttled = |name: &str| quota[name].as_u64().unwrap() > 0 || used < 0.2;
            assert!(throttled("throttled") && throttled("taken_ns"), "{used}: {round}");
            assert!(quota["periods"].as_u64().unwrap() >= quota["throttled"].as_u64().unwrap(), "{round}");
            assert!(round["throttling"].is_null(), "a quota that was asked for disturbs nothing: {round}");
        }
    }
}

#[test]
fn the_kernel_is_told_the_limit_and_ctrl_c_leaves_no_control_group() {
    let Some((mut child, group)) = in_its_group() else { return };
    let read = |file: &str| fs::read_to_string(group.join(file)).map(|text| text.trim().to_owned());
    match read("cpu.max") {
        Ok(max) => assert_eq!(max, "50000 100000"),
        Err(_) => assert_eq!(
            (read("cpu.cfs_quota_us").unwrap().as_str(), read("cpu.cfs_period_us").unwrap().as_str()),
            ("50000", "100000")
        ),
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!group.exists());
    assert!(keepers(&group).is_empty());
}

#[test]
fn a_program_that_is_killed_leaves_no_control_group() {
    let Some((mut child, group)) = in_its_group() else { return };
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the control group is still there", || !group.exists());
    wait_until("its keeper is still there", || keepers(&group).is_empty());
}

#[test]
fn what_a_killed_keeper_left_goes_with_the_next_group() {
    let Some((mut child, group)) = in_its_group() else { return };
    let keepers = keepers(&group);
    assert_eq!(keepers.len(), 1);
    kill_process(keepers[0], Signal::KILL).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(group.exists(), "who removed it?");
    // The cell's process dies a little later than its parent, and only then may the group go.
    wait_until("a later run did not remove it", || {
        let (pid, ..) =
            run(command("--envs native --locks tas --scheduler quota:1 --vcpus 1 --rounds 1 --json"));
        assert!(groups_of(pid).is_empty(), "a control group was left");
        !group.exists()
    });
}

#[test]
fn where_no_control_group_may_be_made_the_cell_says_so() {
    let mut command = command("--envs native --locks tas --scheduler quota:0.5 --vcpus 1 --rounds 1 --json");
    if getuid().is_root() {
        // Nobody, who may make no control group.
        command.uid(65534).gid(65534);
    }
    let (pid, _, said) = run(command);
    if !getuid().is_root() && !said.contains("control group") {
        eprintln!("skipped, for whoever runs this test may make control groups");
        return;
    }
    assert!(said.contains("no control group for a CPU quota could be made"), "{said}");
    assert!(said.contains("start lockbench as root"), "{said}");
    assert!(groups_of(pid).is_empty());
}

#[test]
fn a_quota_without_a_figure_is_refused() {
    for bad in ["quota", "quota:0", "quota:none"] {
        let mut command = command(&format!("--envs native --locks tas --scheduler {bad} --json"));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{bad}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("quota:0.5"), "{output:?}");
    }
}
