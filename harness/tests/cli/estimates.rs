//! A run whose rounds take longer than planned stops between two rounds, and says so.

use std::fs;

use serde_json::Value;

use super::misbehaving;

#[test]
fn a_suite_whose_rounds_take_too_long_stops_between_rounds_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("own.toml");
    // A lock that never grants costs its round 2 s, however fast the machine; by the plan a round takes 0.2 s.
    let text = "about = 'for tests'\nrounds = 3\nwindow = '100ms'\nnoise-floor = false\n[[cells]]\nlocks = ['shut']\n\
        envs = ['emulated']\nworkloads = ['short']\nvcpus = [2]\n";
    fs::write(&config, text).unwrap();
    let out = dir.path().join("out");
    let suite = |time: &str| {
        let output = misbehaving()
            .args(["suite", "--time", time, "--config"])
            .arg(&config)
            .arg("--out")
            .arg(out.join(time))
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let run = fs::read_dir(out.join(time)).unwrap().next().unwrap().unwrap().path();
        let results: Value = serde_json::from_slice(&fs::read(run.join("results.json")).unwrap()).unwrap();
        (said, results, fs::read_to_string(run.join("report.html")).unwrap())
    };
    let (said, results, page) = suite("2500ms");
    assert!(said.contains("stopped after 1 of 3 rounds: "), "{said}");
    assert!(said.contains("the 2.50 s asked for"), "{said}");
    assert_eq!(results["stopped"]["rounds"], 1);
    assert_eq!(results["interrupted"], false);
    assert!(page.contains("stopped after 1 of 3 rounds"));
    let (said, results, _) = suite("1h");
    assert!(!said.contains("stopped after") && results["stopped"].is_null(), "{said}");
}
