//! What stdout prints at the end of a run.

use lockbench_reports::derive::derive;
use lockbench_reports::judge::answers::answers;
use lockbench_reports::record::{Carried, Line, Outcome, Results, Workload};
use lockbench_reports::show::ending::{Layout, ending};
use lockbench_reports::show::{html, summary};
use lockbench_reports::statistics::Verdict;

use crate::fixture;

fn results_of(change: impl Fn(&mut Line)) -> Results {
    let mut lines = fixture::lines(7, 1.0);
    lines.iter_mut().for_each(change);
    derive(lines.into_iter())
}

#[test]
fn the_answers_and_the_table() {
    let results = results_of(|_| {});
    insta::assert_snapshot!(format!("{}\n{}", answers(&results), summary::table(&results)));
}

#[test]
fn an_empty_run_says_that_it_can_say_nothing() {
    let results = derive(fixture::lines(7, 1.0).into_iter().take(1));
    let answers = answers(&results);
    for (_, answer) in answers.each() {
        assert!(
            answer.statements.iter().all(|s| matches!(s.verdict, Some(Verdict::NotEnoughData(_)) | None))
        );
    }
    assert!(summary::table(&results).contains("skipped"));
    assert_eq!(summary::table(&derive(std::iter::empty())), "");
}

#[test]
fn pcpus_at_different_distances_are_not_compared() {
    let results = results_of(|line| {
        if let Line::Round(round) = line
            && round.cell.starts_with("pv-ticket/emulated")
            && let Outcome::Measured(measured) = &mut round.outcome
        {
            measured.interconnect_ns = Some([420.0, 430.0]);
        }
    });
    let cure = answers(&results).cure;
    let said = cure.statements[0].to_string();
    assert!(said.contains("[not enough data: pCPUs 425 ns apart in one, "), "{said}");
}

#[test]
fn three_rounds_are_not_enough() {
    let lines = fixture::lines(7, 1.0);
    let few = lines.into_iter().filter(|line| !matches!(line, Line::Round(round) if round.round > 2));
    let said = answers(&derive(few)).problem.statements[0].to_string();
    assert!(said.contains("[not enough data: 3 usable rounds"), "{said}");
}

#[test]
fn without_twins_nothing_is_judged() {
    let lines = fixture::lines(7, 1.0).into_iter();
    let no_twins = lines.filter(|line| {
        !matches!(line, Line::Round(round) if round.purpose == lockbench_reports::record::Purpose::Twin)
    });
    let said = answers(&derive(no_twins)).problem.statements[0].to_string();
    assert!(said.contains("the noise floor of overcommitted cells is unknown"), "{said}");
}

/// A guest without the cure runs one lock or another: the cure is set against each, and each is named for its guest.
#[test]
fn a_cure_is_set_against_every_lock_that_a_guest_would_run_without_it() {
    let mut results = results_of(|_| {});
    for lock in &mut results.locks {
        match lock.name.as_str() {
            "pv-queued" => lock.second_baseline = Some("tas".into()),
            "queued" => lock.lock_of = Some("a guest with nopvspin".into()),
            "tas" => lock.lock_of = Some("a guest without paravirtual spinlocks".into()),
            _ => {}
        }
    }
    let said: Vec<String> = answers(&results).cure.statements.iter().map(ToString::to_string).collect();
    let count = |text: &str| said.iter().filter(|said| said.contains(text)).count();
    assert_eq!(count("times the rate of queued (the lock of a guest with nopvspin):"), 2, "{said:#?}");
    assert_eq!(
        count("times the rate of tas (the lock of a guest without paravirtual spinlocks):"),
        2,
        "{said:#?}"
    );
    assert_eq!(
        count("the rate of pv-queued at 4x depends on its spin threshold"),
        1,
        "once, not for each: {said:#?}"
    );
}

/// What a native machine ran goes before what nobody did.
#[test]
fn the_native_cost_begins_with_what_boot_time_patching_leaves() {
    let mut results = results_of(|_| {});
    for lock in results.locks.iter_mut().filter(|lock| lock.name == "pv-ticket-bare") {
        lock.paravirt = Carried::Patched;
        lock.carries = Some("Linux 3.12 to 4.1: a NOP".into());
    }
    let said = answers(&results).native_cost.statements[0].to_string();
    assert!(said.contains("pv-ticket-bare (Linux 3.12 to 4.1: a NOP) takes "), "{said}");
}

