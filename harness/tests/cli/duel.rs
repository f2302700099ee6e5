//! `duel` as users see it: two builds in alternating rounds.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::lockbench;

const ONE_CELL: &str = "about = 'for tests'\nrounds = 6\nwindow = '100ms'\n[[cells]]\nlocks = ['ticket']\n\
    envs = ['native']\nworkloads = ['empty']\nvcpus = [1]\n";

#[test]
fn a_build_against_itself() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("one.toml");
    fs::write(&config, ONE_CELL).unwrap();
    let build = env!("CARGO_BIN_EXE_lockbench");
    let output = lockbench()
        .args(["duel", build, build, "--json", "--margin", "900", "--config"])
        .arg(&config)
        .arg("--out")
        .arg(dir.path().join("out"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let comparison: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(comparison["kind"], "duel");
    let row = &comparison["rows"][0];
    assert_eq!((row["metric"].as_str(), row["verdict"].as_str()), (Some("rate"), Some("same")), "{row}");
    let run = fs::read_dir(dir.path().join("out")).unwrap().next().unwrap().unwrap().path();
    for side in ["a", "b"] {
        let rounds = fs::read_to_string(run.join(side).join("rounds.jsonl")).unwrap();
        assert_eq!(rounds.lines().count(), 14, "a header, twelve rounds, an end");
        assert!(run.join(side).join("results.json").exists());
    }
    assert!(fs::read_to_string(run.join("duel.md")).unwrap().starts_with("### lockbench: "));
}

/// A margin of nothing leaves the cell of two equal builds open, unless noise takes all twelve rounds to one side; then it is called.
#[test]
fn a_cell_that_is_not_clear_takes_a_second_stage() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("one.toml");
    fs::write(&config, ONE_CELL).unwrap();
    let build = env!("CARGO_BIN_EXE_lockbench");
    let duel = |more: &str| {
        let out = dir.path().join(more);
        let output = lockbench()
            .args(["duel", build, build, "--json", "--margin", "0", "--second-stage", more, "--config"])
            .arg(&config)
            .arg("--out")
            .arg(&out)
            .output()
            .unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
        let comparison: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let run = fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
        let lines = ["a", "b"].map(|side| fs::read_to_string(run.join(side).join("rounds.jsonl")).unwrap());
        (comparison, lines, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (comparison, [a, b], said) = duel("13");
    assert!(a.lines().next().unwrap().contains(r#""second_stage":13"#), "{a}");
    let row = &comparison["rows"][0];
    if said.contains("not clear: 1 of 1 cells, which take 13 more rounds") {
        assert_eq!((a.lines().count(), b.lines().count()), (27, 27), "a header, 12 and 13 rounds, an end");
        assert!(a.contains(r#""round":24"#));
        assert!(comparison["notes"][0].as_str().unwrap().contains("took up to 13 more"), "{comparison}");
        assert_eq!(row["note"], "judged on the rounds of the second stage alone", "{row}");
    } else {
        assert_eq!(a.lines().count(), 14, "{said}");
        assert!(matches!(row["verdict"].as_str(), Some("better" | "worse")), "{row}");
    }
    let (comparison, [a, b], _) = duel("0");
    assert_eq!((a.lines().count(), b.lines().count()), (14, 14), "{comparison}");
    assert!(!a.contains("second_stage\":") && comparison["notes"].as_array().unwrap().is_empty());
}

#[test]
fn what_is_no_build_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let build = env!("CARGO_BIN_EXE_lockbench");
    let fake = dir.path().join("fake");
    fs::write(&fake, "#!/bin/sh\ncase $1 in --version) echo lockbench 9.9.9;; *) echo '{}';; esac\n")
        .unwrap();
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
    let out = dir.path().join("out");
    for (other, says) in [
        ("/bin/true", "is no build of lockbench"),
        ("/nowhere/lockbench", "cannot run /nowhere/lockbench"),
        (fake.to_str().unwrap(), "printed no round"),
    ] {
        let output =
            lockbench().args(["duel", build, other, "--locks", "ticket", "--out"]).arg(&out).output();
        let output = output.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(says), "{said}");
    }
    let output = lockbench().args(["duel", build, build, "--rounds", "6"]).output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("at least 12"));
    let output = lockbench().args(["duel", build, build, "--second-stage", "6"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("give at least 12, or 0 for none"));
}

#[test]
fn a_build_that_does_not_say_who_it_is_does_not_hang_the_duel() {
    let dir = tempfile::tempdir().unwrap();
    let hangs = dir.path().join("hangs");
    fs::write(&hangs, "#!/bin/sh\nsleep 1000\n").unwrap();
    fs::set_permissions(&hangs, fs::Permissions::from_mode(0o755)).unwrap();
    let build = env!("CARGO_BIN_EXE_lockbench");
    let output = lockbench().args(["duel", build]).arg(&hangs).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("did not answer to `--version` within 10 s"), "{said}");
}

#[test]
fn a_build_that_dies_is_worse_and_one_that_cannot_is_skipped() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("one.toml");
    fs::write(&config, ONE_CELL).unwrap();
    let build = env!("CARGO_BIN_EXE_lockbench");
    for (name, fails, status, says) in [
        ("dies", "kill -SEGV $$", 1, "crashed in NEW: the build was killed by SIGSEGV"),
        (
            "panics",
            "echo 'thread main panicked' >&2; exit 101",
            1,
            "the build ended with status 101: thread main panicked",
        ),
        ("cannot", "echo 'lockbench: no such lock' >&2; exit 2", 2, "measured nothing: no such lock"),
    ] {
        let fake = dir.path().join(name);
        let script = format!("#!/bin/bash\ncase $1 in --version) echo lockbench 9.9.9;; *) {fails};; esac\n");
        fs::write(&fake, script).unwrap();
        fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
        let output = lockbench()
            .args(["duel", build, fake.to_str().unwrap(), "--config"])
            .arg(&config)
            .arg("--out")
            .arg(dir.path().join("out"))
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(status), "{name}: {said}");
        assert!(said.contains(says), "{name}: {said}");
    }
}
