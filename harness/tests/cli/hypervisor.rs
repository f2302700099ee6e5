//! Cells that the emulated hypervisor schedules. Whether a schedule was kept depends on what else runs on the machine, so that
//! these tests look at who ran after whom, and not at how long.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::lockbench;
use super::schedules::{envs, schedules, was_kept};

fn run(arguments: &str) -> (Value, String) {
    let output =
        lockbench().args(["run", "--json", "--rounds", "1"]).args(arguments.split(' ')).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (serde_json::from_slice(&output.stdout).unwrap_or(Value::Null), said)
}

/// What a log says of each pCPU, in order of time: who ran, from when to when, and why it stopped.
fn lanes(schedule: &Value) -> BTreeMap<u64, Vec<(u64, i64, i64, String)>> {
    let mut lanes: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    for stretch in schedule["log"].as_array().unwrap() {
        let number = |name: &str| stretch[name].as_u64().unwrap();
        let ns = |name: &str| stretch[name].as_i64().unwrap();
        let end = stretch["end"].as_str().unwrap().to_owned();
        let stretch = (number("vcpu"), ns("from_ns"), ns("to_ns"), end);
        lanes.entry(number("pcpu")).or_default().push(stretch);
    }
    lanes
}

#[test]
fn round_robin_runs_one_vcpu_of_a_pcpu_at_a_time_in_turn() {
    let (results, said) =
        run(&format!("--envs {} --locks tas --scheduler round-robin --slice 50ms --vcpus 6 --on 2", envs()));
    let schedules = schedules(&results);
    assert_eq!(schedules.len(), envs().split(',').count(), "{said}");
    for (id, schedule) in schedules {
        assert!(id.ends_with("/scheduler=round-robin/slice=50ms"), "{id}");
        assert_eq!(schedule["slice_ns"], 50_000_000, "{id}");
        let lanes = lanes(&schedule);
        assert!(lanes.len() == 2 || !was_kept(&schedule), "{id}: {schedule}");
        for (pcpu, stretches) in lanes {
            assert!(stretches.len() > 3 || !was_kept(&schedule), "{id}: {stretches:?}");
            for pair in stretches.windows(2) {
                let ((_, _, left, end), (_, came, ..)) = (&pair[0], &pair[1]);
                assert!(left <= came, "{id}: two vCPUs at once on CPU {pcpu}: {pair:?}");
                assert_eq!(end, "paused", "{id}: waiters of tas never halt");
            }
            // Three vCPUs are always runnable, so that each comes again after the two others.
            for turns in stretches.windows(4) {
                let who: Vec<u64> = turns.iter().map(|stretch| stretch.0).collect();
                assert!(
                    who[0] == who[3] && who[0] != who[1] && who[1] != who[2] && who[2] != who[0],
                    "{who:?}"
                );
            }
        }
    }
}

#[test]
fn a_halt_hands_the_pcpu_over_and_a_kick_makes_runnable() {
    let (results, said) = run(&format!(
        "--envs {} --locks pv-ticket,pv-queued,pv-byte --scheduler round-robin --slice 100ms --vcpus 4 --on 2 --spin-threshold 64",
        envs()
    ));
    // Who halts, and when, is the lock's: where other programs run a waiter may be late to it.
    for (id, schedule) in schedules(&results).into_iter().filter(|(_, schedule)| was_kept(schedule)) {
        assert!(schedule["halts"].as_u64().unwrap() > 0, "{id}: {schedule}: {said}");
        let halted = |lane: &Vec<(u64, i64, i64, String)>| {
            // Who halted and came again was kicked, and was resumed for that.
            lane.iter().enumerate().any(|(at, (vcpu, _, _, end))| {
                end == "halted" && lane[at + 1..].iter().any(|(later, ..)| later == vcpu)
            })
        };
        assert!(lanes(&schedule).values().any(halted), "{id}: {schedule}");
    }
    for cell in results["cells"].as_array().unwrap() {
        assert_ne!(cell["exclusion"], "violated", "{cell}");
    }
}

#[test]
fn what_a_hypervisor_cannot_schedule_is_refused_with_the_reason() {
    let (_, said) = run("--envs native --locks ticket --scheduler round-robin --vcpus 2");
    assert!(said.contains("native has no hypervisor"), "{said}");
    let (_, said) = run("--envs emulated --locks std-mutex --scheduler round-robin --vcpus 2");
    assert!(said.contains("sleep in this kernel"), "{said}");
}

#[test]
fn a_timeslice_shorter_than_twenty_switches_is_refused_with_a_sentence() {
    let (results, said) =
        run("--envs emulated --locks tas --scheduler round-robin --slice 100us --vcpus 4 --on 1");
    let refused = said.contains("a slice must be 20 times that; give --slice");
    // A switch takes two system calls and a signal: hardly any machine does that in 5 us, but one that does is not refused.
    // Where other programs made switches long, only the shortest of many says what the machine can do.
    let quick = || {
        let all = schedules(&results);
        all.iter().all(|(_, one)| !was_kept(one) || one["switch_ns"][0].as_f64().unwrap() <= 5_000.0)
    };
    assert!(refused || quick(), "{said}");
}

