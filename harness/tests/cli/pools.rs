//! Pools of pCPUs. Whether a schedule was kept depends on what else runs on the machine, so that these tests look at who ran where,
//! and not at how long.

use std::collections::BTreeSet;

use serde_json::Value;

use super::schedules::{in_all_envs, ran, said, scenario, was_kept};

/// A file with one case: a machine that is moved to the other pool in the middle of the window, one of a pCPU that changes its
/// pool, and one that stays.
fn file(dir: &tempfile::TempDir, change: impl Fn(String) -> String) -> String {
    let text = "about = 'what a test wants'\nrounds = 1\nwindow = '600ms'\nnoise-floor = false\n\
        [[cells]]\ncase = 'moved'\nlocks = ['tas']\nenvs = ['emulated']\non = [2]\nanswer = 'shares'\n\
        schedulers = ['round-robin']\nslices = ['20ms']\n\
        pools = [{ name = 'a', pcpus = [0] }, { name = 'b', pcpus = [1], scheduler = 'credit', slice = '10ms' }]\n\
        vms = [{ name = 'guest', vcpus = 1, pool = 'a' }, { name = 'stays', vcpus = 2, pool = 'a' }, \
        { name = 'other', vcpus = 1, pool = 'b' }]\n\
        moves = [{ at = '200ms', vm = 'guest', pool = 'b' }, { at = '400ms', vm = 'other', pool = 'a' }]\n";
    scenario(dir, &change(text.into()))
}

/// The pCPUs that a vCPU ran on in stretches that began and ended between these times.
fn ran_on(schedule: &Value, vcpu: u64, between_ns: std::ops::Range<i64>) -> BTreeSet<u64> {
    let log = schedule["log"].as_array().unwrap().iter();
    let inside = |one: &&Value| {
        one["vcpu"] == vcpu
            && one["from_ns"].as_i64().unwrap() >= between_ns.start
            && one["to_ns"].as_i64().unwrap() <= between_ns.end
    };
    log.filter(inside).map(|one| one["pcpu"].as_u64().unwrap()).collect()
}

#[test]
fn a_machine_that_is_moved_under_load_runs_in_the_new_pool_and_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let ran = ran(&dir, &file(&dir, in_all_envs));
    let pcpus: Vec<u64> =
        ran.cells[0]["pcpus"].as_array().unwrap().iter().map(|pcpu| pcpu.as_u64().unwrap()).collect();
    for round in &ran.windows {
        let schedule = &round["schedule"];
        let moves = schedule["moves"].as_array().unwrap();
        // A move that a busy machine did not come to is missing, and one that it did not end has no end.
        let (first, second) = (moves.first(), moves.get(1));
        assert!(moves.len() == 2 || !was_kept(schedule), "{moves:?}");
        let ns = |one: Option<&Value>, name: &str| one.and_then(|one| one[name].as_i64()).unwrap_or(i64::MAX);
        assert!(ns(first, "asked_ns") >= 200_000_000 && ns(second, "asked_ns") >= 400_000_000, "{moves:?}");
        let [a, b] = [pcpus[0], pcpus[1]].map(|pcpu| BTreeSet::from([pcpu]));
        let runs_on = |vcpu: u64, between_ns: std::ops::Range<i64>, pcpus: &BTreeSet<u64>| {
            let on = ran_on(schedule, vcpu, between_ns);
            assert!(on.is_subset(pcpus), "vCPU {vcpu} ran on {on:?}: {schedule}");
            assert!(!on.is_empty() || !was_kept(schedule), "vCPU {vcpu} did not run: {schedule}");
        };
        runs_on(0, i64::MIN..ns(first, "asked_ns"), &a);
        runs_on(0, ns(first, "done_ns")..i64::MAX, &b);
        for stays in [1, 2] {
            runs_on(stays, i64::MIN..i64::MAX, &a);
        }
        runs_on(3, i64::MIN..ns(second, "asked_ns"), &b);
        runs_on(3, ns(second, "done_ns")..i64::MAX, &a);
    }
}

#[test]
fn a_mistake_in_pools_or_moves_is_told_with_its_line_and_field() {
    let dir = tempfile::tempdir().unwrap();
    for (from, to, line, field) in [
        ("pcpus = [1]", "pcpu = [1]", "line 13", "pools, number 2"),
        ("pcpus = [1]", "pcpus = [0]", "line 13", "pCPU 0 is in pool a"),
        ("pcpus = [1]", "pcpus = [2]", "line 6", "`on`"),
        ("pool = 'b' }]\nmoves", "pool = 'c' }]\nmoves", "line 14", "`pool` of other"),
        ("vcpus = 1, pool = 'a'", "vcpus = 1, hard = [0], pool = 'a'", "line 15", "`hard`"),
        ("at = '200ms'", "at = '700ms'", "line 15", "moves, number 2: `at` is before"),
        ("at = '400ms'", "at = '600ms'", "line 15", "moves, number 2: `at` is beyond the window"),
        ("vm = 'other', pool = 'a'", "destroy = 'b'", "line 15", "`destroy`: pool b still has"),
        ("vm = 'other'", "vm = 'another'", "line 15", "moves, number 2: `vm`"),
        ("answer = 'shares'", "answer = 'share'", "line 10", "did you mean `shares`"),
        ("answer = 'shares'", "pinnings = ['pinned']", "line 6", "`pinnings`"),
    ] {
        let path = file(&dir, |text| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        let (status, said) = said(&["suite", "--scenario", &path, "--plan-only"]);
        assert_eq!(status, Some(2), "{to}: {said}");
        assert!(said.contains(line) && said.contains(field), "{to}: {said}");
    }
    let path = file(&dir, |text| text);
    let (status, said) = said(&["suite", "--scenario", &path, "--plan-only", "--window", "300ms"]);
    assert!(status == Some(2) && said.contains("beyond the window"), "{said}");
}

#[test]
fn an_affinity_is_refused_where_the_scheduler_takes_no_notice_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, |text| text.replace("vcpus = 2, pool = 'a'", "vcpus = 2, pool = 'a', soft = [0]"));
    let (_, said) = said(&["suite", "--scenario", &path, "--plan-only"]);
    assert!(said.contains("stays has a `soft`, of which round-robin takes no notice; credit does"), "{said}");
}

#[test]
fn the_example_is_planned_at_full_size_from_a_topology_and_small_on_two_pcpus() {
    let large = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/topologies/64amd64-4s2n4ca2co.xml");
    for (machine, planned, left_out) in [(large, "full-", ""), ("core:2 pu:1", "", "full-")] {
        let (status, said) = said(&["suite", "--scenario", "cpupools", "--plan-only", "--topology", machine]);
        assert_eq!(status, Some(0), "{said}");
        let (plan, rest) = said.split_once("not planned").unwrap();
        for case in ["masks", "pools", "moved"] {
            for env in ["emulated", "kvm"] {
                let has = |line: &str| {
                    line.contains(&format!("scenario=cpupools/{planned}{case}/")) && line.contains(env)
                };
                assert!(plan.lines().any(has), "{said}");
            }
            assert!(rest.contains(&format!("scenario=cpupools/{left_out}{case}\n")), "{said}");
        }
        assert!(rest.contains("the group of cells is for machines with"), "{said}");
    }
}
