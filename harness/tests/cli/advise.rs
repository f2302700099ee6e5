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
    assert!(said.contains(&run.unwrap()), "the evidence is named: {said}");
    let (_, said, _) = advise(&["--vcpus", "2", "--on", "1", "--section", "50us", "--out", out]);
    assert!(said.contains("None of the 1 newest runs"), "a section of another length is no evidence: {said}");
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
