//! Ctrl-C keeps what was measured and leaves nothing running.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

#[test]
fn ctrl_c_ends_a_suite_and_keeps_its_rounds() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_lockbench"))
        .args(["suite", "--locks", "ticket", "--envs", "native", "--window", "20s", "--time", "1h", "--out"])
        .arg(dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("lockbench: "));
    // Well inside the first window of 20 s.
    std::thread::sleep(Duration::from_millis(700));
    let pid = Pid::from_child(&child);
    let began = Instant::now();
    kill_process(pid, Signal::INT).unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    // Generous, for a busy machine; far below the 20 s of the window that was cut.
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(rest.last().unwrap().ends_with("report.html"), "{rest:?}");
    let run = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    let rounds = std::fs::read_to_string(run.join("rounds.jsonl")).unwrap();
    assert!(rounds.lines().last().unwrap().contains("\"interrupted\":true"), "{rounds}");
}
