//! The sentence that answers a scenario: what each lock keeps of its rate, and of which locks that cannot be told.

use lockbench_reports::format::percent;
use lockbench_reports::judge::scenarios::Row;
use lockbench_reports::record::{Interval, Outcome, Status};

use crate::hog::{cell, kept, results, scenario};

#[test]
fn a_scenario_says_what_each_lock_keeps_of_its_rate_in_the_first_case() {
    let mut results = results();
    let of = scenario(&results);
    assert_eq!(of.cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>(), ["alone", "hog"]);
    let (ticket, queued) = (kept(&of, "ticket"), kept(&of, "pv-queued"));
    assert!(queued.low > ticket.high);
    let said = format!(
        "In case `hog`, of their rates in case `alone`, emulated locks have {} (ticket) to {} (pv-queued).",
        percent(ticket.median),
        percent(queued.median)
    );
    assert_eq!(of.answer(), said);
    for lock in ["ticket", "pv-queued"] {
        let mut rate = |vcpus: u32| cell(&mut results, lock, vcpus).ops_per_second.unwrap().median;
        let medians = rate(4) / rate(2);
        let kept = kept(&scenario(&results), lock);
        assert!(kept.low <= medians * 1.02 && medians * 0.98 <= kept.high, "{kept:?} and {medians}");
    }
}

/// The host moves pCPUs apart for a minute at a time, and then most of a cell's windows are at another distance or at two.
#[test]
fn windows_in_which_the_pcpus_moved_tell_what_a_lock_keeps_whose_rate_the_timeslice_sets() {
    let quiet = results();
    let mut results = results();
    let mut slow = 0;
    for cell in results.cells.iter_mut().filter(|cell| cell.axes.vcpus == 4) {
        for round in cell.rounds.iter_mut().take(4) {
            let Outcome::Measured(measured) = &mut round.outcome else { continue };
            measured.moved = true;
            measured.interconnect_ns = Some([84.0, 420.0]);
            if cell.axes.lock == "pv-queued" {
                // A lock whose rate depends on the distance of its pCPUs.
                measured.operations = vec![measured.window_ns / 4_000; 2];
            }
        }
        for round in cell.rounds.iter().filter_map(|round| round.measured()) {
            let rate = round.operations.iter().sum::<u64>() as f64 * 1e9 / round.window_ns as f64;
            slow += u64::from(cell.axes.lock == "ticket" && rate * 420.0 < 1e7);
        }
    }
    assert!(slow >= 6, "the ticket lock hands over once a timeslice");
    let of = scenario(&results);
    let (now, then) = (kept(&of, "ticket"), kept(&scenario(&quiet), "ticket"));
    assert_eq!((now.low, now.high), (then.low, then.high), "nothing but the distance has changed");
    let row = of.rows.iter().find(|row| row.lock == "pv-queued").unwrap();
    let why = row.entries[1].as_ref().unwrap().measured().kept.clone().unwrap_err();
    assert!(why.contains("usable of both; 5 are needed"), "{why}");
    let said = format!(
        "In case `hog`, of their rates in case `alone`, emulated ticket has {} (of pv-queued it cannot be told).",
        percent(now.median)
    );
    assert_eq!(of.answer(), said);
}

/// Whatever the windows were, what the answer claims is so in the figures of its own table.
#[test]
fn every_answer_is_true_of_its_own_figures_in_runs_that_differ_at_random() {
    let usual = results();
    let (mut ranked, mut ranges, mut with_names, mut partly) = (0, 0, 0, 0);
    for seed in 0..200 {
        let mut state: u64 = 1 + seed;
        // xorshift64*: a draw from 0 to 1.
        let mut draw = || {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
        };
        draw();
        let mut results = usual.clone();
        for cell in results.cells.iter_mut().filter(|cell| cell.axes.vcpus == 4) {
            // In some runs two locks are close, in some one of them is noisy, and in some rounds are missing.
            let (rate, noise) = (100.0 + 300.0 * draw(), [0.05, 0.3, 1.5][(3.0 * draw()) as usize]);
            let missing = if draw() < 0.25 { 0.5 } else { 0.05 };
            for round in &mut cell.rounds {
                let Outcome::Measured(measured) = &mut round.outcome else { continue };
                measured.operations = vec![(rate * (1.0 + noise * draw())) as u64; 2];
                measured.disturbed = (draw() < missing).then(|| "made so".to_owned());
            }
        }
        let of = scenario(&results);
        let answer = of.answer();
        let of_case = |row: &Row<'_>| row.entries[1].as_ref().unwrap().measured().kept.clone();
        let told: Vec<(&str, Interval)> =
            of.rows.iter().filter_map(|row| Some((row.lock, of_case(row).ok()?))).collect();
        for row in of.rows.iter().filter(|row| of_case(row).is_err()) {
            let named = answer.contains(&format!("of {} it cannot be told", row.lock));
            assert!(named || answer.contains("their rates cannot be told"), "{seed}: {answer}");
            partly += 1;
        }
        let figures: Vec<String> = told.iter().map(|(_, kept)| percent(kept.median)).collect();
        if let Some((_, range)) = answer.split_once("have between ") {
            let low = told.iter().map(|(_, kept)| kept.low).fold(f64::INFINITY, f64::min);
            let high = told.iter().map(|(_, kept)| kept.high).fold(0.0, f64::max);
            assert!(
                range.starts_with(&format!("{} and {}", percent(low), percent(high))),
                "{seed}: {answer}"
            );
            let [one, other] = &told[..] else { unreachable!("a lock alone has no range of several") };
            let ends =
                |least: &str, most: &str| range.contains(&format!(", {least} the least and {most} the most"));
            assert_eq!(ends(one.0, other.0), one.1.high < other.1.low, "{seed}: {answer}");
            assert_eq!(ends(other.0, one.0), other.1.high < one.1.low, "{seed}: {answer}");
            with_names += usize::from(range.contains(" the least"));
            ranges += 1;
        } else {
            let [one, other] = &told[..] else { continue };
            assert!(figures.iter().all(|figure| answer.contains(figure)), "{seed}: {answer}, {figures:?}");
            let apart = one.1.high < other.1.low || other.1.high < one.1.low;
            for ((lock, _), figure) in told.iter().zip(&figures) {
                assert_eq!(answer.contains(&format!("{figure} ({lock})")), apart, "{seed}: {answer}");
            }
            assert_eq!(!apart, answer.contains("which of them has most cannot be told"), "{seed}: {answer}");
            ranked += usize::from(apart);
        }
    }
    assert!(
        ranked > 10 && ranges > 10 && with_names < ranges && partly > 10,
        "{ranked} {ranges} {with_names} {partly}"
    );
}

