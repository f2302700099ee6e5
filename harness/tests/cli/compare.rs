//! `compare` as users see it.

use std::fs;
use std::path::{Path, PathBuf};

use lockbench_reports::record::{Line, Outcome};

use super::{fixture, lockbench};

/// Writes a synthetic run of this seed, its ticket lock alone scaled by `ticket`.
pub(super) fn run_dir(dir: &Path, seed: u64, ticket: f64) -> PathBuf {
    let mut lines = fixture::lines(seed, 1.0);
    for line in &mut lines {
        if let Line::Round(round) = line
            && round.cell.starts_with("ticket/")
            && round.cell.contains("/empty/")
            && let Outcome::Measured(measured) = &mut round.outcome
        {
            measured.operations.iter_mut().for_each(|count| *count = (*count as f64 * ticket) as u64);
        }
    }
    let path = dir.join(format!("run-{seed}"));
    fs::create_dir_all(&path).unwrap();
    let text: String = lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
    // Long enough ago for every clock: a history takes no run of days to come.
    let text = text.replace("2026-11-22T", "2025-11-22T");
    fs::write(path.join("rounds.jsonl"), text).unwrap();
    path
}

/// As [`run_dir`], begun on this day of November.
pub(super) fn night(dir: &Path, day: u64, ticket: f64) -> PathBuf {
    let run = run_dir(dir, day, ticket);
    let rounds = fs::read_to_string(run.join("rounds.jsonl")).unwrap();
    fs::write(run.join("rounds.jsonl"), rounds.replace("2025-11-22T", &format!("2025-11-{day:02}T")))
        .unwrap();
    run
}

#[test]
fn a_history_holds_what_a_run_is_compared_with() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("h.db");
    let add = |run: &Path| {
        let output =
            lockbench().args(["history", "add"]).arg(run).arg("--history").arg(&db).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
    };
    let compare = |run: &Path, arg: &str| {
        let output = lockbench().arg("compare").arg(run).arg(arg).arg("--history").arg(&db).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let runs: Vec<PathBuf> =
        (1..=24).map(|day| night(dir.path(), day, if day < 24 { 1.0 } else { 0.7 })).collect();
    add(&runs[0]);
    let (status, said) = compare(&runs[0], "--markdown");
    assert!(status == 0 && said.lines().count() == 1 && said.contains("no earlier run"), "{said}");
    let (status, said) = compare(&runs[0], "--json");
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(status == 0 && json["rows"].as_array().unwrap().is_empty(), "{said}");

    runs[1..].iter().for_each(|run| add(run));
    let (status, said) = compare(&runs[23], "--json");
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((status, json["base"].as_array().unwrap().len()), (1, 20), "{said}");
    // A run that is older than the latest twenty is compared with those before it.
    let (_, said) = compare(&runs[2], "--json");
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json["base"].as_array().unwrap().len(), 2, "{said}");

    // Once accepted, it fails no night.
    let output = lockbench()
        .args(["history", "bless", "*", "--at", "2025-11-24", "--reason", "wanted", "--history"])
        .arg(&db)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let (status, said) = compare(&night(dir.path(), 25, 0.7), "--margin=5");
    assert_eq!(status, 0, "{said}");
}

#[test]
fn the_exit_status_says_whether_anything_is_worse() {
    let dir = tempfile::tempdir().unwrap();
    let (base, same, slow) =
        (run_dir(dir.path(), 1, 1.0), run_dir(dir.path(), 2, 1.0), run_dir(dir.path(), 3, 0.7));
    let output = lockbench().arg("compare").args([&base, &same]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains(" 0 worse, 0 better"), "{said}");

    let output = lockbench().arg("compare").args([&base, &same, &slow]).arg("--json").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let comparison: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let worse: Vec<&str> = comparison["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["verdict"] == "worse")
        .map(|row| row["cell"].as_str().unwrap())
        .collect();
    assert!(worse.contains(&"ticket/native/empty/1v:1p/compact/pinned"), "{worse:?}");
    assert!(worse.iter().all(|cell| cell.starts_with("ticket/")), "{worse:?}");

    let output = lockbench().arg("compare").args([&base, &slow]).arg("--markdown").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("### lockbench: ") && said.contains("| **worse** | `ticket/"), "{said}");
}

#[test]
fn compare_locks_filters_as_run_locks_does_and_its_summary_comes_first() {
    let dir = tempfile::tempdir().unwrap();
    let (base, slow) = (run_dir(dir.path(), 1, 1.0), run_dir(dir.path(), 2, 0.7));
    let compare = |args: &[&str]| {
        let output = lockbench().arg("compare").args([&base, &slow]).args(args).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap(), said)
    };
    let (status, said) = compare(&["--locks", "ticket,mcs"]);
    assert!(status == 1 && said.starts_with("Worse: ticket, up to 3"), "{said}");
    let rows = || said.lines().filter(|line| line.contains("/native/") || line.contains("/emulated/"));
    assert!(rows().any(|row| row.contains("mcs/")) && rows().count() > 4, "{said}");
    assert!(rows().all(|row| row.contains("ticket/") || row.contains("mcs/")), "{said}");
    assert!(rows().all(|row| !row.contains("pv-ticket")), "{said}");
    assert!(said.find(" rows judged (") < said.find("verdict  "), "{said}");

    // What is not shown does not count, and what is shown is judged as among all.
    let (status, said) = compare(&["--locks", "tas", "--markdown"]);
    assert!(status == 0 && said.starts_with("### lockbench: Nothing is worse"), "{said}");
    let json = |args: &[&str]| -> serde_json::Value { serde_json::from_str(&compare(args).1).unwrap() };
    let (some, all) = (json(&["--locks", "core", "--json"]), json(&["--json"]));
    let (some, all) = (some["rows"].as_array().unwrap(), all["rows"].as_array().unwrap());
    assert!(some.len() < all.len() && some.iter().all(|row| all.contains(row)));

    let (status, said) = compare(&["--locks", "tickt"]);
    assert!(status == 2 && said.contains("unknown lock `tickt`; did you mean `ticket`"), "{said}");
    let (status, said) = compare(&["--locks", "ticket-split"]);
    assert!(
        status == 2 && said.contains("has a cell of ticket-split: there is nothing to compare"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_compared_is_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let base = run_dir(dir.path(), 1, 1.0);
    let other = run_dir(dir.path(), 2, 1.0);
    let rounds = fs::read_to_string(other.join("rounds.jsonl")).unwrap();
    fs::write(other.join("rounds.jsonl"), rounds.replace("\"pus\":2,", "\"pus\":64,")).unwrap();
    for (args, says) in [
        (vec![base.clone(), other], "different machines"),
        (vec![base.clone(), dir.path().join("nothing")], "cannot read"),
        (vec![base], ""),
    ] {
        let output = lockbench().arg("compare").args(&args).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(says), "{said}");
    }
}