/// A section that has no length may yet write lines, bring a page or take a second lock: what a pair costs is not told from that.
#[test]
fn the_native_cost_is_told_of_a_section_that_does_nothing_at_all() {
    let told = |with: fn(&mut Workload)| {
        let mut results = results_of(|_| {});
        results.cells.iter_mut().for_each(|cell| with(&mut cell.axes.workload));
        !answers(&results).native_cost.statements[0].to_string().contains("Nothing can be said")
    };
    assert!(told(|_| ()));
    assert!(!told(|workload| workload.lines = 8));
    assert!(!told(|workload| workload.section = "touch".into()));
}

/// A run in which there is one of everything that is counted.
fn one_of_everything() -> Results {
    let mut lines: Vec<Line> = fixture::lines(7, 1.0)
        .into_iter()
        .filter(|line| !matches!(line, Line::Round(round) if round.round > 0))
        .collect();
    for line in &mut lines {
        let Line::Header(header) = line else { continue };
        header.rounds = 1;
        let machine = &mut header.machine;
        (machine.packages, machine.cores, machine.pus, machine.numa_nodes) = (1, 1, 1, 1);
        machine.warnings.truncate(1);
        header.dropped.truncate(1);
        header.cells.retain(|cell| {
            let size = [1, 2].contains(&cell.vcpus) && cell.workload.name == "short+exp";
            cell.lock == "ticket" && cell.env != "native" && size
        });
        for cell in &mut header.cells {
            cell.pcpus = vec![0];
            cell.overcommit = f64::from(cell.vcpus);
        }
    }
    let planned = match &lines[0] {
        Line::Header(header) => header.cells.iter().map(|cell| cell.id.clone()).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    // One window is of a cell that the plan does not name.
    let mut strangers = 0;
    lines.retain(|line| match line {
        Line::Round(round) if !planned.contains(&round.cell) => {
            strangers += 1;
            strangers == 1
        }
        _ => true,
    });
    derive(lines.into_iter())
}

#[test]
fn one_thing_is_never_told_in_the_plural() {
    let results = one_of_everything();
    assert_eq!(results.notes.len(), 1, "{:?}", results.notes);
    let page = html::render(std::slice::from_ref(&results)).unwrap().replace('\u{a0}', " ");
    let layout = Layout { width: usize::MAX, colours: false };
    let told = [page, ending(&results, layout), summary::whole(&results), results.notes.join("\n")];
    let plurals = [
        "cells",
        "rounds",
        "windows",
        "locks",
        "nights",
        "rows",
        "pairs",
        "warnings",
        "CPUs",
        "vCPUs",
        "pCPUs",
        "cores",
        "packages",
        "NUMA nodes",
        "nodes",
        "kinds",
        "events",
        "times",
        "loops",
    ];
    let mut wrong: Vec<&str> = Vec::new();
    for text in &told {
        for plural in plurals {
            for (at, found) in text.match_indices(&format!(" 1 {plural}")) {
                let end = at + found.len();
                // A longer word is another one.
                if !text[end..].starts_with(char::is_alphanumeric) {
                    let from = (0..=at.saturating_sub(60)).rev().find(|from| text.is_char_boundary(*from));
                    wrong.push(&text[from.unwrap_or(0)..end]);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A lock of the user's own is told of whatever its order, and beside the lock that it is compared with, whatever it carries.
#[test]
fn answers_tell_of_own_locks_by_the_rules_of_the_others() {
    let results = |own: bool| {
        let mut results = results_of(|_| {});
        let tas = results.locks.iter_mut().find(|lock| lock.name == "tas").unwrap();
        (tas.own, tas.baseline) = (own, Some("ticket".into()));
        answers(&results)
    };
    let of_tas = |statements: &[lockbench_reports::judge::answers::Statement], says: &str| {
        statements.iter().filter(|statement| statement.text.contains(says)).count()
    };
    let (built_in, own) = (results(false), results(true));
    let (keeps, takes) = ("(2x): tas keeps ", "tas (yours) takes ");
    assert_eq!(of_tas(&built_in.problem.statements, keeps), 0);
    assert_eq!(of_tas(&own.problem.statements, keeps), 2, "{own}");
    assert_eq!(of_tas(&built_in.native_cost.statements, takes), 0);
    assert_eq!(of_tas(&own.native_cost.statements, takes), 1, "{own}");
    let others = |answers: &lockbench_reports::judge::answers::Answers| {
        let all = answers.each().into_iter().flat_map(|(_, answer)| answer.statements.clone());
        all.filter(|statement| !statement.text.contains("tas ")).collect::<Vec<_>>()
    };
    assert_eq!(others(&built_in), others(&own), "nothing else is told otherwise");
}
