//! Short answers: what they say of runs that are not as one would wish.

use lockbench_reports::derive::derive;
use lockbench_reports::judge::briefs::{Brief, briefs};
use lockbench_reports::judge::verdicts::{headline, judge, main_step, steps, tells_more};
use lockbench_reports::record::{
    Admission, Carried, Line, Measured, Outcome, Purpose, Results, Round, Thresholds,
};
use lockbench_reports::show::ending::{Layout, ending};
use lockbench_reports::show::html;

use crate::fixture;

fn judged(lines: impl IntoIterator<Item = Line>) -> Results {
    let mut results = derive(lines.into_iter());
    judge(&mut results, Thresholds::default());
    results
}

/// The fixture's lines, with what was measured changed.
fn changed(change: impl Fn(&Round, &mut Measured)) -> Vec<Line> {
    let mut lines = fixture::lines(7, 1.0);
    for line in &mut lines {
        if let Line::Round(round) = line {
            let before = round.clone();
            if let Outcome::Measured(measured) = &mut round.outcome {
                change(&before, measured);
            }
        }
    }
    lines
}

pub(crate) fn brief(results: &Results, word: &str) -> Brief {
    briefs(results).into_iter().find(|brief| brief.word == word).unwrap()
}

/// The first so many rounds of the fixture.
pub(crate) fn cut(rounds: u32) -> Vec<Line> {
    let kept = |line: &Line| !matches!(line, Line::Round(round) if round.round >= rounds);
    let mut lines: Vec<Line> = fixture::lines(7, 1.0).into_iter().filter(kept).collect();
    if let Some(Line::Header(header)) = lines.first_mut() {
        header.rounds = rounds;
    }
    lines
}

/// What is told of a cell with another workload than the report begins with names that workload; and no trace is asked for where
/// none can be had.
#[test]
fn a_law_of_another_workload_says_of_which() {
    let mut lines = changed(|_, measured| measured.causes = None);
    if let Some(Line::Header(header)) = lines.first_mut() {
        for axes in header.cells.iter_mut().filter(|axes| axes.env == "kvm") {
            let workload = &mut axes.workload;
            (workload.name, workload.section, workload.locks) = ("nested".into(), "nested".into(), 2);
        }
    }
    let why = brief(&judged(lines), "why").said;
    assert!(why.starts_with("Events of several locks are not traced."), "{why}");
    assert!(why.contains("for ticket (emulated at 2x with short+exp), which did"), "{why}");
}

/// A cell of which one measurement is many times the other is named, and its distance does not stand for its whole group.
#[test]
fn a_cell_that_came_out_far_apart_when_run_twice_is_named() {
    let quiet = brief(&judged(fixture::lines(7, 1.0)), "noise");
    assert!(
        quiet.said.starts_with("The same cell run twice agreed within 1.93 % (one vCPU), 1.74 %"),
        "{}",
        quiet.said
    );
    assert!(quiet.said.ends_with("16.0 % (above 1x)."), "{}", quiet.said);
    assert!(
        quiet.small.contains("ticket (native") || quiet.small.contains("ticket (emulated"),
        "{}",
        quiet.small
    );

    let lines = changed(|round, measured| {
        if round.purpose == Purpose::Twin && round.cell.contains("/4v:2p/") && round.round == 2 {
            measured.operations.iter_mut().for_each(|operations| *operations *= 90);
        }
    });
    let noisy = brief(&judged(lines), "noise");
    assert!(
        noisy.said.contains("agreed within 1.93 % (one vCPU), 1.74 % (several vCPUs at 1x). "),
        "{}",
        noisy.said
    );
    assert!(noisy.said.contains("Not so ticket (emulated at 2x), up to "), "{}", noisy.said);
    assert!(noisy.said.contains(" times apart: no smaller difference is called there."), "{}", noisy.said);
    assert!(!noisy.said.contains("00 %"), "no percentage in thousands: {}", noisy.said);
}

#[test]
fn three_rounds_say_why_nothing_can_be_told_and_what_to_run() {
    let results = judged(cut(3));
    let steps = steps(&results);
    let step = main_step(&steps).unwrap();
    let said = headline(step);
    assert!(
        said.ends_with("whether it holds: 3 usable rounds give an interval of 75 %; 5 rounds are needed."),
        "{said}"
    );
    let next = tells_more(&results, step).unwrap();
    assert_eq!(
        next,
        "A verdict needs 5 rounds and this run has 3: `lockbench suite --profile quick` takes 6 in a minute."
    );
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    assert!(page.contains("<code>lockbench suite --profile quick</code> takes 6 in a minute."));
}

/// 10.6 ns beside 18.8 ns are not close; three rounds tell nothing of them.
#[test]
fn a_price_that_cannot_be_told_says_why() {
    let price = brief(&judged(cut(3)), "price").said;
    assert!(price.starts_with("Of pv-ticket-off it cannot be told: 6."), "{price}");
    assert!(price.contains("; 3 usable rounds, an interval of 75 %; 5 are needed."), "{price}");
}

/// What costs up to the margin is not said to cost nothing.
#[test]
fn locks_that_take_as_long_as_the_plain_one_stand_in_one_sentence() {
    let lines = changed(|round, measured| {
        let empty = round.cell.contains("/native/empty/1v:1p/");
        if empty && ["pvops-ticket/", "pv-ticket-off/"].iter().any(|lock| round.cell.starts_with(lock)) {
            measured.operations.iter_mut().for_each(|operations| *operations = 35_000_000);
        } else if empty && round.cell.starts_with("ticket/") {
            measured.operations.iter_mut().for_each(|operations| *operations = 34_800_000);
        }
    });
    let price = brief(&judged(lines), "price").said;
    assert_eq!(price, "Under 5 %: pv-ticket-off 5.71 ns a lock and unlock, pvops-ticket 5.71, ticket 5.75.");
}

