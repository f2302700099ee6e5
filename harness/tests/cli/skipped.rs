//! A cell that could not be measured is reported, tried again where that may help, and never counts as success.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::misbehaving;

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

/// With so few descriptors the program starts, but no cell's process does.
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

/// The only directory in a directory.
fn only(dir: &Path) -> PathBuf {
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.remove(0)
}

#[test]
fn a_suite_that_measured_nothing_is_no_success_and_leaves_its_report() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let output = shell(&format!(
        "{FEW} $LOCKBENCH suite --profile smoke --locks ticket,mcs --rounds 1 --out {}",
        out.display()
    ));
    let (said, why) = (stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(2), "{said}{why}");
    let run = only(&out);
    let report = run.join("report.html");
    assert_eq!(said.lines().last(), report.to_str(), "the report's path comes last");
    assert!(why.starts_with("lockbench: this run measured nothing: ") && why.lines().count() == 1, "{why}");
    assert!(
        why.contains("no file descriptor was free (limit: ulimit -n 6) ("),
        "a reason has its count: {why}"
    );
    assert!(why.contains(report.to_str().unwrap()), "{why}");
    let results: Value = serde_json::from_slice(&fs::read(run.join("results.json")).unwrap()).unwrap();
    assert!(results["cells"].as_array().unwrap().iter().all(|cell| cell["status"] == "skipped"));
    let page = fs::read_to_string(report).unwrap();
    let missing = &page[page.find("What is missing, and why").unwrap()..];
    let table = &missing[..missing.find("</table>").unwrap()];
    assert_eq!(table.matches("no file descriptor was free").count(), 1, "each reason once: {table}");
}

#[test]
fn a_run_that_measured_nothing_is_no_success_and_gives_each_reason_once() {
    let output =
        shell(&format!("{FEW} $LOCKBENCH run --locks ticket,mcs,tas --envs native --vcpus 1 --rounds 2"));
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.matches("no file descriptor was free").count(), 1, "{said}");
    assert!(said.contains("skipped (3): the cell's process could not be started"), "{said}");
    for lock in ["ticket", "mcs", "tas"] {
        assert!(said.contains(&format!("  {lock}/native/short/1v:1p/compact/pinned\n")), "{said}");
    }
    assert!(stderr(&output).contains("measured nothing: "), "{}", stderr(&output));
}

/// Natively it is measured, in kvm it is not: whether there is a KVM or not.
const NOT_IN_KVM: &str = "run --locks std-mutex --vcpus 1 --rounds 1";

#[test]
fn an_environment_asked_for_by_name_that_gave_nothing_is_no_success_beside_measured_cells() {
    let output = shell(&format!("$LOCKBENCH {NOT_IN_KVM} --envs native,kvm --json"));
    assert_eq!(json(&output)["cells"][0]["status"], "ok", "it is measured and printed all the same");
    assert_eq!(output.status.code(), Some(2));
    let why = stderr(&output);
    assert!(why.contains("measured nothing in kvm, which was asked for by name: "), "{why}");
    let output = shell(&format!("$LOCKBENCH {NOT_IN_KVM} --envs native"));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    // Native has no more vCPUs than pCPUs, by its nature.
    let output = shell("$LOCKBENCH run --locks ticket --envs emulated,native --overcommit 2 --rounds 1");
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    assert!(
        stderr(&output).contains("nothing in native, which was asked for by name"),
        "{}",
        stderr(&output)
    );
}

const CONFIG: &str = "about = 'for tests'\nrounds = 1\nwindow = '100ms'\n[[cells]]\nlocks = ['std-mutex']\n\
    envs = ['native', 'kvm']\nworkloads = ['short']\nvcpus = [1]\n";

#[test]
fn an_environment_named_in_a_config_must_give_something_and_one_of_a_built_in_profile_need_not() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("own.toml");
    fs::write(&config, CONFIG).unwrap();
    let out = dir.path().join("out");
    let suite = format!("$LOCKBENCH suite --out {} --config {}", out.display(), config.display());
    let output = shell(&suite);
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    assert!(stderr(&output).contains("nothing in kvm, which was asked for by name"), "{}", stderr(&output));
    assert!(only(&out).join("report.html").exists());
    // What the command line names replaces what the profile names.
    let output = shell(&format!("{suite} --envs native"));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let smoke = format!("$LOCKBENCH suite --profile smoke --locks ticket --rounds 1 --out {}", out.display());
    let output = shell(&format!(
        "unshare --mount --map-root-user bash -c 'mount --bind /dev/null /dev/kvm || exit 77; {smoke}'"
    ));
    if output.status.code() == Some(77) || stderr(&output).contains("unshare:") {
        eprintln!("skipped: /dev/kvm cannot be hidden here: {}", stderr(&output));
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("/dev/kvm is there but is no KVM"), "{}", stdout(&output));
}

