//! Pools of a case, the shares that its machines should have, and what is said of those that they had.

use lockbench_reports::derive::derive;
use lockbench_reports::derive::timeslice::timeslice;
use lockbench_reports::format::significant;
use lockbench_reports::judge::scenarios::scenarios;
use lockbench_reports::judge::scenarios::shares::worst;
use lockbench_reports::record::{
    Answer, Case, Change, Layout, Line, Move, Moved, Outcome, Pool, Results, Schedule, Scheduler, Stretch,
    StretchEnd, Vm, VmMeasured,
};
use lockbench_reports::show::ending::{Layout as Page, ending};
use lockbench_reports::show::html;

use crate::fixture;

fn pool(name: &str, pcpus: &[u32]) -> Pool {
    Pool { name: name.into(), pcpus: pcpus.to_vec(), scheduler: None, slice_ns: None }
}

fn vm(name: &str, weight: u32, pool: &str) -> Vm {
    Vm { weight, pool: Some(pool.into()), ..Vm::usual(name, 1) }
}

fn to(at_ns: u64, vm: &str, pool: &str) -> Move {
    Move { at_ns, change: Change::Vm { name: vm.into(), pool: pool.into() } }
}

/// Two customers with a pCPU each, of whom one has three machines.
fn customers() -> Case {
    Case {
        scenario: "cpupools".into(),
        name: "pools".into(),
        pools: vec![pool("a", &[0]), pool("b", &[1])],
        vms: vec![vm("large", 4, "a"), vm("middle", 2, "a"), vm("small", 1, "a"), vm("other", 1, "b")],
        answer: Answer::Shares,
        ..Case::default()
    }
}

/// Results of one cell with this case, whose machines had these parts of one pCPU in so many rounds.
fn results(case: &Case, had: [f64; 4], rounds: u32) -> Results {
    let mut lines = fixture::lines(7, 1.0);
    let (mut id, mut pcpus) = (String::new(), Vec::new());
    if let Line::Header(header) = &mut lines[0] {
        header.cells.retain(|axes| {
            (axes.lock.as_str(), axes.env.as_str(), axes.workload.name.as_str())
                == ("ticket", "emulated", "short+exp")
                && axes.params.is_empty()
                && (axes.pcpus.len(), axes.vcpus) == (2, 4)
        });
        let axes = &mut header.cells[0];
        axes.case = Some(case.clone());
        axes.scheduler = Scheduler::Credit;
        id.clone_from(&axes.id);
        pcpus.clone_from(&axes.pcpus);
        header.cells.truncate(1);
    }
    lines.retain(|line| match line {
        Line::Round(round) => round.cell == id && round.round < rounds,
        _ => true,
    });
    for line in &mut lines {
        let Line::Round(round) = line else { continue };
        let Outcome::Measured(measured) = &mut round.outcome else { continue };
        let vms = case.vms.iter().zip(had);
        measured.vms = vms
            .map(|(vm, had)| VmMeasured {
                name: vm.name.clone(),
                operations: vec![1],
                on_cpu_share: vec![had],
            })
            .collect();
        let moved = Moved { asked_ns: 500, done_ns: Some(40_500) };
        let stretch = |(vcpu, pcpu): (usize, &u32)| {
            Stretch::of_vcpu(*pcpu, vcpu as u32, 0, 90_000_000, StretchEnd::Open)
        };
        measured.schedule = Some(Schedule {
            slice_ns: 10_000_000,
            moves: vec![moved; case.moves.len()],
            log: pcpus.iter().enumerate().map(stretch).collect(),
            ..Schedule::default()
        });
    }
    derive(lines.into_iter())
}

fn shares(results: &Results) -> Vec<(f64, f64)> {
    let scenarios = scenarios(results);
    let entry = scenarios[0].rows[0].entries[0].clone().unwrap();
    entry.shares().unwrap().unwrap().iter().map(|share| (share.had, share.ideal)).collect()
}

fn assert_ideal(case: &Case, expected: [f64; 4]) {
    for ((_, ideal), expected) in shares(&results(case, [0.5; 4], 6)).into_iter().zip(expected) {
        assert!((ideal - expected).abs() < 1e-6, "{ideal}, not {expected}");
    }
}

#[test]
fn machines_of_a_pool_should_share_it_by_their_weights() {
    assert_ideal(&customers(), [2.0 / 7.0, 1.0 / 7.0, 0.5 / 7.0, 0.5]);
    // The same customers by masks on the whole machine.
    let mut masks = customers();
    masks.pools.clear();
    for vm in &mut masks.vms {
        vm.hard = vec![u32::from(vm.pool.take().unwrap() == "b")];
    }
    assert_ideal(&masks, [2.0 / 7.0, 1.0 / 7.0, 0.5 / 7.0, 0.5]);
}

