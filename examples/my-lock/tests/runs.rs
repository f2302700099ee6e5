//! A user's own lock is measured like any other.

#[test]
fn my_lock_is_measured_beside_ticket() {
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_my-lock"))
        .args(["run", "--json", "--rounds", "1", "--envs", "native", "--vcpus", "1", "--locks", "own,ticket"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let results: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let cells = results["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 2);
    for cell in cells {
        assert_eq!(cell["status"], "ok", "{cell}");
        assert_eq!(cell["exclusion"], "held", "{cell}");
    }
}
