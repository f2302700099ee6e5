//! Listings and help.

use super::lockbench;

#[test]
fn list_names_every_lock_once() {
    let output = lockbench().args(["list", "--json"]).output().unwrap();
    let listing: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<&str> =
        listing["locks"].as_array().unwrap().iter().map(|lock| lock["name"].as_str().unwrap()).collect();
    for core in ["ticket", "mcs", "tas", "std-mutex"] {
        assert_eq!(names.iter().filter(|name| **name == core).count(), 1, "{core} in {names:?}");
    }
}

#[test]
fn help_and_list_read_as_they_should() {
    let help = lockbench().arg("--help").output().unwrap();
    insta::assert_snapshot!("help", String::from_utf8(help.stdout).unwrap());
    let list = lockbench().arg("list").output().unwrap();
    insta::assert_snapshot!("list", String::from_utf8(list.stdout).unwrap());
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_lockbench"))
        .arg("list")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_machine_code_of_the_locks_can_be_listed() {
    let list = lockbench().args(["list", "--instructions"]).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    let taken = list.lines().find(|line| line.starts_with("ticket ")).unwrap();
    assert!(taken.contains("acquire") && taken.contains("lock xadd dword"), "{taken}");
    let json = lockbench().args(["list", "--instructions", "--json"]).output().unwrap();
    let table: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(table["rows"][0]["lock"], "ticket");
}
