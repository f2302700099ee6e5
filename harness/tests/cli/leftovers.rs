//! Many cells under the emulated hypervisor pile nothing up in the program: no descriptor, no thread, no mapping.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::real_vcpus::has_kvm;

const ROUNDS: usize = 3;
/// What may come and go between two looks at the program; one of anything kept for each cell is more.
const COMES_AND_GOES: usize = 5;

/// What a process has: descriptors, threads, mappings.
fn holdings(pid: u32) -> Option<[usize; 3]> {
    let process = format!("/proc/{pid}");
    let entries = |folder| Some(fs::read_dir(format!("{process}/{folder}")).ok()?.count());
    let mappings = fs::read_to_string(format!("{process}/maps")).ok()?.lines().count();
    Some([entries("fd")?, entries("task")?, mappings]).filter(|holdings| holdings.iter().all(|&n| n > 0))
}

/// The least of each, which is what there is between two cells.
fn least(looks: &[[usize; 3]]) -> [usize; 3] {
    [0, 1, 2].map(|kind| looks.iter().map(|look| look[kind]).min().expect("there were looks"))
}

#[test]
fn cells_of_several_virtual_machines_leave_nothing_in_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let envs = if has_kvm() { "'emulated', 'kvm'" } else { "'emulated'" };
    let case = |scheduler: &str, name: &str, vms: &str| {
        format!(
            "[[cells]]\ncase = '{name}-{scheduler}'\nlocks = ['pv-ticket']\nenvs = [{envs}]\non = [1]\n\
             schedulers = ['{scheduler}']\nslices = ['10ms']\nvms = [{vms}]\n"
        )
    };
    let guest = "{ name = 'guest', vcpus = 2 }";
    let two = format!("{guest}, {{ name = 'other', vcpus = 1 }}");
    let cases = ["round-robin", "credit", "gang"].map(|by| case(by, "alone", guest) + &case(by, "two", &two));
    let text = format!(
        "about = 'what a test wants'\nrounds = {ROUNDS}\nwindow = '100ms'\nnoise-floor = false\n{}",
        cases.concat()
    );
    let scenario = dir.path().join("own.toml");
    fs::write(&scenario, text).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_lockbench"))
        .args(["suite", "--scenario", scenario.to_str().unwrap(), "--out"])
        .arg(dir.path().join("out"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut looks = Vec::new();
    let ended = loop {
        if let Some(ended) = program.try_wait().unwrap() {
            break ended;
        }
        looks.extend(holdings(program.id()));
        std::thread::sleep(Duration::from_millis(2));
    };
    // Whether the schedules were kept depends on what else runs, and so does the exit status.
    let run = fs::read_dir(dir.path().join("out"))
        .unwrap_or_else(|e| panic!("{e}: {ended}"))
        .next()
        .unwrap()
        .unwrap();
    let journal = fs::read_to_string(run.path().join("rounds.jsonl")).unwrap();
    let windows = journal.lines().filter(|line| line.contains(r#""line":"round""#)).count();
    assert!(windows >= 6 * ROUNDS, "{windows} windows, {ended}");
    // The first looks are at the set-up, and the last ones at the report's making.
    let third = looks.len() / 3;
    let (early, late) =
        (least(&looks[third / 2..third]), least(&looks[looks.len() - third..looks.len() - third / 2]));
    for (kind, (early, late)) in
        ["descriptors", "threads", "mappings"].into_iter().zip(early.into_iter().zip(late))
    {
        assert!(late <= early + COMES_AND_GOES, "{early} {kind} became {late}");
    }
}