/// Intervals that overlap rank nothing.
#[test]
fn locks_that_cannot_be_told_apart_are_not_ranked() {
    let mut results = results();
    for vcpus in [2, 4] {
        let rounds = cell(&mut results, "ticket", vcpus).rounds.clone();
        cell(&mut results, "pv-queued", vcpus).rounds = rounds;
    }
    let of = scenario(&results);
    let kept = percent(kept(&of, "ticket").median);
    assert_eq!(
        of.answer(),
        format!(
            "In case `hog`, of their rates in case `alone`, emulated locks have {kept} to {kept}, and which of them has most cannot be told."
        )
    );
    assert!(!of.findings().iter().any(|said| said.starts_with("In `alone`")), "{:?}", of.findings());
}

/// A median whose interval spans more than a factor of two is not told as if it were a figure.
#[test]
fn a_wide_interval_is_told_as_a_range_beside_the_names_of_its_ends() {
    let mut results = results();
    let rounds = &mut cell(&mut results, "ticket", 4).rounds;
    for (nth, round) in rounds.iter_mut().enumerate() {
        if let Outcome::Measured(measured) = &mut round.outcome
            && nth % 2 == 0
        {
            measured.operations.iter_mut().for_each(|operations| *operations *= 1_000);
        }
    }
    let of = scenario(&results);
    let (ticket, queued) = (kept(&of, "ticket"), kept(&of, "pv-queued"));
    assert!(ticket.high > 2.0 * ticket.low, "{ticket:?}");
    assert!(ticket.high < queued.low, "{ticket:?} {queued:?}");
    let said = format!(
        "emulated locks have between {} and {}, ticket the least and pv-queued the most.",
        percent(ticket.low),
        percent(queued.high)
    );
    assert!(of.answer().ends_with(&said), "{} {said}", of.answer());
}

/// Fewer rounds than a verdict needs have no range that could be believed.
#[test]
fn a_lock_with_too_few_rounds_of_both_cases_is_named_without_a_figure() {
    let mut results = results();
    cell(&mut results, "ticket", 4).rounds.retain(|round| round.round < 2);
    let of = scenario(&results);
    assert_eq!(
        of.untold(),
        ["Of ticket in `hog` (emulated) it cannot be told: 2 rounds usable of both; 5 are needed."]
    );
    assert!(of.answer().ends_with("(of ticket it cannot be told)."), "{}", of.answer());
    cell(&mut results, "pv-queued", 4).rounds.clear();
    let of = scenario(&results);
    assert!(
        of.answer().starts_with("What the locks keep of their rates cannot be told: "),
        "{}",
        of.answer()
    );
}

/// A reason that several locks share is told once, with their names.
#[test]
fn locks_that_cannot_be_told_for_the_same_reason_share_a_sentence() {
    let mut results = results();
    for lock in ["ticket", "pv-queued"] {
        let cell = cell(&mut results, lock, 4);
        (cell.status, cell.reason) = (Status::Skipped, Some("the schedule was not kept".into()));
    }
    let of = scenario(&results);
    let [untold] = &of.untold()[..] else { panic!("{:?}", of.untold()) };
    assert!(untold.contains("ticket in `hog`") && untold.contains("pv-queued in `hog`"), "{untold}");
    assert!(untold.ends_with("it cannot be told: the schedule was not kept."), "{untold}");
}