/// The pCPUs that each vCPU ran on.
fn pcpus_of(schedule: &Value) -> BTreeMap<u64, BTreeSet<u64>> {
    let mut of: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for (pcpu, stretches) in lanes(schedule) {
        for (vcpu, ..) in stretches {
            of.entry(vcpu).or_default().insert(pcpu);
        }
    }
    of
}

#[test]
fn credit_moves_vcpus_between_pcpus_unless_they_are_pinned() {
    // Three vCPUs on two pCPUs get the same time only by moving.
    let cells = format!("--envs {} --locks tas --scheduler credit --vcpus 3 --on 2 --window 1s", envs());
    let (results, said) = run(&format!("{cells} --pinning pinned,floating"));
    let schedules = schedules(&results);
    assert_eq!(schedules.len(), 2 * envs().split(',').count(), "{said}");
    for (id, schedule) in schedules {
        assert_eq!(schedule["slice_ns"], 30_000_000, "{id}: its usual timeslice");
        let of = pcpus_of(&schedule);
        let moved = of.values().any(|pcpus| pcpus.len() > 1);
        let floats = id.contains("/floating/");
        assert!(moved == floats || (floats && !was_kept(&schedule)), "{id}: {of:?}");
    }
}

#[test]
fn a_gang_wider_than_the_pcpus_is_split_which_the_cell_says() {
    let (results, said) = run(&format!(
        "--envs {} --locks tas,pv-ticket --scheduler gang --slice 50ms --vcpus 3 --on 2",
        envs()
    ));
    assert_eq!(results["cells"].as_array().unwrap().len(), 2 * envs().split(',').count(), "{said}");
    for cell in results["cells"].as_array().unwrap() {
        for round in cell["rounds"].as_array().unwrap() {
            assert_eq!(round["schedule"]["gangs"], serde_json::json!([[0, 1], [2]]), "{round}");
            let notes = round["notes"].to_string();
            assert!(notes.contains("3 vCPUs do not fit on 2 pCPUs: they are split into 2 gangs"), "{notes}");
            assert!(pcpus_of(&round["schedule"]).values().all(|pcpus| pcpus.len() == 1), "{round}");
        }
    }
}

/// A lock may ask whether a vCPU is preempted wherever the hypervisor knows: this kernel's scheduler tells threads nothing.
#[test]
fn locks_that_ask_whether_a_vcpu_is_preempted_are_told_in_every_environment() {
    let cells = format!("--envs {} --locks pv-queued --early-wait hint --vcpus 4 --on 2", envs());
    let (results, said) = run(&format!("{cells} --scheduler round-robin --slice 50ms"));
    assert_eq!(schedules(&results).len(), envs().split(',').count(), "{said}");
    let (_, said) = run(&cells.replace(envs(), "emulated"));
    assert!(said.contains("emulated vCPUs are not told whether another is preempted"), "{said}");
}

/// One run in every environment, under the host's scheduler and under the emulated hypervisor.
#[test]
fn waiters_yield_where_a_cell_asks_for_it_and_its_log_says_so() {
    let (results, said) = run(&format!(
        "--envs {} --locks ticket,std-mutex --spin pause,yield,pause-then-yield:4 --scheduler host,round-robin --vcpus 2 --on 1",
        envs()
    ));
    let cells = results["cells"].as_array().unwrap();
    let id = |cell: &Value| cell["id"].as_str().unwrap().to_owned();
    for cell in cells.iter().filter(|cell| cell["lock"] == "std-mutex") {
        assert!(!id(cell).contains("spin="), "it waits by code of its own: {cell}");
    }
    for (spin, least) in [("pause", 0), ("yield", 1), ("pause-then-yield:4", 1)] {
        let asks = |cell: &&Value| {
            cell["lock"] == "ticket"
                && match cell["params"]["spin"].as_str() {
                    Some(asked) => asked == spin,
                    None => spin == "pause",
                }
        };
        let asked: Vec<&Value> = cells.iter().filter(asks).collect();
        assert_eq!(asked.len(), 2 * envs().split(',').count(), "{spin}: {said}");
        for cell in asked {
            let yields = cell["counters"]["yield"].as_u64().unwrap_or(0);
            assert!(
                if least == 0 { yields == 0 } else { yields >= least },
                "{}: {yields} yields: {cell}",
                id(cell)
            );
            assert_ne!(cell["exclusion"], "violated", "{cell}");
        }
    }
    for (id, schedule) in schedules(&results).into_iter().filter(|(_, schedule)| !schedule.is_null()) {
        let yielded = schedule["log"].as_array().unwrap().iter().any(|stretch| stretch["end"] == "yielded");
        let yields = schedule["yields"].as_u64().unwrap_or(0) > 0;
        assert_eq!((yielded, yields), (id.contains("spin="), id.contains("spin=")), "{id}: {said}");
    }
}
