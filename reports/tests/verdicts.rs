//! Verdicts and laws of whole runs.

use lockbench_reports::derive::derive;
use lockbench_reports::judge::check::{Answer, Check, check};
use lockbench_reports::judge::verdicts::{self, headline, judge, judged, main_step, reached, steps, tally};
use lockbench_reports::record::{Cell, Kept, Line, Outcome, Results, Served, Thresholds};
use lockbench_reports::show::check::{exclusion, table};

use crate::fixture;

fn results_of(change: impl Fn(&mut Line)) -> Results {
    let mut lines = fixture::lines(7, 1.0);
    lines.iter_mut().for_each(change);
    let mut results = derive(lines.into_iter());
    judge(&mut results, Thresholds::default());
    results
}

fn cell<'a>(results: &'a Results, id: &str) -> &'a Cell {
    results.cells.iter().find(|cell| cell.axes.id.starts_with(id)).expect(id)
}

#[test]
fn locks_that_collapse_degrade_and_hold_are_told_apart() {
    let results = results_of(|_| {});
    let label = |id: &str| cell(&results, id).verdict.as_ref().unwrap().rate;
    assert_eq!(label("ticket/emulated/short+exp/4v:2p"), Kept::Collapses);
    assert_eq!(label("pv-queued/kvm/short+exp/4v:2p"), Kept::Degrades);
    assert_eq!(label("pv-queued/emulated/short+exp/4v:2p"), Kept::CannotBeTold, "it spans 25 %");
    assert_eq!(label("std-mutex/emulated/short+exp/8v:2p"), Kept::Degrades);
    assert_eq!(label("tas/kvm/short+exp/4v:2p"), Kept::CannotBeTold);
    assert!(cell(&results, "ticket/emulated/short+exp/2v:2p").verdict.is_none(), "nothing to say at 1x");
    let ticket = cell(&results, "ticket/emulated/short+exp/4v:2p").verdict.as_ref().unwrap();
    assert!(ticket.kept.unwrap().high < 0.001 && ticket.rounds >= 5);
    assert_eq!(ticket.service, Served::Fair);
    let moved = cell(&results, "queued/emulated/short+exp/6v:2p").verdict.as_ref().unwrap();
    assert!(moved.rate_untold.as_ref().unwrap().contains("4 usable rounds"), "{moved:?}");
}

#[test]
fn thresholds_of_the_reader_s_own_change_the_labels() {
    let mut results = results_of(|_| {});
    let own = Thresholds { holds: 0.5, collapses: 1e-6, ..Thresholds::default() };
    judge(&mut results, own);
    assert_eq!(results.thresholds, Some(own));
    let label = |id: &str| cell(&results, id).verdict.as_ref().unwrap().rate;
    assert_eq!(label("ticket/emulated/short+exp/4v:2p"), Kept::Degrades);
    assert_eq!(label("tas/emulated/short+exp/4v:2p"), Kept::Holds);
    assert!(verdicts::thresholds(&results).contains("at least 50.0 %"));
}

#[test]
fn results_that_were_judged_are_not_judged_again() {
    let mut results = results_of(|_| {});
    judge(&mut results, Thresholds { holds: 0.5, ..Thresholds::default() });
    assert_eq!(*judged(&results), results);
    let unjudged = derive(fixture::lines(7, 1.0).into_iter());
    assert_eq!(judged(&unjudged).thresholds, Some(Thresholds::default()));
    // What is written down is read again.
    let json = serde_json::to_string(&results).unwrap();
    assert_eq!(serde_json::from_str::<Results>(&json).unwrap(), results);
}

#[test]
fn three_rounds_are_not_enough() {
    let lines = fixture::lines(7, 1.0);
    let few = lines.into_iter().filter(|line| !matches!(line, Line::Round(round) if round.round > 2));
    let mut results = derive(few);
    judge(&mut results, Thresholds::default());
    let all = steps(&results);
    assert!(all.iter().all(|step| step.count(Kept::CannotBeTold) == step.verdicts.len()));
    let said = headline(main_step(&all).unwrap());
    assert_eq!(
        said,
        "At 2 vCPUs per CPU it cannot be told of any of 10 locks whether it holds: 3 usable rounds give an interval of \
         75 %; 5 rounds are needed."
    );
}

#[test]
fn a_lock_that_failed_or_has_no_1x_cannot_be_told() {
    let results = results_of(|line| {
        if let Line::Round(round) = line
            && (round.cell.starts_with("mcs/emulated/short+exp/4v:2p")
                || round.cell.starts_with("queued/emulated/short+exp/2v:2p"))
        {
            round.outcome = Outcome::Hung { reason: "no acquisition in 2 s".into() };
        }
    });
    let untold = |id: &str| cell(&results, id).verdict.clone().unwrap();
    let mcs = untold("mcs/emulated/short+exp/4v:2p");
    assert_eq!((mcs.rate, mcs.service), (Kept::CannotBeTold, Served::CannotBeTold));
    assert_eq!(mcs.rate_untold.unwrap(), "the cell is hung");
    let queued = untold("queued/emulated/short+exp/4v:2p");
    assert_eq!(queued.rate, Kept::CannotBeTold);
    assert_eq!(queued.rate_untold.unwrap(), "at 1x: hung");
}

