//! Several virtual machines that share pCPUs.

use serde_json::Value;

use super::schedules::{ran, said, scenario, was_kept};

/// A file with a scenario of two cases, in which one machine spins for a lock and the other one burns CPU.
fn file(dir: &tempfile::TempDir, change: impl Fn(String) -> String) -> String {
    let text = "about = 'what a test wants'\nrounds = 1\nwindow = '200ms'\nnoise-floor = false\n\
        [[cells]]\ncase = 'alone'\nlocks = ['tas']\nenvs = ['emulated']\non = [1]\n\
        schedulers = ['round-robin']\nslices = ['50ms']\nvms = [{ name = 'guest', vcpus = 2 }]\n\
        [[cells]]\ncase = 'hog'\nlocks = ['tas']\nenvs = ['emulated']\non = [1]\n\
        schedulers = ['round-robin']\nslices = ['50ms']\n\
        vms = [{ name = 'guest', vcpus = 2 }, { name = 'hog', vcpus = 1, lock = 'ticket', workload = 'empty+fixed:100us' }]\n";
    scenario(dir, &change(text.into()))
}

#[test]
fn each_machine_has_a_process_of_its_own_and_all_are_in_one_schedule() {
    let dir = tempfile::tempdir().unwrap();
    let ran = ran(&dir, &file(&dir, |text| text));
    let of = |case: &str| {
        let id = format!(
            "tas/emulated/short/2v:1p/compact/pinned/scenario=own/{case}/scheduler=round-robin/slice=50ms"
        );
        let window = ran.windows.iter().find(|window| window["cell"] == *id);
        window.unwrap_or_else(|| panic!("no {id}: {}", ran.said))
    };
    let names = |round: &Value| {
        let vms = round["vms"].as_array().unwrap();
        vms.iter().map(|vm| vm["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (names(of("alone")), names(of("hog"))),
        (vec!["guest".into()], vec!["guest".into(), "hog".into()])
    );
    for vm in of("hog")["vms"].as_array().unwrap() {
        let operations: u64 = vm["operations"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum();
        assert!(operations > 0 || !was_kept(&of("hog")["schedule"]), "{vm}");
    }
    // vCPU 2 is the hog's: it takes its turns among the guest's.
    let log = of("hog")["schedule"]["log"].as_array().unwrap();
    for vcpu in 0..3 {
        let runs = log.iter().any(|stretch| stretch["vcpu"] == vcpu);
        assert!(runs || !was_kept(&of("hog")["schedule"]), "{log:?}");
    }
}

#[test]
fn a_mistake_is_told_with_its_line_and_field() {
    let dir = tempfile::tempdir().unwrap();
    for (from, to, line, field) in [
        ("name = 'hog', vcpus = 1", "name = 'hog', vcpu = 1", "line 20", "vcpu"),
        ("'ticket'", "'tiket'", "line 20", "tiket"),
        ("rounds = 1", "rounds = 0", "line 2", "rounds"),
        ("rounds = 1", "rounds = 'many'", "line 2", "`rounds`: "),
        ("window = '200ms'", "window = '20ms'", "line 3", "window"),
        ("window = '200ms'", "window = 'long'", "line 3", "`window`"),
        ("noise-floor = false", "noise = false", "line 4", "noise"),
        ("about = 'what", "abut = 'what", "line 1", "abut"),
        ("schedulers = ['round-robin']", "schedulers = ['robin']", "line 10", "robin"),
        ("slices = ['50ms']", "slices = ['1ms', '50ms']", "line 6", "`slices`"),
        ("slices = ['50ms']", "rate = false\nslices = ['50ms']", "line 6", "`rate`"),
        ("vms = [{ name = 'guest', vcpus = 2 }]", "vcpus = [2]", "line 6", "`vms`"),
        ("case = 'alone'\n", "", "line 6", "`case`"),
        ("name = 'hog', vcpus = 1", "name = 'hog', vcpus = 1, weight = 'two'", "line 20", "weight"),
        ("name = 'hog', vcpus = 1", "name = 'hog', vcpus = 1, placement = 'far'", "line 20", "far"),
        ("case = 'hog'\n", "", "line 14", "`case`"),
        (
            "slices = ['50ms']\nvms = [{ name = 'guest', vcpus = 2 }, {",
            "slices = ['5h']\nvms = [{ name = 'guest', vcpus = 2 }, {",
            "line 19",
            "5h",
        ),
    ] {
        let path = file(&dir, |text| text.replacen(from, to, 1));
        let (status, said) = said(&["suite", "--scenario", &path, "--plan-only"]);
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains(line) && said.contains(field), "{to}: {said}");
    }
    let (status, text) = said(&["suite", "--scenario", "friebel-hog", "--vcpus", "3", "--plan-only"]);
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains("as many vCPUs as its `vms` say"), "{text}");
    let (status, said) = said(&["suite", "--scenario", "fribel-hog", "--plan-only"]);
    assert_eq!(status, Some(2));
    assert!(said.contains("did you mean `friebel-hog`"), "{said}");
}

#[test]
fn all_scenarios_can_be_planned_for_a_larger_machine() {
    let (status, said) =
        said(&["suite", "--scenario", "all", "--plan-only", "--topology", "pack:2 numa:1 core:4 pu:2"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.contains("scenario=friebel-hog/hog") && said.contains("scenario=overcommit-designs/"),
        "{said}"
    );
}

/// The rounds of a scenario of one case in which a guest that spins shares a pCPU with this neighbour, in each environment.
fn beside(neighbour: &str) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap();
    let envs = if super::real_vcpus::has_kvm() { "'emulated', 'kvm'" } else { "'emulated'" };
    let path = file(&dir, |text| {
        let text = text.replace(
            "schedulers = ['round-robin']\nslices = ['50ms']",
            "schedulers = ['credit']\nslices = ['10ms']",
        );
        let text = text.replace("envs = ['emulated']", &format!("envs = [{envs}]"));
        text.replace(
            "lock = 'ticket', workload = 'empty+fixed:100us'",
            &format!("lock = 'tas', workload = '{neighbour}'"),
        )
    });
    let out = dir.path().join("out");
    let (_, said) = said(&["suite", "--scenario", &path, "--out", out.to_str().unwrap()]);
    let run = std::fs::read_dir(&out).unwrap_or_else(|e| panic!("{e}: {said}")).next().unwrap().unwrap();
    let lines = std::fs::read_to_string(run.path().join("rounds.jsonl")).unwrap();
    let rounds = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let rounds: Vec<Value> =
        rounds.filter(|line| line["cell"].as_str().is_some_and(|id| id.contains("/hog/"))).collect();
    assert_eq!(rounds.len(), envs.split(',').count(), "{said}");
    rounds
}

fn operations(round: &Value, vm: usize) -> u64 {
    round["vms"][vm]["operations"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum()
}

#[test]
fn a_neighbour_that_sleeps_halts_and_its_timer_wakes_it() {
    for round in beside("work:50us+sleep:1ms") {
        // vCPU 2 is the neighbour's, and nobody kicks it.
        let log = round["schedule"]["log"].as_array().unwrap();
        let own: Vec<&Value> = log.iter().filter(|stretch| stretch["vcpu"] == 2).collect();
        let halts = own.iter().filter(|stretch| stretch["end"] == "halted").count();
        let woken = halts > 1 && own.len() > halts / 2 && operations(&round, 1) > 1;
        assert!(woken || !was_kept(&round["schedule"]), "{round}");
    }
}

#[test]
fn a_neighbour_that_streams_through_memory_runs_in_every_environment() {
    for round in beside("memory:4") {
        assert!(operations(&round, 1) > 0 || !was_kept(&round["schedule"]), "{round}");
    }
}

#[test]
fn a_workload_that_sleeps_is_refused_where_no_timer_would_wake_it() {
    let arguments = "run --envs emulated --locks tas --vcpus 1 --workloads short+sleep --rounds 1";
    let (status, text) = said(&arguments.split(' ').collect::<Vec<_>>());
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains("sleep until a timer of the emulated hypervisor wakes them"), "{text}");
}