#[test]
fn a_move_in_the_middle_of_the_window_changes_the_shares_from_then_on() {
    let mut case = customers();
    let window_ns = fixture_window_ns(&case);
    case.moves = vec![to(window_ns / 2, "large", "b")];
    let before = [2.0 / 7.0, 1.0 / 7.0, 0.5 / 7.0, 0.5];
    let after = [0.4, 1.0 / 3.0, 0.5 / 3.0, 0.1];
    assert_ideal(&case, std::array::from_fn(|vm| (before[vm] + after[vm]) / 2.0));
}

fn fixture_window_ns(case: &Case) -> u64 {
    let results = results(case, [0.5; 4], 6);
    results.cells[0].rounds[0].measured().unwrap().window_ns
}

#[test]
fn machines_with_a_part_of_their_pcpus_in_common_have_no_ideal_share() {
    let mut case = customers();
    case.pools.clear();
    case.vms.iter_mut().for_each(|vm| vm.pool = None);
    case.vms[0].hard = vec![0];
    let results = results(&case, [0.5; 4], 6);
    let scenario = &scenarios(&results)[0];
    let untold = scenario.untold().concat();
    assert!(untold.contains("have no ideal share"), "{untold}");
    assert!(scenario.answer().contains("cannot be told"), "{}", scenario.answer());
}

#[test]
fn a_scenario_of_shares_says_how_far_each_case_is_from_the_ideal() {
    let mut case = customers();
    case.moves = vec![to(u64::MAX, "large", "b")];
    let results = results(&case, [0.4, 0.3, 0.3, 1.0], 6);
    let scenario = &scenarios(&results)[0];
    let all = scenario.rows[0].entries[0].as_ref().unwrap().shares().unwrap().unwrap();
    let worst = worst(&all).unwrap();
    assert_eq!(worst.vm.name, "large");
    assert!((worst.off() - 100.0 * (2.0 / 7.0 - 0.2)).abs() < 1e-6, "{}", worst.off());
    let answer = scenario.answer();
    assert_eq!(
        answer,
        "Machines are off their ideal shares of the pCPUs' time by up to 8.57 points in `pools` (emulated: large 20.0 % instead of \
         28.6 %)."
    );
    let findings = scenario.findings().concat();
    assert!(findings.contains("small had 15.0 % (ideal: 7.14 %)"), "{findings}");
    assert!(findings.contains("every move was done within 40.0 µs after it was asked for"), "{findings}");
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    assert!(page.contains("8.57\u{a0}points") || page.contains("8.57 points"));
    assert!(ending(&results, Page::PLAIN).contains("off by 8.57 points"));
}

#[test]
fn the_answer_has_a_figure_for_each_case_and_the_machine_where_it_is_most() {
    let mut all = results(&customers(), [0.4, 0.3, 0.3, 1.0], 6);
    let masks = Case { name: "masks".into(), ..customers() };
    all.cells.extend(results(&masks, [0.3, 0.4, 0.3, 1.0], 6).cells);
    let close = Case { name: "moved".into(), ..customers() };
    all.cells.extend(results(&close, [0.57, 0.29, 0.14, 1.0], 6).cells);
    let scenario = &scenarios(&all)[0];
    let off = |at: usize| {
        let shares = scenario.rows[0].entries[at].as_ref().unwrap().shares().unwrap().unwrap();
        worst(&shares).unwrap().off()
    };
    assert!(off(1) > off(0) && off(0) > off(2), "{} {} {}", off(0), off(1), off(2));
    assert_eq!(
        scenario.answer(),
        format!(
            "Machines are off their ideal shares of the pCPUs' time by up to {} points in `pools`, {} points in `masks` (emulated: \
             large 15.0 % instead of 28.6 %), {} points in `moved`.",
            significant(off(0)),
            significant(off(1)),
            significant(off(2))
        )
    );
}

#[test]
fn moves_that_were_not_taken_up_or_not_done_are_counted_and_told() {
    let mut case = customers();
    case.moves = vec![to(1, "large", "b"), to(2, "large", "a")];
    let mut results = results(&case, [0.4, 0.3, 0.3, 1.0], 6);
    let findings = |results: &Results| scenarios(results)[0].findings().concat();
    assert!(findings(&results).contains("every move was done within"), "{}", findings(&results));
    let change = |results: &mut Results, round: usize, change: fn(&mut Vec<Moved>)| {
        let Outcome::Measured(measured) = &mut results.cells[0].rounds[round].outcome else { panic!() };
        change(&mut measured.schedule.as_mut().unwrap().moves);
    };
    change(&mut results, 0, Vec::clear);
    change(&mut results, 1, |moves| moves.truncate(1));
    assert!(
        findings(&results).contains("; 3 moves not taken up before the window ended."),
        "{}",
        findings(&results)
    );
    change(&mut results, 2, |moves| moves[1].done_ns = None);
    let said = findings(&results);
    let both = "; 1 move not done when the window ended; 3 moves not taken up before the window ended.";
    assert!(said.contains(both), "{said}");
}

