//! Ctrl-C keeps what was measured and leaves nothing running; so do a terminal that hangs up and a limit of CPU time.

use std::io::{self, BufRead, BufReader, Lines};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A suite whose windows are long, once it has begun to measure.
fn started(out: &Path, prepare: fn() -> io::Result<()>) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockbench"));
    command
        .args(["suite", "--locks", "ticket", "--envs", "native", "--window", "20s", "--time", "1h", "--out"]);
    // SAFETY: what the tests here do is system calls alone.
    unsafe { command.pre_exec(prepare) };
    let mut child = command.arg(out).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("lockbench: "));
    (child, lines)
}

/// Rounds that end as those of an interrupted run do, and a report beside them.
fn is_kept(out: &Path) {
    let run = std::fs::read_dir(out).unwrap().next().unwrap().unwrap().path();
    let rounds = std::fs::read_to_string(run.join("rounds.jsonl")).unwrap();
    assert!(rounds.lines().last().unwrap().contains("\"interrupted\":true"), "{rounds}");
    assert!(run.join("report.html").exists());
}

#[test]
fn ctrl_c_ends_a_suite_and_keeps_its_rounds() {
    let dir = tempfile::tempdir().unwrap();
    let (mut child, lines) = started(dir.path(), || Ok(()));
    // Well inside the first window of 20 s.
    std::thread::sleep(Duration::from_millis(700));
    let began = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    // Generous, for a busy machine; far below the 20 s of the window that was cut.
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(rest.last().unwrap().ends_with("report.html"), "{rest:?}");
    is_kept(dir.path());
}

#[test]
fn a_hang_up_and_a_spent_limit_of_cpu_time_end_it_likewise() {
    // Whoever runs the tests may ignore them, under nohup for one.
    let heard = || {
        for signal in [libc::SIGHUP, libc::SIGXCPU] {
            // SAFETY: no handler is set.
            if unsafe { libc::signal(signal, libc::SIG_DFL) } == libc::SIG_ERR {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    };
    for signal in [Signal::HUP, Signal::XCPU] {
        let dir = tempfile::tempdir().unwrap();
        let (mut child, lines) = started(dir.path(), heard);
        let pid = Pid::from_child(&child);
        // They may come more than once.
        for _ in 0..3 {
            kill_process(pid, signal).unwrap();
        }
        let rest: Vec<String> = lines.map(Result::unwrap).collect();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
        is_kept(dir.path());
    }
}

#[test]
fn signals_that_were_blocked_at_the_start_end_it_all_the_same() {
    let block = || {
        // SAFETY: a set of signals is made before it is used.
        let done = unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&raw mut all);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut())
        };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    let dir = tempfile::tempdir().unwrap();
    let (mut child, lines) = started(dir.path(), block);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    drop(lines.map(Result::unwrap).collect::<Vec<_>>());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    is_kept(dir.path());
}

/// Under nohup a hang-up stays ignored.
#[test]
fn a_hang_up_that_was_ignored_at_the_start_stays_ignored() {
    let dir = tempfile::tempdir().unwrap();
    // SAFETY: no handler is set.
    let ignore = || match unsafe { libc::signal(libc::SIGHUP, libc::SIG_IGN) } {
        libc::SIG_ERR => Err(io::Error::last_os_error()),
        _ => Ok(()),
    };
    let (mut child, lines) = started(dir.path(), ignore);
    let pid = Pid::from_child(&child);
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    // Signal n is bit n - 1: SIGHUP is 1, SIGINT 2.
    assert_eq!(mask("SigIgn:") & 1, 1, "{status}");
    assert_eq!(mask("SigCgt:") & 3, 2, "{status}");
    kill_process(pid, Signal::HUP).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    drop(lines.map(Result::unwrap).collect::<Vec<_>>());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

/// What is found out at the next line already, and nothing is lost.
#[test]
fn rounds_removed_during_a_run_are_there_in_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockbench"));
    command.args(["suite", "--profile", "smoke", "--locks", "ticket", "--envs", "native", "--out"]);
    let mut child = command.arg(dir.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    let run = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_file(run.join("rounds.jsonl")).unwrap();
    drop(lines.map(Result::unwrap).collect::<Vec<_>>());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("was removed or moved while the run went on"), "{said}");
    assert!(output.status.code().is_some_and(|code| code < 2), "{said}");
    let rounds = std::fs::read_to_string(run.join("rounds.jsonl")).unwrap();
    assert!(rounds.starts_with("{\"line\":\"header\"") && rounds.contains("{\"line\":\"end\""), "{rounds}");
}