#[test]
fn a_run_whose_only_cells_crashed_has_a_negative_verdict_and_a_missing_environment_weighs_more() {
    let run = |arguments: &str| {
        let arguments = format!("run --locks wild --workloads short --rounds 1 {arguments}");
        misbehaving().args(arguments.split(' ')).output().unwrap()
    };
    assert_eq!(run("--envs emulated --vcpus 2").status.code(), Some(1));
    let output = run("--envs emulated,native --overcommit 2");
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stdout(&output).contains("crashed (1): "), "{}", stdout(&output));
}

#[test]
fn a_build_that_skips_for_a_passing_cause_is_tried_in_every_round_of_a_duel() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("one.toml");
    fs::write(&config, CONFIG.replace("'native', 'kvm'", "'native'").replace("std-mutex", "ticket")).unwrap();
    let build = env!("CARGO_BIN_EXE_lockbench");
    let starved = dir.path().join("starved");
    let script = format!("#!/bin/bash\n[ $1 = --version ] || ulimit -n 6\nexec {build} \"$@\"\n");
    fs::write(&starved, script).unwrap();
    fs::set_permissions(&starved, fs::Permissions::from_mode(0o755)).unwrap();
    let out = dir.path().join("out");
    let output = shell(&format!(
        "$LOCKBENCH duel {build} {} --config {} --out {}",
        starved.display(),
        config.display(),
        out.display()
    ));
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    let why = stderr(&output);
    assert!(
        why.contains("starved measured nothing: ") && why.contains("no file descriptor was free"),
        "{why}"
    );
    let run = only(&out);
    let rounds = fs::read_to_string(run.join("b/rounds.jsonl")).unwrap();
    assert_eq!(rounds.matches("\"passing\":true").count(), 12, "{rounds}");
    for side in ["a", "b"] {
        assert!(run.join(side).join("results.json").exists(), "what was measured is kept");
    }
}

/// With a pool of huge pages the cell runs on them, and the kernel counts a fault for each; without one the plan says what is missing.
/// Likewise on a kernel that extends timeslices, and on another.
#[test]
fn huge_pages_and_longer_timeslices_are_had_or_the_cell_is_left_out_with_the_reason() {
    let output = shell(
        "$LOCKBENCH run --locks tas --envs emulated --workloads touch --pages small,huge --slice-extension off,on --vcpus 2 --rounds 1 --json; \
         $LOCKBENCH doctor",
    );
    let mut all = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let results = all.next().unwrap_or_else(|| panic!("{}", stderr(&output))).unwrap();
    let doctor = String::from_utf8_lossy(&output.stdout[all.byte_offset()..]).into_owned();
    let asks = |cell: &&Value, pages, longer| {
        let id = cell["id"].as_str().unwrap();
        (id.contains("pages=huge"), id.contains("slice-extension=on")) == (pages, longer)
    };
    let cells = results["cells"].as_array().unwrap();
    let facilities = results["machine"]["facilities"].as_array().unwrap();
    let named = |name: &str| facilities.iter().find(|facility| facility["name"] == name).unwrap();
    let left_out = |facility: &Value| {
        assert_eq!(facility["available"], false, "{facility}");
        let dropped = results["dropped"].as_array().unwrap();
        assert!(dropped.iter().any(|one| one["reason"] == facility["detail"]), "{facility}: {results}");
    };
    assert!(doctor.contains("huge pages") && doctor.contains("slice extension"), "{doctor}");
    match cells.iter().find(|cell| asks(cell, true, false)) {
        Some(cell) if cell["status"] == "ok" => {
            assert!(cell["counters"]["pages_brought"].as_u64().unwrap() > 0, "{cell}");
        }
        // The pool may have been emptied since.
        Some(cell) => assert!(cell["reason"].as_str().unwrap().contains("huge page"), "{cell}"),
        None => left_out(named("huge-pages")),
    }
    match cells.iter().find(|cell| asks(cell, false, true)) {
        Some(cell) => {
            assert_eq!(cell["status"], "ok", "{cell}");
            assert!(cell["notes"].to_string().contains("unverified"), "{cell}");
        }
        None => left_out(named("slice-extension")),
    }
    let small = cells.iter().find(|cell| asks(cell, false, false)).unwrap();
    assert!(small["counters"].get("pages_brought").is_none(), "{small}");
}