#[test]
fn a_cell_has_the_timeslice_of_its_pools_and_none_where_these_differ() {
    let slices = |own: [Option<u64>; 2]| {
        let mut case = customers();
        case.pools.iter_mut().zip(own).for_each(|(pool, own)| pool.slice_ns = own);
        let mut results = results(&case, [0.4, 0.3, 0.3, 1.0], 6);
        let cell = &mut results.cells[0];
        for round in &mut cell.rounds {
            let Outcome::Measured(measured) = &mut round.outcome else { panic!() };
            measured.schedule.as_mut().unwrap().slice_ratio = Some([1.5, 2.0]);
        }
        let cell = results.cells[0].clone();
        timeslice(&results, &cell).map(|slice| slice.median)
    };
    assert_eq!(slices([None; 2]), Some(15e6), "the cell's 10 ms");
    assert_eq!(slices([Some(2_000_000); 2]), Some(3e6));
    assert_eq!(slices([Some(2_000_000), None]), None);
}

#[test]
fn the_lanes_have_the_names_of_their_pools_and_the_moments_of_moves() {
    let mut case = customers();
    case.moves = vec![to(0, "large", "b")];
    let results = results(&case, [0.4, 0.3, 0.3, 1.0], 6);
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    for (number, pool) in ["a", "b"].into_iter().enumerate() {
        let lane = format!("P{}, {pool}", results.cells[0].axes.pcpus[number]);
        assert!(page.contains(&lane), "no {lane}");
    }
    assert!(page.contains("went to another pool"));
}

#[test]
fn shares_of_too_few_windows_are_not_told() {
    let results = results(&customers(), [0.4, 0.3, 0.3, 1.0], 4);
    let untold = scenarios(&results)[0].untold().concat();
    assert!(untold.contains("4 usable rounds; 5 are needed"), "{untold}");
}

#[test]
fn what_cannot_be_is_refused_with_the_field_and_a_sentence() {
    type Spoil = fn(&mut Case);
    let wrong: [(Spoil, &str, &str); 12] = [
        (|case| case.pools[1].pcpus = vec![0], "pools", "pCPU 0 is in pool a"),
        (|case| case.pools[1].name = "a".into(), "pools", "there is a pool a already"),
        (|case| case.pools[1].name = "none".into(), "pools", "stands for no pool"),
        (|case| case.pools[0].pcpus = vec![0, 0], "pools", "twice"),
        (|case| case.vms[0].pool = None, "vms", "large has no `pool`"),
        (|case| case.vms[0].pool = Some("c".into()), "vms", "there is no pool c"),
        (|case| case.pools[1].pcpus.clear(), "vms", "other would be in pool b, which has no pCPU"),
        (|case| case.vms[0].hard = vec![1], "vms", "no pCPU of its `hard` affinity"),
        (|case| case.pools.clear(), "vms", "no `pools`"),
        (|case| case.moves = vec![to(1, "larger", "b")], "moves", "no virtual machine larger"),
        (
            |case| {
                let number = Change::Pcpu { number: 0, pool: None };
                case.moves = vec![to(1, "large", "b"), Move { at_ns: 2, change: number }];
            },
            "moves",
            "number 2: middle would be in pool a, which has no pCPU",
        ),
        (
            |case| case.moves = vec![Move { at_ns: 1, change: Change::Destroy { name: "b".into() } }],
            "moves",
            "pool b still has a virtual machine, other",
        ),
    ];
    for (spoil, field, said) in wrong {
        let mut case = customers();
        spoil(&mut case);
        let error = Layout::all(&case).unwrap_err();
        assert!(error.field == field && error.why.contains(said), "{error:?}, not {said}");
    }
}

#[test]
fn a_pool_that_ended_leaves_its_pcpus_to_others_and_its_name() {
    let mut case = customers();
    let change = |change| Move { at_ns: 1, change };
    case.moves = vec![
        to(1, "other", "a"),
        change(Change::Destroy { name: "b".into() }),
        change(Change::Create(pool("b", &[1]))),
        to(1, "other", "b"),
    ];
    let all = Layout::all(&case).unwrap();
    assert_eq!(all[2].pool_of_pcpu(1), None);
    assert_eq!((all[4].pool_of_pcpu(1), all[4].pool_of_vm(3)), (Some(2), 2), "a pool keeps its number");
}
