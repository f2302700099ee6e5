//! What a scenario tells beside its answer: who pays, what the better lock costs, what replays withhold, how often a quota ran out; and
//! that its cases are judged as nothing else.

use lockbench_reports::judge::briefs::briefs;
use lockbench_reports::judge::scenarios::scenarios;
use lockbench_reports::judge::verdicts::{judged, steps};
use lockbench_reports::record::{CellReplay, CellSchedule, Outcome, QuotaUse, Results};
use lockbench_reports::show::ending::{Layout, ending};
use lockbench_reports::show::{csv, html};

use crate::hog::{case, cell, results, scenario};

#[test]
fn who_had_the_pcpus_and_who_pays_is_told_of_each_machine() {
    let results = results();
    let of = scenario(&results);
    let entry = of.rows[0].entries[1].as_ref().unwrap();
    let shares: Vec<f64> = entry.vms.iter().map(|of| of.share.unwrap()).collect();
    assert_eq!(shares, [0.6, 0.4]);
    // The hog runs the same as the guest, so that what the guest does alone is what the hog would do alone.
    let hog = entry.vms[1].kept.clone().unwrap();
    assert!(hog.high < entry.measured().kept.clone().unwrap().low, "it did two acquisitions a window");
    assert!(
        of.findings().contains(
            &"Who pays in `hog`, by keeping less of its rate than any other machine: hog, whatever the lock."
                .into()
        ),
        "{:?}",
        of.findings()
    );
}

#[test]
fn a_machine_that_was_never_alone_and_does_something_else_has_no_rate_to_keep() {
    let mut results = results();
    for cell in &mut results.cells {
        let vms = &mut cell.axes.case.as_mut().unwrap().vms;
        if let Some(hog) = vms.get_mut(1) {
            hog.lock = Some("tas".into());
        }
    }
    let of = scenario(&results);
    let entry = of.rows[0].entries[1].as_ref().unwrap();
    assert_eq!(entry.vms[1].kept, Err("hog was not run alone".into()));
    assert!(of.findings().contains(&"Who pays in `hog` cannot be told.".into()), "{:?}", of.findings());
}

#[test]
fn a_machine_whose_guest_schedules_threads_is_not_like_one_with_as_many_vcpus() {
    let mut results = results();
    for cell in &mut results.cells {
        if let Some(hog) = cell.axes.case.as_mut().unwrap().vms.get_mut(1) {
            (hog.vcpus, hog.threads_per_vcpu) = (1, 2);
        }
    }
    let of = scenario(&results);
    let entry = of.rows[0].entries[1].as_ref().unwrap();
    assert_eq!(entry.vms[1].kept, Err("hog was not run alone".into()));
}

/// A case in which the hog runs alone is what the hog is compared with, and no case that locks are compared in.
#[test]
fn a_case_of_a_neighbour_alone_is_its_reference() {
    let mut results = results();
    let mut alone = cell(&mut results, "ticket", 2).clone();
    let mut case = case("hog-alone", false);
    case.vms[0].name = "hog".into();
    (alone.axes.lock, alone.axes.case) = ("tas".into(), Some(case));
    results.cells.push(alone);
    for cell in &mut results.cells {
        if let Some(hog) = cell.axes.case.as_mut().unwrap().vms.get_mut(1) {
            hog.lock = Some("tas".into());
        }
    }
    let of = scenario(&results);
    assert_eq!(of.cases.len(), 2);
    assert!(of.rows.iter().all(|row| row.lock != "tas"));
    assert!(of.rows[0].entries[1].as_ref().unwrap().vms[1].kept.is_ok());
}

#[test]
fn what_the_better_lock_costs_in_the_first_case_is_told_from_the_figures() {
    let results = results();
    let of = scenario(&results);
    let findings = of.findings();
    let said = findings.iter().find(|said| said.starts_with("In `alone`, emulated, ")).unwrap();
    let rate = |lock: &str| {
        let cell = results.cells.iter().find(|cell| cell.axes.lock == lock && cell.axes.vcpus == 2);
        cell.unwrap().ops_per_second.unwrap().median
    };
    let medians = 100.0 * rate("pv-queued") / rate("ticket");
    assert!(said.contains("pv-queued") && said.contains("of ticket's rate"), "{said}");
    let figures = said.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
    let figures: Vec<f64> = figures.filter_map(|figure| figure.parse().ok()).collect();
    // The median over rounds and its interval, or the interval alone.
    let (low, high) = (figures[figures.len() - 2], figures[figures.len() - 1]);
    assert!(low <= medians * 1.02 && medians * 0.98 <= high, "{said} {medians}");
}

