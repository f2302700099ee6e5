//! Cells that replay a schedule. How late an instant is followed depends on what else runs on the machine, so that these tests look at
//! what was planned and in which order it was done.

use std::collections::BTreeMap;

use serde_json::Value;

use super::lockbench;
use super::schedules::{envs, schedules, was_kept};

fn said(arguments: &[&str]) -> (Option<i32>, String, Value) {
    let output = lockbench().args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said, serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}

/// The instants of a replay: pCPU, vCPU, whether it comes, and when, by the log.
fn planned(schedule: &Value) -> Vec<(u64, u64, bool, u64)> {
    let number = |instant: &Value, name: &str| instant[name].as_u64().unwrap();
    let instants =
        schedule["replay"]["instants"].as_array().unwrap_or_else(|| panic!("no instants: {schedule}"));
    instants
        .iter()
        .map(|instant| {
            let comes = instant["comes"].as_bool().unwrap();
            (number(instant, "pcpu"), number(instant, "vcpu"), comes, number(instant, "planned_ns"))
        })
        .collect()
}

/// The vCPUs that have each pCPU, in order, by the log of what was done in the window; each once where it came several times in a row.
fn done(schedule: &Value) -> BTreeMap<u64, Vec<u64>> {
    let mut lanes: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    // What began before the window is of the warm-up.
    let log = schedule["log"].as_array().unwrap().iter();
    for stretch in log.filter(|stretch| stretch["from_ns"].as_i64().unwrap() > 0) {
        lanes.entry(stretch["pcpu"].as_u64().unwrap()).or_default().push(stretch["vcpu"].as_u64().unwrap());
    }
    lanes.values_mut().for_each(Vec::dedup);
    lanes
}

/// Whether `part` is what is left of `whole` when some of it is left out.
fn is_part_of(part: &[u64], whole: &[u64]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|vcpu| whole.any(|other| other == vcpu))
}

/// Checks one replay: what was done has the order of what was planned, and the errors are there.
fn check(id: &str, schedule: &Value) {
    let mut order: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for (pcpu, vcpu, ..) in planned(schedule) {
        order.entry(pcpu).or_default().push(vcpu);
    }
    for (pcpu, done) in done(schedule) {
        // A vCPU that has a pCPU for the whole window comes and goes at no instant of it.
        let order = order.get(&pcpu).map_or(&[][..], Vec::as_slice);
        // The first one may have been sent in the warm-up, and the last one's turn may not have its end in the window.
        let within = done.get(1..done.len() - 1).unwrap_or_default();
        assert!(is_part_of(within, order), "{id}: {done:?} is not in the order of {order:?}");
    }
    let replay = &schedule["replay"];
    // Results keep the instants of the part of the log that they keep.
    let kept = planned(schedule).len() as u64;
    assert!(kept > 0 && kept <= replay["planned"].as_u64().unwrap(), "{id}: {kept} instants, {replay}");
    let done = replay["done"].as_u64().unwrap();
    assert!(done > 0 || !was_kept(schedule), "{id}: {replay}");
    assert_eq!(done > 0, replay["error_ns"][0].is_number() && replay["error_ns"][1].is_number(), "{replay}");
    assert!(replay["left_over_share"].is_number() && schedule["slice_ratio"].is_null(), "{id}: {replay}");
}

