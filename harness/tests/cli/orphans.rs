//! A program that is killed leaves no process behind, whenever it is killed.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Environment variable that marks the processes of one test: they inherit it.
const MARK: &str = "LOCKBENCH_TEST_MARK";

struct Marked {
    mark: String,
    parent: Child,
}

impl Marked {
    fn start(program: &str, args: &[&str]) -> Self {
        Self::start_with(program, args, &[])
    }

    fn start_with(program: &str, args: &[&str], variables: &[(&str, &str)]) -> Self {
        static STARTED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = STARTED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mark = format!("{MARK}={}-{number}.", std::process::id());
        let mut command = Command::new(program);
        command
            .args(args)
            .envs(variables.iter().copied())
            .env(MARK, mark.trim_start_matches(MARK).trim_start_matches('='));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { mark, parent: command.spawn().unwrap() }
    }

    /// Command lines of its processes that live.
    fn processes(&self) -> Vec<String> {
        let all = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        all.filter(|process| {
            let environment = fs::read(process.join("environ")).unwrap_or_default();
            environment.split(|&byte| byte == 0).any(|variable| variable == self.mark.as_bytes())
        })
        .map(|process| fs::read_to_string(process.join("cmdline")).unwrap_or_default().replace('\0', " "))
        .collect()
    }

    /// Kills the parent as the kernel does when memory is short, and waits until nothing is left.
    fn kill(mut self) {
        self.parent.kill().unwrap();
        self.parent.wait().unwrap();
        let began = Instant::now();
        // Generous, for a busy machine: an orphan would stay for ever.
        while !self.processes().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(60), "orphans: {:?}", self.processes());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn killed_while_a_slow_cell_starts_it_leaves_nothing() {
    let mut program = std::env::current_exe().unwrap();
    program.pop();
    program.pop();
    let program = program.join("examples/misbehaving");
    let args = ["run", "--locks", "slow", "--envs", "emulated", "--vcpus", "2"];
    let mut marked = Marked::start(program.to_str().unwrap(), &args);
    while !marked.processes().iter().any(|command| command.contains("__cell")) {
        assert!(marked.parent.try_wait().unwrap().is_none(), "it ended before its cell began");
        std::thread::sleep(Duration::from_millis(5));
    }
    marked.kill();
}

#[test]
fn killed_at_any_moment_it_leaves_nothing() {
    for moment in 0..20 {
        let args = ["run", "--locks", "ticket", "--envs", "emulated,kvm", "--vcpus", "2", "--rounds", "1000"];
        let marked = Marked::start(env!("CARGO_BIN_EXE_lockbench"), &args);
        std::thread::sleep(Duration::from_millis(37 * moment));
        marked.kill();
    }
}

#[test]
fn killed_at_any_moment_a_duel_leaves_nothing() {
    let out = tempfile::tempdir().unwrap();
    let build = env!("CARGO_BIN_EXE_lockbench");
    for moment in 1..6 {
        let args =
            ["duel", build, build, "--locks", "ticket", "--envs", "emulated", "--profile", "smoke", "--out"];
        let marked = Marked::start(build, &[&args[..], &[out.path().to_str().unwrap()]].concat());
        std::thread::sleep(Duration::from_millis(200 * moment));
        marked.kill();
    }
}

/// hwloc waits for data in the pipe that it is told to read; its process must not outlive the parent.
#[test]
fn killed_while_hwloc_is_held_up_it_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("machine.xml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let pipe = pipe.to_str().unwrap();
    let program = env!("CARGO_BIN_EXE_lockbench");
    let mut marked = Marked::start_with(program, &["topology"], &[("HWLOC_XMLFILE", pipe)]);
    while marked.processes().len() < 2 {
        assert!(marked.parent.try_wait().unwrap().is_none(), "it ended before hwloc began");
        std::thread::sleep(Duration::from_millis(5));
    }
    marked.kill();
}

/// A child that starts after its parent is gone sees another parent than the one it was told of.
#[test]
fn a_cell_whose_parent_is_gone_ends_at_once() {
    let argument = r#"{"parent":4194304,"arena":3,"reports":4,"spec":{"lock":"ticket","env":"emulated","probe":0,
        "count_preemptions":false}}"#;
    for args in [&["__cell", argument][..], &["__kvm", "4194304", "2.0", "0"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_lockbench")).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn hidden_verbs_are_not_for_people() {
    for verb in ["__cell", "__kvm", "__keeper"] {
        let output = Command::new(env!("CARGO_BIN_EXE_lockbench")).arg(verb).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{verb}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("lockbench's own"));
    }
}
