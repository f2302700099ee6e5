//! Cells inside KVM, wherever /dev/kvm opens.

use std::fs::OpenOptions;

use serde_json::Value;

use super::{lockbench, misbehaving};

/// Whether there is a KVM to test on; prints it if not.
pub(super) fn has_kvm() -> bool {
    !skipped()
}

/// Whether there is no KVM to test on, which it prints.
fn skipped() -> bool {
    let opened = OpenOptions::new().read(true).write(true).open("/dev/kvm");
    if let Err(e) = &opened {
        eprintln!("skipped, for /dev/kvm does not open: {e}");
    }
    opened.is_err() || !cfg!(target_arch = "x86_64")
}

fn run(mut program: assert_cmd::Command, arguments: &str) -> (Option<i32>, Value) {
    let output =
        program.args(["run", "--json", "--envs", "kvm"]).args(arguments.split(' ')).output().unwrap();
    let results = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), results)
}

fn cells(results: &Value) -> &Vec<Value> {
    results["cells"].as_array().unwrap()
}

fn counter(cell: &Value, name: &str) -> u64 {
    cell["counters"][name].as_u64().unwrap_or(0)
}

#[test]
fn exclusion_holds_whether_waiters_spin_or_halt() {
    if skipped() {
        return;
    }
    let (status, results) =
        run(lockbench(), "--locks ticket,pv-ticket --vcpus 1,2,3,4,8 --rounds 2 --spin-threshold 64");
    assert_eq!(status, Some(0));
    assert_eq!(cells(&results).len(), 10);
    for cell in cells(&results) {
        assert_eq!(cell["status"], "ok", "{cell}");
        assert_eq!(cell["exclusion"], "held", "{cell}");
        if cell["vcpus"].as_u64() == Some(8) {
            let halts = counter(cell, "halt");
            assert_eq!(halts > 0, cell["lock"] == "pv-ticket", "{cell}");
        }
        // More vCPUs than this machine has CPUs, on which each was kept waiting.
        let overcommit = cell["overcommit"].as_f64().unwrap();
        if overcommit >= 2.0 && cell["lock"] == "ticket" {
            assert!(counter(cell, "steal_ns") > 0, "{cell}");
        }
    }
    let facilities = results["machine"]["facilities"].as_array().unwrap();
    let has = |name: &str| facilities.iter().any(|f| f["name"] == name && f["available"] == true);
    assert!(has("kvm") && has("steal-time"), "{facilities:?}");
    let costs = &results["machine"]["kvm_costs"];
    assert!(costs["round_trip_ns"]["p50"].as_f64().unwrap() > 0.0, "{costs}");
    assert_eq!(costs["clocks_agree"], true, "{costs}");
}

#[test]
fn sixty_four_vcpus_fit_on_whatever_there_is() {
    if skipped() {
        return;
    }
    let (status, results) = run(lockbench(), "--locks tas --vcpus 64 --rounds 1");
    assert_eq!(status, Some(0));
    assert_eq!(cells(&results)[0]["status"], "ok", "{results}");
}

#[test]
fn a_guest_that_goes_astray_is_a_named_fault_and_costs_its_own_cell() {
    if skipped() {
        return;
    }
    let (status, results) = run(misbehaving(), "--locks wild,ticket --vcpus 2 --rounds 2");
    assert_eq!(status, Some(1));
    let cell = |lock: &str| cells(&results).iter().find(|cell| cell["lock"] == lock).unwrap();
    let wild = cell("wild");
    assert_eq!(wild["status"], "crashed", "{wild}");
    let reason = wild["reason"].as_str().unwrap();
    assert!(reason.contains("page fault") && reason.contains("rip 0x"), "{reason}");
    // In a build without optimisation it is libc that is called, and the beginning of the reason says what to do.
    if cfg!(debug_assertions) {
        let begin: String = reason.chars().take(300).collect();
        assert!(begin.contains("called libc.so.6: ") && begin.contains("(--release, or "), "{reason}");
    }
    assert_eq!(cell("ticket")["status"], "ok");
}

#[test]
fn a_lock_that_is_no_leaf_code_is_refused_with_the_reason() {
    let output =
        lockbench().args(["run", "--envs", "kvm", "--locks", "std-mutex", "--vcpus", "1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("leaf code"), "{said}");
}
