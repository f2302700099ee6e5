//! Lock-holder preemptions are counted, neither too few nor too many, wherever a vCPU runs.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use lockbench::measure::rseq;
use lockbench::topology::{PuIndex, pin_current};
use serde_json::{Value, json};

/// A section of so many steps takes some 40 ms of a pCPU: longer than any timeslice by default, and several of most.
const SECTION_STEPS: f64 = 40e6;

fn spec(env: &str, pcpu: u32) -> Value {
    json!({
        "axes": {
            "id": "preemptions", "lock": "ticket", "env": env,
            "workload": {
                "name": "work", "section_ns": SECTION_STEPS, "lines": 0, "think": "none", "think_ns": 0.0
            },
            "placement": "compact", "pinning": "pinned", "vcpus": 1, "pcpus": [pcpu], "overcommit": 1.0,
            "scheduler": {"kind": "host"},
        },
        "round": 0, "purpose": "rate", "start": "free",
        "warmup_ns": 100_000_000, "window_ns": 1_500_000_000_u64, "samples": 10, "hang_ns": 20_000_000_000_u64,
        "spin_threshold": 32768, "work_ns": 1.0, "ticks_per_ns": 2.0,
        "memory_nodes": [], "vcpu_nodes": [0], "count_preemptions": true,
    })
}

/// One window of one vCPU beside a thread of this test that never gives up the same pCPU; and how far that thread came.
fn beside_a_competitor(env: &str, pcpu: u32) -> (Value, u64) {
    let (stop, moves) = (AtomicBool::new(false), AtomicU64::new(0));
    let round = std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(pin_current(PuIndex(pcpu)).is_bound());
            while !stop.load(Relaxed) {
                moves.fetch_add(1, Relaxed);
            }
        });
        let output = run(&spec(env, pcpu).to_string());
        stop.store(true, Relaxed);
        output
    });
    (round, moves.into_inner())
}

fn run(spec: &str) -> Value {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lockbench"))
        .args(["run", "--json", "--spec", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(spec.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The first CPU that this test may use.
fn a_cpu() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let listed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim();
    listed.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

/// Every section outlasts the vCPU's timeslice, and somebody else always wants the pCPU: so every section is preempted. The
/// worker looks once a section, right after it has counted it, so each preempted section counts once, however often it
/// was preempted. The window's edges can add or take one: a section may be counted and not yet looked at, or the parent may
/// read the two counters with a section's end in between. A section that was preempted was switched away from, and the
/// kernel counts that; so the upper bound is never tighter than the edges need, and it fails a probe that counts without
/// cause, which sees no more than it is looked at.
#[test]
fn each_preempted_section_counts_once() {
    let pcpu = a_cpu();
    for env in ["native", "emulated", "kvm"] {
        if env != "kvm"
            && let Err(why) = rseq::self_test(pcpu)
        {
            eprintln!("skipped: {env}: {why}");
            continue;
        }
        let (round, moves) = beside_a_competitor(env, pcpu);
        if round["outcome"] == "skipped" {
            eprintln!("skipped: {env}: {}", round["reason"]);
            continue;
        }
        assert_eq!(round["outcome"], "measured", "{round}");
        let sections = round["operations"][0].as_u64().unwrap();
        let counter = |name: &str| round["counters"][name].as_u64().unwrap_or(0);
        let (preempted, switches) = (counter("preempted_holding"), counter("involuntary_switches"));
        println!(
            "{env}: {sections} sections, {preempted} preempted, {switches} switches, competitor {moves}"
        );
        assert!(sections >= 3 && moves > 0, "{round}");
        assert!(preempted + 1 >= sections, "{env}: {preempted} of {sections} sections: {round}");
        assert!(preempted <= sections + switches, "{env}: {preempted} of {sections} sections: {round}");
        assert!(switches + 1 >= sections, "{env}: {switches} switches in {sections} sections: {round}");
    }
}
