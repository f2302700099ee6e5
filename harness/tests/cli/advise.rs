//! Advice from the runs of this machine.

use super::lockbench;

fn advise(args: &[&str]) -> (Option<i32>, String, String) {
    let output = lockbench().arg("advise").args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn without_evidence_it_says_what_it_would_measure() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("none");
    let (status, said, _) =
        advise(&["--vcpus", "2", "--on", "1", "--section", "500ns", "--out", out.to_str().unwrap()]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("holds no run.") && said.contains("--measure does so now"), "{said}");
    assert!(said.contains("sections of 500 ns") && said.contains("2 vCPUs on 1 CPU,"), "{said}");
    assert!(!out.exists(), "nothing is made without --measure");
}

#[test]
fn a_run_of_this_machine_is_evidence_with_its_date() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let config = dir.path().join("two.toml");
    let text = "about = 'for tests'\nrounds = 1\nwindow = '100ms'\nnoise-floor = false\n[[cells]]\n\
        locks = ['ticket', 'std-mutex']\nenvs = ['emulated']\nworkloads = ['work:500ns']\nvcpus = [1, 2]\non = ['1']\n";
    std::fs::write(&config, text).unwrap();
    lockbench().args(["suite", "--out", out, "--config"]).arg(&config).assert().success();
    let asked = ["--vcpus", "2", "--on", "1", "--section", "400ns", "--out", out];
    let (status, said, why) = advise(&[&asked[..], &["--lock", "ticket"]].concat());
    assert_eq!(status, Some(0), "{why}");
    assert!(
        said.starts_with("For 2 vCPUs on 1 CPU with sections of about 400 ns (emulated), best first:"),
        "{said}"
    );
    assert!(said.contains("std-mutex") && said.contains("ticket is number "), "{said}");
    let run = std::fs::read_dir(out).unwrap().find_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.contains("-two-").then_some(name)
    });
    let run = run.unwrap();
    assert!(said.contains(&run), "the evidence is named: {said}");
    a_night_of_a_history_is_evidence_with_its_date(dir.path(), &run);
    let (_, said, _) = advise(&["--vcpus", "2", "--on", "1", "--section", "50us", "--out", out]);
    assert!(said.contains("None of the 1 newest runs"), "a section of another length is no evidence: {said}");
}

/// Without the run's directory its night in a history answers, and is named with its date.
fn a_night_of_a_history_is_evidence_with_its_date(dir: &std::path::Path, run: &str) {
    let history = dir.join("nights.db");
    let none = dir.join("none");
    let [history, none] = [&history, &none].map(|path| path.to_str().unwrap());
    lockbench().args(["history", "add", "--history", history]).arg(dir.join(run)).assert().success();
    let asked = ["--vcpus", "2", "--on", "1", "--out", none, "--history", history, "--section"];
    let (status, said, why) = advise(&[&asked[..], &["400ns"]].concat());
    assert_eq!(status, Some(0), "{why}");
    let day = format!("{}-{}-{}", &run[..4], &run[4..6], &run[6..8]);
    assert!(said.contains(&format!("{run} of {day} (history)")), "{said}");
    assert!(said.contains("A history keeps neither shares nor waits."), "{said}");
    let (_, said, _) = advise(&[&asked[..], &["50us"]].concat());
    assert!(said.contains("None of the 1 newest nights of this machine in the history measured"), "{said}");
    let missing = dir.join("missing.db");
    let missing = ["--history", missing.to_str().unwrap()];
    let (status, ..) = advise(&[&asked[..6], &missing[..], &["--section", "400ns"]].concat());
    assert_eq!(status, Some(2), "a history that is asked for must be there");
}

#[test]
fn what_cannot_be_asked_is_a_sentence() {
    for (args, why) in
        [(["--vcpus", "4", "--on", "5000"], "--on"), (["--vcpus", "4", "--on", "4000"], "give --on 1 to")]
    {
        let (status, _, said) = advise(&[&args[..], &["--section", "1us"]].concat());
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains(why) && said.lines().count() == 1, "{said}");
    }
    let (status, _, said) = advise(&["--vcpus", "4", "--on", "1", "--section", "1us", "--lock", "nix"]);
    assert_eq!(status, Some(2));
    assert!(said.contains("no lock `nix`"), "{said}");
}
