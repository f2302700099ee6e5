//! What could not be measured is said, tried again where that may help, and never passes for success.

use std::process::{Command, Output};

use serde_json::Value;

/// Runs a shell script in which `$LOCKBENCH` is the program.
fn shell(script: &str) -> Output {
    let mut command = Command::new("bash");
    command.args(["-c", script]).env("LOCKBENCH", env!("CARGO_BIN_EXE_lockbench")).env("NO_COLOR", "1");
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", stderr(output)))
}

/// So few descriptors that the program starts and no cell's process does.
const FEW: &str = "ulimit -n 6;";

#[test]
fn a_passing_cause_is_tried_again_in_the_next_round() {
    let output =
        shell(&format!("{FEW} $LOCKBENCH run --locks ticket,mcs --envs native --vcpus 1 --rounds 3 --json"));
    for cell in json(&output)["cells"].as_array().unwrap() {
        assert_eq!(cell["status"], "skipped", "{cell}");
        let rounds = cell["rounds"].as_array().unwrap();
        assert_eq!(rounds.len(), 3, "each round tries again: {cell}");
        assert!(rounds.iter().all(|round| round["passing"] == true), "{cell}");
    }
}

#[test]
fn a_lack_of_descriptors_is_told_in_words_with_its_limit() {
    let output =
        shell(&format!("{FEW} $LOCKBENCH run --locks ticket --envs native --vcpus 1 --rounds 1 --json"));
    assert_eq!(
        json(&output)["cells"][0]["reason"],
        "the cell's process could not be started: no file descriptor was free (limit: ulimit -n 6)"
    );
}

#[test]
fn a_kernel_that_refuses_executable_memfds_is_served() {
    // The setting belongs to a PID namespace, so that nobody else meets it.
    let output = shell(
        "unshare --user --map-root-user --pid --fork --mount-proc bash -c \
         'sysctl -q -w vm.memfd_noexec=2 || exit 77; $LOCKBENCH run --locks ticket --envs native --vcpus 1 --rounds 1 --json'",
    );
    if output.status.code() == Some(77) || stderr(&output).contains("unshare") {
        eprintln!("skipped: no PID namespace, or no such setting: {}", stderr(&output));
        return;
    }
    assert_eq!(json(&output)["cells"][0]["status"], "ok", "{}", stdout(&output));
}
