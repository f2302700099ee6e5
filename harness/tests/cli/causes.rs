//! The figures of traced windows add up, whatever else the machine was doing.

use serde_json::Value;

use super::lockbench;

fn sum(object: &Value) -> u64 {
    object.as_object().unwrap().values().map(|value| value.as_u64().unwrap()).sum()
}

fn counted(histogram: &Value) -> u64 {
    histogram["buckets"].as_array().unwrap().iter().map(|bucket| bucket[1].as_u64().unwrap()).sum()
}

#[test]
fn the_five_classes_of_a_locks_time_are_the_window() {
    let output = lockbench()
        .args(["run", "--json", "--rounds", "1", "--envs", "emulated", "--overcommit", "2"])
        .args(["--locks", "ticket,tas,pv-ticket", "--latency", "--trace", "--window", "200ms"])
        .output()
        .unwrap();
    let results: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    let mut windows = 0;
    for cell in results["cells"].as_array().unwrap() {
        for round in cell["rounds"].as_array().unwrap().iter().filter(|round| round["purpose"] != "rate") {
            let (causes, id) = (&round["causes"], &cell["id"]);
            let window = round["window_ns"].as_u64().unwrap() as f64;
            let parts = sum(&causes["time"]) as f64;
            assert!((parts / window - 1.0).abs() < 0.01, "{id}: {} of {window} ns", causes["time"]);
            let vcpus = causes["vcpus"].as_array().unwrap();
            assert_eq!(vcpus.len(), cell["vcpus"].as_u64().unwrap() as usize, "{id}");
            let off: u64 = vcpus.iter().map(|vcpu| vcpu["granted_off"].as_u64().unwrap()).sum();
            assert_eq!(causes["granted_off"], off, "{id}");
            let handed: u64 =
                causes["matrix"].as_array().unwrap().iter().map(|pair| pair["count"].as_u64().unwrap()).sum();
            // The matrix is read first at the opening and last at the end, while the vCPUs go on. A vCPU books a handover
            // in the matrix while it holds the lock and in the histogram afterwards: where a vCPU is preempted between
            // the two, the opening may fall between them, at most once for each vCPU.
            let counted_after = counted(&causes["handover"]);
            assert!(
                handed + vcpus.len() as u64 >= counted_after,
                "{id}: {handed} in the matrix, {counted_after}"
            );
            // Counted from the second acquisition of each vCPU on; 1, twice in a row, is the smallest value.
            let acquisitions = &causes["reacquire_turns"];
            assert!(counted(acquisitions) > 0, "{id}: {acquisitions}");
            assert!(acquisitions["buckets"][0][0].as_u64().unwrap() >= 1, "{id}: {acquisitions}");
            let gaps = &causes["gaps"];
            let gap = |name: &str| gaps[name].as_u64().unwrap();
            let seen = gap("holding") + gap("waiting") + gap("thinking");
            assert!(gap("above_ns") >= 50_000 && gap("total_ns") >= seen * gap("above_ns"), "{id}: {gaps}");
            assert!((seen == 0) == (gap("longest_ns") == 0), "{id}: {gaps}");
            // None where a window happened to see no handover.
            assert!(causes["trace"].is_null() || round["purpose"] == "trace", "{id}");
            if let Some(events) = causes["trace"]["events"].as_array() {
                let at = |event: &Value| event["at_ns"].as_u64().unwrap();
                assert!(
                    events.windows(2).all(|pair| at(&pair[0]) <= at(&pair[1])),
                    "{id}: not in order of time"
                );
            }
            windows += 1;
        }
    }
    assert_eq!(windows, 6, "three locks, two purposes each");
}
