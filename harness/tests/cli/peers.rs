//! Locks that people use are measured like any other.

use serde_json::Value;

use super::lockbench;

const PEERS: &str = "std-mutex,parking-lot,pthread-mutex,pthread-adaptive,pthread-spin,futex-mutex,spin-mutex,spin-ticket,mcslock-barging";

#[test]
fn peers_exclude_where_vcpus_are_more_than_pcpus() {
    let output = lockbench()
        .args(["run", "--json", "--rounds", "1", "--envs", "emulated", "--overcommit", "2", "--locks", PEERS])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let results: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    let cells = results["cells"].as_array().unwrap();
    assert_eq!(cells.len(), PEERS.split(',').count(), "{said}");
    for cell in cells {
        let windows = cell["rounds"].as_array().unwrap();
        let operations = windows.iter().flat_map(|window| window["operations"].as_array().unwrap());
        assert!(operations.map(|n| n.as_u64().unwrap()).sum::<u64>() > 0, "{cell}");
        assert_eq!(cell["exclusion"], "held", "{cell}");
    }
}

#[test]
fn a_peer_that_calls_libc_says_why_no_guest_can_run_it() {
    let output = lockbench()
        .args(["run", "--rounds", "1", "--envs", "kvm", "--locks", "pthread-spin"])
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("pthread-spin is not leaf code"), "{said}");
}