#[test]
fn every_lock_of_a_round_gets_the_same_instants_in_the_same_order() {
    let cells = format!(
        "run --json --rounds 1 --seed 7 --envs {} --locks tas,pv-ticket --spin-threshold 64 --scheduler replay:round-robin \
         --slice 50ms --vcpus 6 --on 2",
        envs()
    );
    let (_, said, results) = said(&cells.split_whitespace().collect::<Vec<_>>());
    let schedules = schedules(&results);
    assert_eq!(schedules.len(), 2 * envs().split(',').count(), "{said}");
    // A window lasts a little longer than it is asked for, so the second run of the log may be a few instants long.
    let log_of = |schedule: &Value| {
        let end = schedule["replay"]["instants"].as_array().unwrap().len().min(50);
        (schedule["replay"]["log"].clone(), planned(schedule)[..end].to_vec())
    };
    let first = log_of(&schedules[0].1);
    for (id, schedule) in &schedules {
        assert!(id.contains("/scheduler=replay:round-robin"), "{id}");
        assert!(
            schedule["replay"]["source"].as_str().unwrap().starts_with("made by round-robin"),
            "{schedule}"
        );
        assert_eq!(log_of(schedule), first, "{id}");
        check(id, schedule);
    }
    for (id, schedule) in &schedules {
        let halts = schedule["halts"].as_u64().unwrap();
        let may_halt = id.starts_with("pv-ticket");
        assert!(
            if may_halt { halts > 0 || !was_kept(schedule) } else { halts == 0 },
            "{id}: {halts}: {said}"
        );
    }
}

#[test]
fn a_recorded_log_is_replayed_on_other_locks_and_what_cannot_be_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join("own.toml");
    let text = "about = 'a log'\nrounds = 1\nwindow = '200ms'\nnoise-floor = false\n[[cells]]\nlocks = ['pv-ticket', 'tas']\n\
        envs = ['emulated']\non = [2]\nvcpus = [3]\npinnings = ['pinned']\nschedulers = ['credit']\nslices = ['50ms']\n";
    std::fs::write(&own, text).unwrap();
    let out = dir.path().join("out");
    let (_, record_said, _) =
        said(&["suite", "--config", own.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    let run =
        std::fs::read_dir(&out).unwrap_or_else(|e| panic!("{e}: {record_said}")).next().unwrap().unwrap();
    let run = run.path().to_str().unwrap().to_owned();
    let cell = "pv-ticket/emulated/short/3v:2p/compact/pinned/scheduler=credit/slice=50ms";
    let log = format!("{run}:{cell}");

    let (_, replay_said, results) = said(&[
        "run",
        "--json",
        "--rounds",
        "1",
        "--envs",
        "emulated",
        "--locks",
        "tas,ticket",
        "--replay",
        &log,
    ]);
    assert!(results["cells"].is_array(), "{record_said}\n{replay_said}");
    let schedules = schedules(&results);
    assert_eq!(schedules.len(), 2, "{replay_said}");
    let hash = schedules[0].1["replay"]["log"].as_str().unwrap().to_owned();
    for (id, schedule) in &schedules {
        assert!(
            id.contains("/3v:2p/") && id.contains(&format!("/scheduler=replay:{hash}/slice=50ms")),
            "{id}"
        );
        assert_eq!(schedule["replay"]["log"], hash.as_str(), "{id}");
        let source = schedule["replay"]["source"].as_str().unwrap();
        assert!(source.contains(cell) && source.ends_with("round 0"), "{source}");
        check(id, schedule);
    }

    let refused = |arguments: &[&str], why: &str| {
        let begin = ["run", "--rounds", "1", "--envs", "emulated", "--locks", "tas"];
        let (status, said, _) = said(&[&begin[..], arguments].concat());
        assert!(status == Some(2) && said.contains(why), "{arguments:?}: {said}");
        assert_eq!(said.trim_end().lines().filter(|line| line.contains(why)).count(), 1, "{said}");
    };
    refused(&["--replay", dir.path().join("nothing").to_str().unwrap()], "cannot read");
    refused(&["--replay", &run], "name one, as RUN:CELL");
    refused(&["--replay", &log.replace("pv-ticket", "pv-tickt")], "did you mean");
    refused(&["--replay", &log, "--vcpus", "4"], "is one of 3 vCPUs on 2 pCPUs");
    refused(&["--replay", &log, "--window", "60s"], "give a shorter --window");
    refused(&["--replay", &log, "--scheduler", "credit"], "leave out --scheduler");
    refused(&["--scheduler", &format!("replay:{hash}"), "--vcpus", "3"], "with --replay RUN:CELL");
}
