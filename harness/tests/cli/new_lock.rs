//! A crate for a lock of the user's own, from a name to a figure.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::lockbench;

/// Builds the crate. It is no part of this workspace; the packages from elsewhere that both need are built once.
fn build(dir: &Path) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let target = tests.ancestors().nth(3).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["build", "--offline", "--quiet"])
        .current_dir(dir)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    target.join("debug/my-spin")
}

#[test]
fn a_crate_of_one_line_measures_a_lock_in_every_environment_that_there_is() {
    let dir = tempfile::tempdir().unwrap();
    let crate_dir = dir.path().join("my-spin");
    lockbench().current_dir(dir.path()).args(["new-lock", "my-spin"]).assert().success();
    // The lock file of this repository has every package that the crate needs, in the versions that are here.
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock"), crate_dir.join("Cargo.lock"))
        .unwrap();
    let program = build(&crate_dir);
    let envs = if super::real_vcpus::has_kvm() { "native,emulated,kvm" } else { "native,emulated" };
    let output = Command::new(program)
        .args(["run", "--json", "--rounds", "1", "--vcpus", "1", "--locks", "own", "--envs", envs])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let results: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    let cells = results["cells"].as_array().unwrap();
    assert_eq!(cells.len(), envs.split(',').count(), "{said}");
    for cell in cells {
        assert_eq!((&cell["lock"], &cell["exclusion"]), (&"my-spin".into(), &"held".into()), "{cell}");
    }
}

#[test]
fn a_name_that_cannot_be_had_is_refused_and_nothing_is_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |name: &str| {
        let output = lockbench().current_dir(dir.path()).args(["new-lock", name]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for taken in ["ticket", "own", "lockbench-locks"] {
        assert!(refused(taken).contains(&format!("the name `{taken}` is taken")), "{taken}");
    }
    assert!(refused("My Lock").contains("names no package"));
    assert!(
        refused(&"l".repeat(65)).contains("take up to 64 lower-case letters"),
        "no lock in C may have it"
    );
    fs::create_dir(dir.path().join("mine")).unwrap();
    assert!(refused("mine").contains("mine is there already"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}
