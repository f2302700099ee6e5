//! Sections that do more than work for a while with one lock held, from the command line to the results.

use serde_json::Value;

use super::lockbench;

/// A lock with per-vCPU parts for each lock, and one whose parts all locks share.
const LOCKS: &str = "clh,pv-queued";

#[test]
fn a_vcpu_that_is_alone_is_measured_in_every_environment_and_several_are_refused() {
    let envs = if super::real_vcpus::has_kvm() { "native,emulated,kvm" } else { "native,emulated" };
    let run = |vcpus: &str| {
        lockbench()
            .args(["run", "--json", "--rounds", "1", "--locks", LOCKS, "--envs", envs])
            .args(["--workloads", "alone", "--vcpus", vcpus])
            .output()
            .unwrap()
    };
    let output = run("1,2");
    let said = String::from_utf8_lossy(&output.stderr);
    let results: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    let cells = results["cells"].as_array().unwrap();
    assert_eq!(cells.len(), envs.split(',').count() * LOCKS.split(',').count(), "of one vCPU only: {said}");
    for cell in cells {
        assert_eq!(
            (&cell["status"], &cell["workload"]["section"]),
            (&"ok".into(), &"alone".into()),
            "{cell}"
        );
        assert!(cell["counted_operations"].as_u64().unwrap() > 0, "{cell}");
        assert_eq!(cell["exclusion"], "unchecked", "{cell}");
        assert!(cell["notes"].to_string().contains("nothing was checked"), "{cell}");
    }
    let output = run("2");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("`alone` checks no mutual exclusion"), "{said}");
}

#[test]
fn particular_sections_are_measured_in_every_environment_and_say_what_they_are() {
    let envs = if super::real_vcpus::has_kvm() { "emulated,kvm" } else { "emulated" };
    let output = lockbench()
        .args(["run", "--json", "--rounds", "1", "--vcpus", "2", "--spin-threshold", "64", "--locks", LOCKS])
        .args(["--envs", envs, "--workloads", "touch,tail:1us,nested,many:4"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let results: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    for (env, lock) in envs.split(',').flat_map(|env| LOCKS.split(',').map(move |lock| (env, lock))) {
        for (workload, section, locks, note) in [
            ("touch", "touch", None, "of the sections took a page fault"),
            ("tail:1us", "tail", None, ""),
            ("nested", "nested", Some(2), "the rate counts the acquisitions of both locks"),
            ("many:4", "many", Some(4), "the rate counts the acquisitions of all 4 locks"),
        ] {
            let of = |cell: &&Value| {
                cell["env"] == env && cell["lock"] == lock && cell["workload"]["name"] == workload
            };
            let cell = results["cells"].as_array().unwrap().iter().find(of).unwrap();
            let told = &cell["workload"];
            assert_eq!((told["section"].as_str(), told["locks"].as_u64()), (Some(section), locks), "{cell}");
            assert_eq!((&cell["status"], &cell["exclusion"]), (&"ok".into(), &"held".into()), "{cell}");
            assert!(cell["counted_operations"].as_u64().unwrap() > 0, "{cell}");
            // A window that the machine's other work disturbed gives no figure, and then there is nothing to say of it.
            let notes = cell["notes"].to_string();
            let every = notes.contains("every section took a page fault");
            assert!(cell["ops_per_second"].is_null() || notes.contains(note) || every, "{cell}");
            assert_eq!(
                cell["counters"]["pages_faulted"].as_u64().is_some_and(|pages| pages > 0),
                section == "touch"
            );
        }
    }
}
