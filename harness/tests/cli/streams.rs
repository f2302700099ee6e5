//! Standard streams that cannot be written to: the program waits, reports an error or drops the output; it never panics.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

fn lockbench(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockbench"));
    command.args(args);
    command
}

fn full() -> File {
    File::create("/dev/full").unwrap()
}

#[test]
fn what_stderr_cannot_take_is_passed_over() {
    for args in [&["run", "--locks", "nosuch"][..], &["nosuch"], &["run", "--nosuch"], &["__cell"]] {
        let output = lockbench(args).stderr(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn what_stdout_cannot_take_is_told() {
    for args in [&["list"][..], &["schema"], &["--help"], &["--version"], &["topology"]] {
        let output = lockbench(args).stdout(full()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?} {said}");
        assert_eq!(said, "lockbench: cannot write to stdout: no space is left on the device\n");
    }
    let neither = lockbench(&["list"]).stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(neither.code(), Some(2));
}

#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    for args in [&["list"][..], &["--help"], &["schema"]] {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        drop(read);
        let output = lockbench(args).stdout(write).output().unwrap();
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{args:?}");
    }
}

#[test]
fn a_pipe_that_does_not_block_gets_everything() {
    let whole = lockbench(&["schema"]).output().unwrap().stdout;
    let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let room = fcntl_setpipe_size(&write, 4096).unwrap();
    assert!(whole.len() > 2 * room, "the schema does not fill the pipe");
    rustix::io::ioctl_fionbio(&write, true).unwrap();
    let mut child =
        lockbench(&["schema"]).stdout(write.as_fd().try_clone_to_owned().unwrap()).spawn().unwrap();
    drop(write);
    // It fills the pipe before the first byte is taken.
    while rustix::io::ioctl_fionread(&read).unwrap() < room as u64 {
        std::thread::yield_now();
    }
    let mut taken = Vec::new();
    File::from(read).read_to_end(&mut taken).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(taken == whole);
}

#[test]
fn a_standard_input_that_does_not_block_is_waited_for() {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    rustix::io::ioctl_fionbio(&read, true).unwrap();
    let mut command = lockbench(&["run", "--json", "--spec", "-"]);
    let child = command.stdin(read).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It looks for the spec before there is one.
    std::thread::sleep(std::time::Duration::from_millis(100));
    rustix::io::write(&write, b"{}").unwrap();
    drop(write);
    let said = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    assert!(said.contains("is no window's spec"), "{said}");
}

#[test]
fn an_input_without_end_is_refused() {
    for args in [&["run", "--json", "--spec", "/dev/zero"][..], &["suite", "--config", "/dev/zero"]] {
        let output = lockbench(args).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("it is larger than"), "{said}");
    }
}

/// The next file that is opened would get the number of a closed stream, and output would go into it.
#[test]
fn closed_streams_do_not_end_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = lockbench(&["suite", "--locks", "ticket", "--envs", "emulated", "--rounds", "1"]);
    command.args(["--profile", "smoke", "--out"]).arg(dir.path());
    let close = || {
        // SAFETY: whoever owned these descriptors is gone once the program begins.
        (0..3).for_each(|fd| _ = unsafe { libc::close(fd) });
        Ok::<(), io::Error>(())
    };
    // SAFETY: the closure makes system calls alone.
    unsafe { command.pre_exec(close) };
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.code().is_some_and(|code| code < 2), "{status}");
    let run = fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    let rounds = fs::read_to_string(run.join("rounds.jsonl")).unwrap();
    for line in rounds.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    }
    assert!(rounds.lines().last().unwrap().contains("\"end\""), "{rounds}");
}

/// A run directory with a header and nothing else: a run that was interrupted at once.
fn run_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let header = r#"{"line":"header","schema_version":1,"run_id":"r","started_at":"2026-11-22T03:15:00Z","command":"c","seed":1,"profile":"p","rounds":6,"window_ns":1,"machine":{},"cells":[]}"#;
    fs::write(dir.path().join("rounds.jsonl"), format!("{header}\n")).unwrap();
    dir
}

#[test]
fn a_page_for_stdout_is_all_that_stdout_gets() {
    let dir = run_dir();
    let run = dir.path().to_str().unwrap();
    let output = lockbench(&["report", run, "-o", "/dev/stdout"]).output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.starts_with("<!") && page.trim_end().ends_with("</html>"), "{page}");
    // Redirected into a file that is there already, and that must not be replaced under the shell's feet.
    let file = dir.path().join("page.html");
    fs::write(&file, "before\n").unwrap();
    let appended = File::options().append(true).open(&file).unwrap();
    let status = lockbench(&["report", run, "-o", "/dev/stdout"]).stdout(appended).status().unwrap();
    assert!(status.success());
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("before\n{page}"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing else is left");
}

#[test]
fn a_device_stays_one_and_says_when_it_is_full() {
    let dir = run_dir();
    let link = dir.path().join("link.html");
    std::os::unix::fs::symlink("/dev/full", &link).unwrap();
    for output in ["/dev/full", link.to_str().unwrap()] {
        let output = lockbench(&["report", dir.path().to_str().unwrap(), "-o", output]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.ends_with(": no space is left on the device\n"), "{said}");
    }
    assert_eq!(fs::read_link(&link).unwrap().to_str(), Some("/dev/full"));
}
