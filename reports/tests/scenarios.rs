//! What a scenario is said to have shown, and that its cases are judged as nothing else.

mod fixture;

use lockbench_reports::derive::derive;
use lockbench_reports::judge::briefs::briefs;
use lockbench_reports::judge::scenarios::scenarios;
use lockbench_reports::judge::verdicts::{judged, steps};
use lockbench_reports::record::{Case, CellAxes, Line, Results, Vm, VmMeasured};
use lockbench_reports::show::ending::{Layout, ending};

/// The cells of two locks in emulated vCPUs at 1x and 2x, as the cases `alone` and `hog` of a scenario.
fn results() -> Results {
    let mut lines = fixture::lines(7, 1.0);
    let wanted = |axes: &CellAxes| {
        ["ticket", "pv-queued"].contains(&axes.lock.as_str())
            && axes.env == "emulated"
            && axes.workload.name == "short+exp"
            && axes.params.is_empty()
            && axes.pcpus.len() == 2
            && [2, 4].contains(&axes.vcpus)
    };
    let mut ids = Vec::new();
    if let Line::Header(header) = &mut lines[0] {
        header.cells.retain(wanted);
        for axes in &mut header.cells {
            ids.push(axes.id.clone());
            let hog = axes.vcpus == 4;
            axes.case = Some(case(if hog { "hog" } else { "alone" }, hog));
        }
    }
    for line in &mut lines {
        let Line::Round(round) = line else { continue };
        let hog = round.cell.contains("/4v:2p/");
        if let lockbench_reports::record::Outcome::Measured(measured) = &mut round.outcome {
            let vm = |name: &str, share: f64| VmMeasured {
                name: name.into(),
                operations: vec![1, 1],
                on_cpu_share: vec![share; 2],
            };
            measured.vms = if hog { vec![vm("guest", 0.6), vm("hog", 0.4)] } else { vec![vm("guest", 1.0)] };
        }
    }
    lines.retain(|line| match line {
        Line::Round(round) => ids.contains(&round.cell),
        _ => true,
    });
    derive(lines.into_iter())
}

fn case(name: &str, hog: bool) -> Case {
    let vm = |name: &str| Vm {
        name: name.into(),
        vcpus: 2,
        weight: 256,
        cap_pcpus: None,
        lock: None,
        workload: None,
    };
    let mut vms = vec![vm("guest")];
    vms.extend(hog.then(|| vm("hog")));
    Case { scenario: "friebel-hog".into(), shows: "what a hog does".into(), name: name.into(), vms }
}

#[test]
fn a_scenario_says_what_each_lock_keeps_of_its_first_case_and_who_had_the_pcpus() {
    let results = results();
    let scenarios = scenarios(&results);
    assert_eq!(scenarios.len(), 1);
    let [sentence] = &scenarios[0].sentences()[..] else { panic!("{:?}", scenarios[0].sentences()) };
    assert!(
        sentence.starts_with("hog, emulated: of its rate in `alone` guest keeps pv-queued "),
        "{sentence}"
    );
    assert!(sentence.contains(", ticket "), "{sentence}");
    assert!(sentence.ends_with("The pCPUs' time went to guest 60.0 %, hog 40.0 %."), "{sentence}");
    // The figures are those of the cells.
    for lock in &scenarios[0].cases[0].locks {
        let rate = |vcpus: u32| {
            let cell = results
                .cells
                .iter()
                .find(|cell| cell.axes.lock == lock.cell.axes.lock && cell.axes.vcpus == vcpus);
            cell.unwrap().ops_per_second.unwrap().median
        };
        let kept = lock.kept.unwrap();
        let medians = rate(4) / rate(2);
        assert!(kept.low <= medians * 1.02 && medians * 0.98 <= kept.high, "{kept:?} and {medians}");
    }
}

#[test]
fn cases_are_no_steps_of_overcommit_and_a_run_of_scenarios_says_nothing_else() {
    let results = judged(&results()).into_owned();
    assert!(steps(&results).is_empty());
    assert!(results.cells.iter().all(|cell| cell.verdict.is_none()));
    let briefs = briefs(&results);
    assert_eq!(briefs.len(), 1, "{briefs:?}");
    let end = ending(&results, Layout::PLAIN);
    assert!(end.starts_with("scenario   friebel-hog: hog, emulated:"), "{end}");
}

/// Fewer rounds than a verdict needs have no range that could be believed.
#[test]
fn a_lock_with_too_few_rounds_of_both_cases_is_named_without_a_figure() {
    let mut results = results();
    let id = |cell: &lockbench_reports::record::Cell| cell.axes.lock == "ticket" && cell.axes.vcpus == 4;
    let ticket = results.cells.iter_mut().find(|cell| id(cell)).unwrap();
    ticket.rounds.retain(|round| round.round < 2);
    let sentence = scenarios(&results)[0].sentences().remove(0);
    assert!(
        sentence.contains("Of ticket it cannot be told (2 rounds usable of both; 5 are needed)."),
        "{sentence}"
    );
    assert!(!sentence.contains(", ticket "), "{sentence}");
}
