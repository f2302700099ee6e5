//! When a limit is reached, at the start or later, the program ends with a sentence: never with a panic, a signal or a hang.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// The program; `prepare` runs in its process before it begins.
fn lockbench_after(prepare: impl Fn() -> io::Result<()> + Send + Sync + 'static) -> Command {
    after(Path::new(env!("CARGO_BIN_EXE_lockbench")), prepare)
}

fn after(program: &Path, prepare: impl Fn() -> io::Result<()> + Send + Sync + 'static) -> Command {
    let mut command = Command::new(program);
    // SAFETY: what the tests here do is system calls alone.
    unsafe { command.pre_exec(prepare) };
    command
}

fn limit(resource: libc::__rlimit_resource_t, most: u64) -> io::Result<()> {
    // SAFETY: the call reads the structure that it is given.
    match unsafe { libc::setrlimit(resource, &libc::rlimit { rlim_cur: most, rlim_max: most }) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Exit status 2 and one sentence on one line.
fn refused(output: Output) -> String {
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{:?} {said}", output.status);
    assert!(said.starts_with("lockbench: ") && said.trim_end().lines().count() == 1, "{said}");
    said
}

/// Whether this user may become another, whose processes are then all this test's.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs as a user of whom there are no other processes, and who may have so many.
fn with_processes(most: u64, args: &[&str]) -> Output {
    // Each a user of its own: tests run at the same time.
    static NOBODY_ELSE: AtomicU32 = AtomicU32::new(54_321);
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // Where cargo put it that user may have no way to.
    let program = dir.path().join("lockbench");
    fs::copy(env!("CARGO_BIN_EXE_lockbench"), &program).unwrap();
    let mut command = after(&program, move || limit(libc::RLIMIT_NPROC, most));
    if is_root() {
        command.uid(NOBODY_ELSE.fetch_add(1, Ordering::Relaxed));
    }
    command.args(args).current_dir(dir.path()).output().unwrap()
}

const ONE_CELL: [&str; 9] =
    ["run", "--json", "--locks", "ticket", "--envs", "emulated", "--vcpus", "2", "--rounds"];

#[test]
fn without_threads_it_says_so_and_ends() {
    for most in if is_root() { 1..=2 } else { 1..=1 } {
        let said = refused(with_processes(most, &[&ONE_CELL[..], &["1"]].concat()));
        assert!(said.contains("no further thread or process") && said.contains("ulimit -u"), "{said}");
    }
}

#[test]
fn without_threads_for_its_vcpus_a_cell_is_skipped_with_a_reason() {
    if !is_root() {
        eprintln!("skipped, for only root can be a user without other processes");
        return;
    }
    let output = with_processes(3, &[&ONE_CELL[..], &["1"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    let results: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    let cell = &results["cells"][0];
    assert_eq!(cell["status"], "skipped", "{cell}");
    let reason = cell["reason"].as_str().unwrap();
    assert!(reason.contains("could not be started: no further thread"), "{reason}");
}

#[test]
fn a_limit_on_the_size_of_files_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for most in [0, 1000] {
        let mut command = lockbench_after(move || limit(libc::RLIMIT_FSIZE, most));
        command.args(["suite", "--profile", "smoke", "--locks", "ticket", "--envs", "emulated", "--out"]);
        let said = refused(command.arg(dir.path()).output().unwrap());
        assert!(said.contains("rounds.jsonl") && said.contains("ulimit -f"), "{said}");
    }
    // The arena is a file, too.
    let mut command = lockbench_after(|| limit(libc::RLIMIT_FSIZE, 4096));
    let output = command.args(ONE_CELL).arg("1").output().unwrap();
    let results: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(results["cells"][0]["reason"].as_str().unwrap().contains("larger than is allowed"));
}

#[test]
fn a_limit_on_memory_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("results.json");
    // Not UTF-8, so that it is copied once read.
    let mut file = fs::File::create(&run).unwrap();
    io::Write::write_all(&mut file, b"{\xff").unwrap();
    file.set_len(100 << 20).unwrap();
    let mut command = lockbench_after(|| limit(libc::RLIMIT_AS, 220 << 20));
    let said = refused(command.arg("report").arg(&run).output().unwrap());
    assert!(said.contains("memory"), "{said}");
}

/// Where SIGCHLD is ignored the kernel reaps children itself, and how they ended is not known.
#[test]
fn an_ignored_sigchld_takes_no_end_from_us() {
    let mut program = std::env::current_exe().unwrap();
    program.pop();
    program.pop();
    // SAFETY: no handler is set.
    let ignore = || match unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) } {
        libc::SIG_ERR => Err(io::Error::last_os_error()),
        _ => Ok(()),
    };
    let mut command = after(&program.join("examples/misbehaving"), ignore);
    command.args(["run", "--json", "--locks", "wild", "--envs", "emulated", "--vcpus", "1", "--rounds", "1"]);
    let output = command.output().unwrap();
    let results: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let reason = results["cells"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("was killed by SIGSEGV"), "{reason}");
}
