//! A window that something reached into is repeated once, and left out if that happened again.

use super::misbehaving;

/// One cell of a lock that disturbs its own windows, and one that does not.
fn run(lock: &str) -> (serde_json::Value, serde_json::Value) {
    let locks = format!("{lock},ticket");
    let args = ["run", "--json", "--envs", "native", "--vcpus", "2", "--rounds", "2", "--locks", &locks];
    let output = misbehaving().args(args).output().unwrap();
    let results: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    let cell = |name: &str| {
        let cells = results["cells"].as_array().unwrap();
        cells.iter().find(|cell| cell["lock"] == name).unwrap_or_else(|| panic!("no cell of {name}")).clone()
    };
    (cell(lock), cell("ticket"))
}

/// No window of the first cell is believed, for this reason; none of the second was taken for disturbed.
fn is_left_out(lock: &str, reason: &str) {
    let (cell, ticket) = run(lock);
    for window in cell["rounds"].as_array().unwrap() {
        let disturbed = window["disturbed"].as_str().unwrap_or_else(|| panic!("taken for good: {window}"));
        assert!(disturbed.contains(reason), "{disturbed}");
        assert_eq!(window["placed"], serde_json::json!([]), "{window}");
        assert!(window.get("steady").is_none(), "{window}");
    }
    assert!(cell["ops_per_second"].is_null(), "{cell}");
    assert_eq!(cell["windows_used"], 0, "{cell}");
    let notes = cell["notes"].to_string();
    assert!(notes.contains("2 of 2 windows left out: ") && notes.contains(reason), "{notes}");
    for window in ticket["rounds"].as_array().unwrap() {
        assert!(window.get("disturbed").is_none(), "{window}");
        assert_eq!(window["placed"].as_array().map(Vec::len), Some(2), "{window}");
    }
}

#[test]
fn a_window_whose_pins_were_changed_is_left_out() {
    is_left_out("wandering", "was found free to run on CPU");
}

#[test]
fn a_window_in_which_a_vcpu_got_another_nice_value_is_left_out() {
    is_left_out("renicing", "was given a nice value of 7");
}

#[test]
fn a_window_in_which_the_cell_was_stopped_is_left_out() {
    is_left_out("stopping", "the cell's process was stopped");
}
