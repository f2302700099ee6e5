//! A lock that breaks, hangs or crashes costs its own cell and no other.

use super::misbehaving;

fn run(locks: &str, vcpus: &str) -> (Option<i32>, serde_json::Value) {
    run_workloads(locks, vcpus, "short")
}

fn run_workloads(locks: &str, vcpus: &str, workloads: &str) -> (Option<i32>, serde_json::Value) {
    let output = misbehaving()
        .args(["run", "--json", "--rounds", "2", "--envs", "emulated", "--vcpus", vcpus])
        .args(["--workloads", workloads, "--locks", locks])
        .output()
        .unwrap();
    let results = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    says_why(&results, &String::from_utf8_lossy(&output.stderr));
    (output.status.code(), results)
}

/// Whoever reads no JSON learns from stderr what became of a cell that broke, crashed or hung, and why.
fn says_why(results: &serde_json::Value, complained: &str) {
    for cell in results["cells"].as_array().unwrap() {
        let [lock, status] = ["lock", "status"].map(|key| cell[key].as_str().unwrap());
        if ["broken", "crashed", "hung"].contains(&status) {
            let why = cell["reason"].as_str().unwrap();
            let begin = format!("lockbench: {status}: ");
            let says = |line: &str| line.starts_with(&begin) && line.contains(lock) && line.contains(why);
            assert!(complained.lines().any(says), "{lock} {why}: {complained}");
        }
    }
}

fn cell<'a>(results: &'a serde_json::Value, lock: &str) -> &'a serde_json::Value {
    let cells = results["cells"].as_array().unwrap();
    cells.iter().find(|cell| cell["lock"] == lock).unwrap_or_else(|| panic!("no cell of {lock}"))
}

#[test]
fn a_lock_that_excludes_nobody_is_broken_and_never_a_number_whatever_the_number_of_locks() {
    // Four vCPUs even on one pCPU: somebody is preempted inside the section sooner or later.
    let (status, results) = run_workloads("open,ticket", "4", "short,nested,many:4");
    assert_eq!(status, Some(1));
    let cells = results["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 6);
    for cell in cells {
        if cell["lock"] == "ticket" {
            assert_eq!(cell["exclusion"], "held", "{cell}");
        } else {
            assert_eq!(
                (&cell["status"], &cell["exclusion"]),
                (&"broken".into(), &"violated".into()),
                "{cell}"
            );
            assert!(cell["ops_per_second"].is_null());
        }
    }
}

#[test]
fn a_lock_that_never_grants_is_hung() {
    let (status, results) = run("shut,ticket", "2");
    assert_eq!(status, Some(1));
    let shut = cell(&results, "shut");
    assert_eq!(shut["status"], "hung", "{shut}");
    assert!(shut["reason"].as_str().unwrap().contains("no vCPU got the lock"), "{shut}");
    assert_eq!(cell(&results, "ticket")["status"], "ok");
}

#[test]
fn a_lock_that_stops_granting_is_hung_too() {
    let (status, results) = run("forgetful", "2");
    assert_eq!(status, Some(1));
    assert_eq!(cell(&results, "forgetful")["status"], "hung");
}

/// A store into the plan faults; a store into memory that vCPUs write spoils the cell's figures, not the parent that reads them.
#[test]
fn a_lock_that_scribbles_over_the_arena_costs_its_own_cell() {
    let (status, results) = run("vandal,flood,ticket", "2");
    assert_eq!(status, Some(1));
    let vandal = cell(&results, "vandal");
    assert_eq!(vandal["status"], "crashed", "{vandal}");
    assert!(vandal["reason"].as_str().unwrap().contains("SIGSEGV"), "{vandal}");
    let flood = cell(&results, "flood");
    assert!(["broken", "crashed", "hung"].contains(&flood["status"].as_str().unwrap()), "{flood}");
    assert!(flood["ops_per_second"].is_null());
    assert_eq!(cell(&results, "ticket")["status"], "ok");
}

/// A lock's standard output is not mixed with the reports, and a full pipe blocks nobody.
#[test]
fn a_lock_that_prints_is_measured_as_any_other() {
    let (status, results) = run("whispering,loud", "2");
    assert_eq!(status, Some(0), "{results}");
    assert_eq!(cell(&results, "whispering")["status"], "ok");
    assert_eq!(cell(&results, "loud")["status"], "ok");
}

#[test]
fn what_a_crashed_lock_said_is_shown() {
    let (status, results) = run("dying", "1");
    assert_eq!(status, Some(1));
    let reason = cell(&results, "dying")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("SIGABRT") && reason.ends_with(": I am slain"), "{reason}");
}

#[test]
fn a_lock_that_crashes_says_how() {
    let (status, results) = run("wild,panicky,ticket", "2");
    assert_eq!(status, Some(1));
    let wild = cell(&results, "wild");
    assert_eq!(wild["status"], "crashed", "{wild}");
    assert!(wild["reason"].as_str().unwrap().contains("SIGSEGV"), "{wild}");
    let panicky = cell(&results, "panicky");
    assert_eq!(panicky["status"], "crashed", "{panicky}");
    assert!(panicky["reason"].as_str().unwrap().contains("out of cheese"), "{panicky}");
    assert_eq!(cell(&results, "ticket")["status"], "ok");
}

/// A failed acquisition has no section and no release, is counted apart from the others, and the cell says so.
#[test]
fn an_acquisition_that_a_lock_gives_up_is_counted_as_such() {
    let (status, results) = run("quitting", "2");
    assert_eq!(status, Some(0), "{results}");
    let quitting = cell(&results, "quitting");
    assert_eq!((&quitting["status"], &quitting["exclusion"]), (&"ok".into(), &"held".into()));
    let failed = quitting["counters"]["failed_acquisitions"].as_f64().unwrap();
    let succeeded = quitting["counted_operations"].as_f64().unwrap();
    // One in four, but for what the ends of a window cut.
    assert!((failed * 3.0 / succeeded - 1.0).abs() < 0.1, "{failed} failed, {succeeded} succeeded");
    let notes = quitting["notes"].to_string();
    assert!(notes.contains("failed, by a timeout or at a deadlock, beside"), "{notes}");
}