#[test]
fn the_first_sentence_counts_every_lock_once() {
    let results = results_of(|_| {});
    let steps = steps(&results);
    let step = main_step(&steps).unwrap();
    assert_eq!(step.overcommit, 2.0);
    let counted: usize = tally(step).iter().map(|(_, locks)| locks.len()).sum();
    assert_eq!(counted, step.verdicts.len());
    let said = headline(step);
    assert!(said.starts_with("At 2 vCPUs per CPU ") && said.contains(" collapse here"), "{said}");
    assert_eq!(reached(&steps, "emulated", "ticket").unwrap(), "collapses at 1.5x to 4x");
    assert_eq!(reached(&steps, "native", "ticket"), None);
}

#[test]
fn a_vcpu_that_gets_next_to_nothing_starves_however_fast_the_lock_is() {
    let results = results_of(|line| {
        if let Line::Round(round) = line
            && round.cell.starts_with("tas/emulated/short+exp/4v:2p")
            && let Outcome::Measured(measured) = &mut round.outcome
        {
            measured.operations[0] /= 1_000;
        }
    });
    let verdict = cell(&results, "tas/emulated/short+exp/4v:2p").verdict.clone().unwrap();
    assert_eq!(verdict.service, Served::Starving);
    assert!(verdict.worst_share.unwrap().high < 0.1);
}

fn checked(results: &Results, lock: &str) -> (Answer, String) {
    let Check { answer, said } = check(results, lock);
    (answer, said)
}

/// The same rounds, of other locks: each answer of `lockbench check`, and the sentence with it.
#[test]
fn a_check_says_of_one_lock_whether_it_collapses() {
    let results = results_of(|_| {});
    let (answer, said) = checked(&results, "pvops-ticket");
    assert_eq!(answer, Answer::Collapses);
    assert!(said.starts_with("pvops-ticket collapses here from 1.5x on: at 4x in "), "{said}");
    // It degrades at 4x, and at 1.5x the interval spans what is between holding and degrading alone.
    let (answer, said) = checked(&results, "std-mutex");
    assert_eq!(answer, Answer::StaysUp, "{said}");
    assert!(
        said.starts_with("std-mutex degrades here and does not collapse up to 4x: at 4x in emulated"),
        "{said}"
    );
    // At 2x in emulated its interval spans 25 %.
    let (answer, said) = checked(&results, "pv-queued");
    assert_eq!(answer, Answer::Collapses, "at 4x it does: {said}");
    // Cells that failed: broken, and hung.
    for (lock, says) in [
        (
            "tas",
            "tas is broken at 4x in emulated: counter 41,200 but operations sum to 41,207 (in 1 of 6 windows).",
        ),
        ("mcs", "mcs crashed at 3x in kvm: killed by signal 11 (SIGSEGV) (in 1 of 6 windows)."),
    ] {
        assert_eq!(checked(&results, lock), (Answer::Fails, says.to_owned()));
    }
    let none = "Whether nix collapses cannot be told: it was not measured with more vCPUs than CPUs.";
    assert_eq!(checked(&results, "nix"), (Answer::CannotBeTold, none.to_owned()));
}

#[test]
fn a_check_of_a_lock_that_holds_everywhere_says_up_to_where() {
    let mut results = results_of(|_| {});
    judge(&mut results, Thresholds { holds: 0.3, ..Thresholds::default() });
    let (answer, said) = checked(&results, "std-mutex");
    assert_eq!(answer, Answer::StaysUp);
    assert!(said.starts_with("std-mutex holds here up to 4x: at 4x in emulated it keeps 5"), "{said}");
}

/// What a check cannot tell is never taken for a lock that stays up.
#[test]
fn a_check_that_leaves_a_step_open_cannot_tell() {
    let few =
        fixture::lines(7, 1.0).into_iter().filter(|line| !matches!(line, Line::Round(r) if r.round > 2));
    let mut results = derive(few);
    judge(&mut results, Thresholds::default());
    let (answer, said) = checked(&results, "std-mutex");
    assert_eq!(answer, Answer::CannotBeTold);
    assert!(said.contains("3 usable rounds give an interval of 75 %; 5 rounds are needed."), "{said}");
    // A step that no environment measured is open, though the others are told.
    let results = results_of(|line| {
        if let Line::Round(round) = line
            && round.cell.starts_with("std-mutex/emulated/short+exp/8v:2p/")
        {
            round.outcome = Outcome::Skipped { passing: false, reason: "no more threads".into() };
        }
    });
    let says = "Whether std-mutex collapses cannot be told: it was not measured at 4x in emulated (no more threads).";
    assert_eq!(checked(&results, "std-mutex"), (Answer::CannotBeTold, says.to_owned()));
}

#[test]
fn the_table_of_a_check_begins_with_the_lock_that_is_checked() {
    let results = results_of(|_| {});
    let table = table(&results, "tas");
    let first = table.lines().nth(1).unwrap();
    assert!(first.trim_start().starts_with("tas") && first.contains(" M/s"), "{table}");
    assert!(table.contains(" collapses") && table.contains(" broken"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    assert!(!table.contains("native"), "nothing is overcommitted there: {table}");
    assert!(exclusion(&results, "ticket").ends_with(" windows of ticket, where it was checked."));
}
