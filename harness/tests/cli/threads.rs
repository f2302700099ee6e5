//! Guests that schedule threads on their vCPUs. How long a turn lasts depends on what else runs on the machine, so that these tests
//! look at who ran after whom.

use std::collections::BTreeSet;

use serde_json::Value;

use super::schedules::{in_all_envs, ran, said, scenario, was_kept};

/// A file with one case: two threads on each of two vCPUs, on one pCPU.
fn file(dir: &tempfile::TempDir, change: impl Fn(String) -> String) -> String {
    let text = "about = 'what a test wants'\nrounds = 1\nwindow = '200ms'\nnoise-floor = false\n\
        [[cells]]\ncase = 'threads'\nlocks = ['tas']\nenvs = ['emulated']\non = [1]\n\
        schedulers = ['round-robin']\nslices = ['20ms']\n\
        vms = [{ name = 'guest', vcpus = 2, threads-per-vcpu = 2, guest-slice = '5ms' }]\n";
    scenario(dir, &change(text.into()))
}

#[test]
fn threads_of_a_guest_take_turns_on_a_vcpu_that_takes_turns_on_its_pcpu() {
    let dir = tempfile::tempdir().unwrap();
    let ran = ran(&dir, &file(&dir, in_all_envs));
    for axes in &ran.cells {
        assert!(axes["id"].as_str().unwrap().contains("/4v:1p/compact/floating/"), "{axes}");
        let vm = &axes["case"]["vms"][0];
        assert_eq!((&vm["vcpus"], &vm["threads_per_vcpu"]), (&2.into(), &2.into()), "{vm}");
    }
    for round in &ran.windows {
        let notes = round["notes"].to_string();
        assert!(notes.contains("its guest's own scheduler runs 4 threads on 2 vCPUs"), "{notes}");
        let log = round["schedule"]["log"].as_array().unwrap();
        let of = |one: &Value| {
            let number = |name: &str| one[name].as_u64().unwrap_or_else(|| panic!("no {name}: {one}"));
            (number("vcpu"), number("of_vcpu"), one["by_guest"] == true)
        };
        let (mut threads, mut by_either) = (BTreeSet::new(), BTreeSet::new());
        for pair in log.windows(2) {
            let ((left, from, by_guest), (came, to, _)) = (of(&pair[0]), of(&pair[1]));
            assert!(pair[0]["to_ns"].as_i64() <= pair[1]["from_ns"].as_i64(), "two at once: {pair:?}");
            assert_eq!((from, to), (left % 2, came % 2), "{pair:?}");
            assert_ne!(left, came, "{pair:?}");
            assert_eq!(by_guest, from == to && pair[0]["end"] == "paused", "{pair:?}");
            threads.insert(left);
            by_either.insert(by_guest);
        }
        let kept = was_kept(&round["schedule"]);
        assert!(threads == (0..4).collect() || !kept, "{round}");
        assert!(by_either.len() == 2 || !kept, "both schedulers switch: {round}");
    }
}

#[test]
fn threads_without_a_hypervisor_or_with_a_log_or_with_pins_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (from, to, why) in [
        ("'round-robin'", "'host'", "guest has `threads-per-vcpu`, and host runs no vCPUs"),
        ("'round-robin'", "'replay:credit'", "guest has `threads-per-vcpu`, and replay runs no vCPUs"),
        ("on = [1]", "on = [1]\npinnings = ['pinned']", "`threads-per-vcpu` the vCPUs are floating"),
        ("threads-per-vcpu = 2, ", "", "`guest-slice` is for a guest with a scheduler"),
    ] {
        let path = file(&dir, |text| text.replacen(from, to, 1));
        let (_, said) = said(&["suite", "--scenario", &path, "--plan-only"]);
        assert!(said.contains(why), "{to}: {said}");
    }
}
