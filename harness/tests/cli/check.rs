//! `lockbench check`: what it prints, what it leaves behind, and how it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::{lockbench, misbehaving};

/// Few cells, each measured once.
const SMALL: [&str; 8] = ["--envs", "emulated", "--overcommit", "2", "--locks", "ticket", "--rounds", "1"];

/// What it printed, and what it complained of.
fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

fn run_dir(out: &Path) -> PathBuf {
    fs::read_dir(out).unwrap().next().expect("a run directory").unwrap().path()
}

/// One round tells nothing, on any machine: the check ends as what it could not do, and leaves a run that `report` takes.
#[test]
fn a_check_that_cannot_tell_says_so_and_leaves_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let output =
        lockbench().args(["check", "tas"]).args(SMALL).arg("--out").arg(dir.path()).output().unwrap();
    let (said, complained) = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}{complained}");
    assert!(said.contains("verdict    Whether tas collapses cannot be told: at 2x in emulated, "), "{said}");
    let table: Vec<&str> = said.lines().skip_while(|line| !line.starts_with("  emulated ")).take(3).collect();
    assert!(table[0].contains("rate at 1x  keeps at 2x"), "1x is measured too: {said}");
    assert!(table[1].starts_with("  tas ") && table[2].starts_with("  ticket "), "{said}");
    assert!(said.contains("exclusion  held in 2 windows of tas, where it was checked."), "{said}");
    let run = run_dir(dir.path());
    assert_eq!(said.trim_end().lines().last(), run.join("report.html").to_str(), "{said}");
    fs::remove_file(run.join("report.html")).unwrap();
    lockbench().arg("report").arg(&run).assert().success();
    assert!(run.join("report.html").exists() && run.join("summary.txt").exists());
}

/// A lock that crashes is a negative verdict, whatever the others do, and the sentence says what killed it.
#[test]
fn a_check_of_a_lock_that_crashes_ends_with_1_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let mut check = misbehaving();
    let output = check.args(["check", "panicky"]).args(SMALL).arg("--out").arg(dir.path()).output().unwrap();
    let (said, complained) = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}{complained}");
    let verdict = said.lines().find(|line| line.starts_with("verdict")).unwrap();
    assert!(
        verdict.contains("panicky crashed at 1x in emulated: ") && said.contains("out of cheese"),
        "{said}"
    );
}

#[test]
fn a_check_that_makes_no_sense_is_refused_before_it_measures() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |args: &[&str], says: &str| {
        let output = lockbench().current_dir(dir.path()).arg("check").args(args).output().unwrap();
        let (said, complained) = said(&output);
        assert_eq!((output.status.code(), said.as_str()), (Some(2), ""), "{complained}");
        assert!(complained.contains(says), "{says}: {complained}");
    };
    refused(&["tickt"], "unknown lock `tickt`; did you mean `ticket`?");
    refused(&["so:mine"], "name one that has it with --lock-so PATH");
    refused(&["ticket", "--vcpus", "4"], "give --overcommit in place of --vcpus");
    refused(&["ticket", "--collapses", "0.9"], "cannot both hold and collapse");
    refused(&["ticket", "--time", "2s"], "does not fit into 2 s; give more with --time");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