/// Two locks that carry something of no use are told, and the user's own beside them.
#[test]
fn the_price_of_an_own_lock_is_told_beside_those_of_two_others() {
    let mut results = derive(fixture::lines(7, 1.0).into_iter());
    let tas = results.locks.iter_mut().find(|lock| lock.name == "tas").unwrap();
    (tas.own, tas.baseline) = (true, Some("ticket".into()));
    judge(&mut results, Thresholds::default());
    let price = brief(&results, "price").short.unwrap();
    for lock in ["pv-ticket-off ", "pvops-ticket ", "tas "] {
        assert!(price.contains(lock), "{lock}: {price}");
    }
}

/// Xen's byte lock has no order of admission, and its waiters halt all the same.
#[test]
fn the_best_lock_that_halts_may_be_one_without_an_order() {
    let mut results = derive(fixture::lines(7, 1.0).into_iter());
    let byte = results.locks.iter_mut().find(|lock| lock.name == "tas").unwrap();
    (byte.paravirt, byte.order) = (Carried::On, Some(Admission::Unfair));
    byte.baseline = Some("ticket".into());
    judge(&mut results, Thresholds::default());
    let told = brief(&results, "threshold").said;
    let best = "Of the best, tas, it cannot be told whether it holds; it keeps 79.3 %, where ticket keeps 0.00744 %.";
    assert!(told.starts_with(best), "{told}");
}

/// The law's sentence names its lock, for it may be the first that names one.
#[test]
fn a_law_names_its_lock_and_says_where_it_does_not_explain_the_rate() {
    let lines = changed(|round, measured| {
        measured.causes = None;
        if round.cell.starts_with("ticket/kvm/short+exp/4v:2p") {
            measured.operations.iter_mut().for_each(|operations| *operations /= 4);
        }
    });
    let why = brief(&judged(lines), "why").said;
    assert!(why.contains("predicts 500/s for ticket, which did 1"), "{why}");
    assert!(why.ends_with("/s: something else decides as well."), "{why}");
}

/// A run of one lock counts no locks, it names the one.
#[test]
fn one_lock_is_named_in_the_first_sentence() {
    let only = |lock: &'static str| {
        let mut lines = fixture::lines(7, 1.0);
        if let Some(Line::Header(header)) = lines.first_mut() {
            header.cells.retain(|cell| cell.lock == lock && cell.env == "emulated");
        }
        let results = judged(lines);
        headline(main_step(&steps(&results)).unwrap())
    };
    assert_eq!(only("mcs"), "At 2 vCPUs per CPU mcs collapses here.");
    assert!(
        only("tas").starts_with("At 2 vCPUs per CPU it cannot be told whether tas holds: with room"),
        "{}",
        only("tas")
    );
}

/// What is told of a cell that is not of the first screen's step says where it was run.
#[test]
fn what_was_run_elsewhere_says_where() {
    let results = judged(fixture::lines(7, 1.0));
    let [threshold, why] = ["threshold", "why"].map(|word| brief(&results, word).said);
    assert!(threshold.contains("No spin threshold rescues pv-ticket (emulated at 4x): best"), "{threshold}");
    assert!(why.contains("of ticket's handovers met a vCPU"), "kvm at 2x is the step: {why}");
    let mut lines = fixture::lines(7, 1.0);
    if let Some(Line::Header(header)) = lines.first_mut() {
        // At 2x a lock is left that no law speaks of.
        header.cells.retain(|cell| cell.vcpus != 4 || cell.lock == "tas");
    }
    let why = brief(&judged(lines), "why").said;
    assert!(why.contains("for ticket (emulated at 3x), which did"), "{why}");
}

/// More rounds do not help where rounds are lost.
#[test]
fn a_run_that_lost_its_rounds_is_told_to_look_for_what_disturbs_it() {
    let lines = fixture::lines(7, 1.0).into_iter().filter(
        |line| !matches!(line, Line::Round(round) if round.round > 2 && round.cell.contains("/2v:2p/")),
    );
    let results = judged(lines);
    let steps = steps(&results);
    let step = main_step(&steps).unwrap();
    assert_eq!(
        tells_more(&results, step).as_deref(),
        Some(
            "Of 10 locks too few of 6 rounds were usable: `lockbench doctor` says what disturbs this machine."
        )
    );
    let never = |line: &Line| {
        !matches!(line, Line::Round(round) if round.round % 2 == 0 && round.cell.contains("/2v:2p/"))
            && !matches!(line, Line::Round(round) if round.round % 2 == 1 && round.cell.contains("/4v:2p/"))
    };
    let results = judged(fixture::lines(7, 1.0).into_iter().filter(never));
    let cell = results
        .cells
        .iter()
        .find(|cell| cell.axes.id == "ticket/kvm/short+exp/4v:2p/compact/pinned")
        .unwrap();
    let why = cell.verdict.as_ref().unwrap().rate_untold.as_deref();
    assert_eq!(why, Some("no round has usable windows both here and at 1x"));
}

/// Verdicts by other thresholds than the default ones say so wherever they are read.
#[test]
fn the_end_of_a_run_says_by_which_thresholds_it_judged() {
    let mut results = derive(fixture::lines(7, 1.0).into_iter());
    judge(&mut results, Thresholds::default());
    assert!(!ending(&results, Layout::PLAIN).contains("judged by"));
    judge(&mut results, Thresholds { holds: 0.0001, collapses: 0.00005, ..Thresholds::default() });
    let text = ending(&results, Layout { width: usize::MAX, colours: false });
    assert!(text.contains("\njudged by  Holds: keeps at least 0.0100 % of its rate"), "{text}");
}
