//! What stdout prints at the end of a run.

mod fixture;

use lockbench_reports::derive::derive;
use lockbench_reports::judge::answers::answers;
use lockbench_reports::record::{Carried, Line, Outcome, Results};
use lockbench_reports::show::summary;
use lockbench_reports::statistics::Verdict;

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