/// An environment that runs the first case alone says what each lock costs there.
#[test]
fn an_environment_with_the_first_case_alone_compares_its_locks_there() {
    let mut results = results();
    for lock in ["ticket", "pv-queued"] {
        let mut native = cell(&mut results, lock, 2).clone();
        native.axes.env = "native".into();
        results.cells.push(native);
    }
    let findings = scenario(&results).findings();
    let of_native: Vec<&String> =
        findings.iter().filter(|said| said.starts_with("In `alone`, native, ")).collect();
    assert_eq!(of_native.len(), 1, "{findings:?}");
    // The rounds are those of the emulated cells, and so is the ratio.
    let emulated = findings.iter().any(|said| said.starts_with("In `alone`, emulated, "));
    assert!(emulated && of_native[0].contains("ticket") && of_native[0].contains("pv-queued"));
}

#[test]
fn cases_are_no_steps_of_overcommit_and_a_run_of_scenarios_says_nothing_else() {
    let results = judged(&results()).into_owned();
    assert!(steps(&results).is_empty());
    assert!(results.cells.iter().all(|cell| cell.verdict.is_none()));
    assert_eq!(briefs(&results), []);
    let end = ending(&results, Layout::PLAIN);
    assert!(end.starts_with("scenario   friebel-hog: In case hog, of their rates in case alone,"), "{end}");
    let table: Vec<Vec<&str>> = end.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(table.iter().any(|line| line[..] == ["lock", "alone", "hog"]), "{end}");
    assert!(table.iter().any(|line| line.starts_with(&["ticket,", "emulated"])), "{end}");
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    assert!(page.contains("id=\"r0-scenarios\"") && !page.contains("id=\"r0-answers\""));
    assert!(!page.contains("href=\"#r0-answers\""));
}

#[test]
fn throttle_counts_stand_beside_the_figures() {
    let mut results = results();
    let quota = QuotaUse { cpus: 0.5, periods: 20, throttled: 18, ..QuotaUse::default() };
    for round in &mut cell(&mut results, "ticket", 4).rounds {
        if let Outcome::Measured(measured) = &mut round.outcome {
            measured.quota = Some(quota);
        }
    }
    let rounds = cell(&mut results, "ticket", 4).rounds.len();
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    let told = format!("throttled in {} of {} periods", 18 * rounds, 20 * rounds);
    assert_eq!(page.matches(&told).count(), 1, "{told}");
    let csv = csv::cells(&results);
    let column = csv.lines().next().unwrap().split(',').position(|name| name == "throttled_periods").unwrap();
    let throttled = format!("{},{}", 18 * rounds, 20 * rounds);
    let with = csv.lines().filter(|line| line.contains(&throttled)).count();
    assert!(column > 0 && with == 1, "{csv}");
}

/// A scenario whose second case is a replay, in which the locks left over these parts of their time.
fn replayed(left_over: &[(&str, f64)]) -> Results {
    let mut results = results();
    for cell in results.cells.iter_mut().filter(|cell| cell.axes.vcpus == 4) {
        let (_, left_over_share) = left_over.iter().find(|(lock, _)| *lock == cell.axes.lock).unwrap();
        let replay = CellReplay { left_over_share: *left_over_share, ..CellReplay::default() };
        cell.schedule = Some(CellSchedule { replay: Some(replay), ..CellSchedule::default() });
    }
    results
}

#[test]
fn a_replay_says_what_it_withholds_from_a_lock_that_halts() {
    let withheld = |results: &Results| {
        let findings = scenarios(results)[0].findings();
        findings.into_iter().find(|finding| finding.starts_with("The replay"))
    };
    assert_eq!(withheld(&results()), None, "nothing was replayed");
    let told = withheld(&replayed(&[("ticket", 0.002), ("pv-queued", 0.375)])).unwrap();
    assert!(told.ends_with("others would use: 37.5 % of pv-queued (emulated) of the time that the log gives them stayed idle."), "{told}");
    let replayed_some = replayed(&[("ticket", 0.002), ("pv-queued", 0.375)]);
    let answer = scenarios(&replayed_some)[0].answer();
    assert!(
        answer.ends_with(
            "; nobody gets the time that vCPUs halt for, which is 37.5 % of pv-queued (emulated)."
        ),
        "{answer}"
    );
    let told = withheld(&replayed(&[("ticket", 0.002), ("pv-queued", 0.003)])).unwrap();
    assert!(told.contains("withheld nothing"), "{told}");
}
