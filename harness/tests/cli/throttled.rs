//! Under a CPU quota windows are marked, and the quota is named.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

/// A control group with a quota of a fifth of a CPU, gone with its last process.
struct Group(PathBuf);

impl Group {
    /// An error where this process may make none, or where the kernel has no quotas. The group has so great a weight that it
    /// uses its quota up on a busy machine, too.
    fn new(name: &str) -> io::Result<Self> {
        let name = format!("lockbench-test-{name}-{}", std::process::id());
        let make = |top: &str, settings: [(&str, &str); 2]| {
            let group = Self(Path::new(top).join(&name));
            fs::create_dir(&group.0)?;
            settings.iter().try_for_each(|(file, value)| fs::write(group.0.join(file), value)).map(|()| group)
        };
        let v1 = ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"];
        match v1.iter().find(|top| Path::new(top).join("cpu.cfs_quota_us").exists()) {
            Some(top) => make(top, [("cpu.shares", "262144"), ("cpu.cfs_quota_us", "20000")]),
            None => make("/sys/fs/cgroup", [("cpu.weight", "10000"), ("cpu.max", "20000 100000")]),
        }
    }

    /// The program, which moves into the group before it begins.
    fn lockbench(&self) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]).arg(self.0.join("cgroup.procs"));
        command.arg(env!("CARGO_BIN_EXE_lockbench")).env("NO_COLOR", "1");
        command
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // What was killed leaves its group a moment later.
        for _ in 0..1_000 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

/// A group, where one can be made: by whoever may write where groups are, if the controller is handed down there.
fn group(name: &str) -> Option<Group> {
    use io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem};
    match Group::new(name) {
        Ok(group) => Some(group),
        Err(e) if [NotFound, PermissionDenied, ReadOnlyFilesystem].contains(&e.kind()) => {
            eprintln!(
                "no group with a quota can be made here ({e}); quotas are tested on made-up groups alone"
            );
            None
        }
        Err(e) => panic!("a control group with a quota cannot be made: {e}"),
    }
}

#[test]
fn windows_under_a_quota_are_marked_and_the_quota_is_named() {
    let Some(group) = group("run") else { return };
    let args = ["run", "--json", "--locks", "ticket", "--envs", "native", "--vcpus", "2", "--rounds", "2"];
    // Longer than several periods of the quota.
    let output = group.lockbench().args(args).args(["--window", "400ms"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("0.2 CPUs (20 ms of every 100 ms)"), "{said}");
    let results: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let quota = &results["machine"]["cpu_quota"];
    assert_eq!(quota["cpus"], 0.2, "{quota}");
    assert!(quota["source"].as_str().unwrap().contains("lockbench-test-run"), "{quota}");
    let cell = &results["cells"][0];
    for window in cell["rounds"].as_array().unwrap() {
        assert!(window["throttling"]["periods"].as_u64().unwrap() > 0, "{window}");
        assert!(window.get("steady").is_none(), "{window}");
    }
    let notes = cell["notes"].to_string();
    assert!(notes.contains("a CPU quota held") || notes.contains("the pCPUs moved apart"), "{notes}");
}

#[test]
fn doctor_names_the_quota() {
    let Some(group) = group("doctor") else { return };
    let output = group.lockbench().arg("doctor").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().find(|line| line.contains("CPU quota")).unwrap_or_else(|| panic!("{said}"));
    assert!(line.starts_with("UNFIT") && line.contains("0.2 CPUs (20 ms of every 100 ms)"), "{line}");
    assert_eq!(output.status.code(), Some(1), "{said}");
}
