//! A short suite from start to report, and what is left when it cannot finish.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::lockbench;

const SMALL: &str = "about = 'for tests'\nrounds = 2\nwindow = '100ms'\n\
    [[cells]]\nlocks = ['ticket', 'tas']\nenvs = ['native', 'emulated']\nworkloads = ['short']\novercommit = [1, 2]\n";

fn run_dir(out: &Path) -> PathBuf {
    let mut entries = fs::read_dir(out).unwrap();
    let dir = entries.next().expect("a run directory").unwrap().path();
    assert!(entries.next().is_none(), "more than one run directory");
    dir
}

#[test]
fn a_suite_leaves_rounds_results_and_a_report() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("small.toml");
    fs::write(&config, SMALL).unwrap();
    let out = dir.path().join("out");
    let output = lockbench()
        .args(["suite", "--seed", "7", "--config"])
        .arg(&config)
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.starts_with("lockbench: "), "{said}");
    let run = run_dir(&out);
    assert_eq!(
        said.trim_end().lines().last(),
        run.join("report.html").to_str(),
        "the report's path comes last"
    );
    // Two rounds tell nothing; the end of the run says so in its first sentence, which goes on with the reason if it is one for all.
    assert!(
        said.contains("At 2 vCPUs per CPU it cannot be told of any of 2 locks whether it holds"),
        "{said}"
    );
    assert!(said.contains("lockbench suite --profile quick takes 6 in a minute."), "{said}");
    let whole = fs::read_to_string(run.join("summary.txt")).unwrap();
    assert!(whole.contains("1. Problem: ") && whole.contains("acquisitions per second"), "{whole}");
    assert!(!said.contains("1. Problem: "), "the whole text is in summary.txt: {said}");

    let results: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("results.json")).unwrap()).unwrap();
    assert_eq!(results["seed"], 7);
    assert_eq!(results["schema_version"], 1);
    let cells = results["cells"].as_array().unwrap();
    assert!(!cells.is_empty());
    for cell in cells {
        assert_eq!((&cell["status"], &cell["exclusion"]), (&"ok".into(), &"held".into()), "{}", cell["id"]);
    }
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(!page.contains("http://") || !page.contains("src=\"http"), "a report fetches nothing");
    // The report can be made again from the rounds alone, and from a run cut off at any line.
    let rounds = fs::read_to_string(run.join("rounds.jsonl")).unwrap();
    let cut: String = rounds.lines().take(4).map(|line| format!("{line}\n")).collect();
    let half = dir.path().join("half");
    fs::create_dir(&half).unwrap();
    fs::write(half.join("rounds.jsonl"), cut + &rounds[..40]).unwrap();
    lockbench().arg("report").arg(&half).assert().success();
    assert!(half.join("report.html").exists() && half.join("summary.txt").exists());
}

#[test]
fn full_prints_the_whole_text() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("small.toml");
    fs::write(&config, SMALL.replace("'ticket', 'tas'", "'ticket'").replace("rounds = 2", "rounds = 1"))
        .unwrap();
    let output = lockbench()
        .args(["suite", "--full", "--config"])
        .arg(&config)
        .arg("--out")
        .arg(dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("1. Problem: ") && said.contains("acquisitions per second"), "{said}");
    assert!(said.trim_end().ends_with("report.html"), "{said}");
}

#[test]
fn thresholds_out_of_order_end_a_suite_before_it_measures() {
    let output = lockbench().args(["suite", "--holds", "0.1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot both hold and collapse"));
}

#[test]
fn a_run_that_traces_keeps_its_directory() {
    let dir = tempfile::tempdir().unwrap();
    let run = ["run", "--locks", "ticket", "--envs", "emulated", "--overcommit", "2", "--rounds", "1"];
    let output = lockbench().args(run).args(["--trace", "--json", "--out"]).arg(dir.path()).output().unwrap();
    let results: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(results["cells"][0]["status"], "ok", "{results}");
    let kept = run_dir(dir.path());
    for name in ["rounds.jsonl", "results.json", "summary.txt", "report.html"] {
        assert!(kept.join(name).exists(), "{name}");
    }
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(kept.join("report.html").to_str().unwrap()), "{said}");
    // Without a trace nothing is kept.
    let other = tempfile::tempdir().unwrap();
    lockbench().args(run).arg("--out").arg(other.path()).assert().success();
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
}

#[test]
fn no_space_left_is_a_sentence_and_keeps_what_was_measured() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("small.toml");
    fs::write(&config, SMALL).unwrap();
    let out = dir.path().join("out");
    fs::create_dir(&out).unwrap();
    // A file system of its own that holds the header and a few rounds.
    let script = format!(
        "mount -t tmpfs -o size=24k none {out} || exit 77; {program} suite --config {config} --out {out}; status=$?; \
         cat {out}/*/rounds.jsonl > {kept}; exit $status",
        program = env!("CARGO_BIN_EXE_lockbench"),
        config = config.display(),
        out = out.display(),
        kept = dir.path().join("kept").display(),
    );
    let output = Command::new("unshare").args(["--mount", "--map-root-user", "bash", "-c", &script]).output();
    let Ok(output) = output.map_err(|e| eprintln!("skipped: no unshare here: {e}")) else { return };
    if output.status.code() == Some(77) || String::from_utf8_lossy(&output.stderr).starts_with("unshare:") {
        eprintln!("skipped: no small file system can be mounted here");
        return;
    }
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("cannot write"), "{said}");
    let rounds = fs::read_to_string(dir.path().join("kept")).unwrap();
    assert!(rounds.lines().count() > 1 && rounds.ends_with('\n'), "whole lines are kept: {rounds}");
}
