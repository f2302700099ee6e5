//! Specs of windows, by which `duel` drives builds of other versions.

use serde_json::Value;

use super::{TIMING, of_group};
use crate::Error;
use crate::cell::WindowSpec;
use lockbench_reports::record::Purpose;

/// Specs that release 0.1 wrote, and the group of cells that they are of.
const OF_0_1: [(&str, &str); 2] = [
    (
        include_str!("../../../tests/specs/0.1-early-wait.json"),
        "locks = 'pv-queued'\nenvs = 'emulated'\nworkloads = 'lines:8+exp'\nvcpus = 4\nspin-thresholds = 64\n\
         early-waits = 'always'\nprobe = 'off'\npinnings = 'floating'\nslices = '4000us'",
    ),
    (
        include_str!("../../../tests/specs/0.1-arrivals.json"),
        "locks = 'ticket'\nenvs = 'native'\narrivals = 1e5",
    ),
];

fn read(value: &Value) -> Result<WindowSpec, Error> {
    let spec: WindowSpec = serde_json::from_value(value.clone()).map_err(|e| Error::usage(e.to_string()))?;
    spec.check().map(|()| spec)
}

#[test]
fn a_spec_of_0_1_is_read_and_written_as_it_was() {
    for (text, _) in OF_0_1 {
        let written: Value = serde_json::from_str(text).unwrap();
        let spec = read(&written).unwrap();
        assert_eq!(serde_json::to_value(&spec).unwrap(), written, "0.1 would read this");
    }
}

#[test]
fn a_cell_of_0_1_is_the_same_cell_today() {
    for (text, keys) in OF_0_1 {
        let written: Value = serde_json::from_str(text).unwrap();
        let cells = of_group(&keys.replace("exp'", "exp:1000ns'"), "core:2 pu:1").cells;
        let spec = serde_json::to_value(cells[0].window(&TIMING, 0, Purpose::Rate, 0, true)).unwrap();
        for field in ["axes", "spin_threshold", "slice_ns", "early_wait", "memory_nodes", "vcpu_nodes"] {
            assert_eq!(spec.get(field), written.get(field), "{field}");
        }
        let fields = |spec: &Value| spec.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(fields(&spec), fields(&written), "0.1 refuses a field that it does not know");
    }
}

#[test]
fn a_spec_that_asks_for_what_this_build_would_pass_over_is_refused() {
    let altered = |alter: fn(&mut Value)| {
        let mut spec: Value = serde_json::from_str(OF_0_1[0].0).unwrap();
        alter(&mut spec);
        read(&spec).unwrap_err().to_string()
    };
    let said = altered(|spec| spec["axes"]["params"]["colour"] = "red".into());
    assert!(said.contains("no axis `colour`"), "{said}");
    let said = altered(|spec| spec["needs"] = Value::from(vec!["colour"]));
    assert!(said.contains("is not what its axes say"), "{said}");
    let said = altered(|spec| spec["spin_threshold"] = 65.into());
    assert!(said.contains("is not what its axes say"), "{said}");
    let said = altered(|spec| spec["colour"] = "red".into());
    assert!(said.contains("unknown field `colour`"), "{said}");
    let said = altered(|spec| spec["axes"]["pinning"] = "loose".into());
    assert!(said.contains("unknown pinning"), "{said}");
    let said = altered(|spec| spec["axes"]["workload"]["think"] = "hard".into());
    assert!(said.contains("unknown think time"), "{said}");
}
