//! What a scenario is said to have shown, and that its cases are judged as nothing else.

use lockbench_reports::derive::derive;
use lockbench_reports::format::percent;
use lockbench_reports::judge::briefs::briefs;
use lockbench_reports::judge::scenarios::{Row, Scenario, scenarios};
use lockbench_reports::judge::verdicts::{judged, steps};
use lockbench_reports::record::{
    Case, Cell, CellAxes, CellReplay, CellSchedule, Interval, Line, Outcome, QuotaUse, Results, Status, Vm,
    VmMeasured,
};
use lockbench_reports::show::ending::{Layout, ending};
use lockbench_reports::show::{csv, html};

use crate::fixture;

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
    let vm = |name: &str| Vm::usual(name, 2);
    let mut vms = vec![vm("guest")];
    vms.extend(hog.then(|| vm("hog")));
    Case {
        scenario: "friebel-hog".into(),
        shows: "what a hog does".into(),
        name: name.into(),
        vms,
        ..Case::default()
    }
}

/// The only scenario of a run.
fn scenario(results: &Results) -> Scenario<'_> {
    let [scenario] = <[Scenario<'_>; 1]>::try_from(scenarios(results)).unwrap();
    scenario
}

fn cell<'r>(results: &'r mut Results, lock: &str, vcpus: u32) -> &'r mut Cell {
    results.cells.iter_mut().find(|cell| cell.axes.lock == lock && cell.axes.vcpus == vcpus).unwrap()
}

/// What a lock keeps in the only case beside the first.
fn kept(scenario: &Scenario<'_>, lock: &str) -> Interval {
    let row = scenario.rows.iter().find(|row| row.lock == lock).unwrap();
    row.entries[1].as_ref().unwrap().measured().kept.clone().unwrap()
}

#[test]
fn a_scenario_says_what_each_lock_keeps_of_its_rate_in_the_first_case() {
    let mut results = results();
    let of = scenario(&results);
    assert_eq!(of.cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>(), ["alone", "hog"]);
    let (ticket, queued) = (kept(&of, "ticket"), kept(&of, "pv-queued"));
    assert!(queued.low > ticket.high);
    let said = format!(
        "In `hog`, of their rates in `alone`, emulated locks keep {} (ticket) to {} (pv-queued).",
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
        "In `hog`, of their rates in `alone`, emulated ticket keeps {} (of pv-queued it cannot be told).",
        percent(now.median)
    );
    assert_eq!(of.answer(), said);
}

/// Whatever the windows were, what the answer claims is so in the figures of its own table.
#[test]
fn every_answer_is_true_of_its_own_figures_in_runs_that_differ_at_random() {
    let usual = results();
    let (mut ranked, mut ranges, mut partly) = (0, 0, 0);
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
        if let Some((_, range)) = answer.split_once("keep between ") {
            let low = told.iter().map(|(_, kept)| kept.low).fold(f64::INFINITY, f64::min);
            let high = told.iter().map(|(_, kept)| kept.high).fold(0.0, f64::max);
            assert!(
                range.starts_with(&format!("{} and {}", percent(low), percent(high))),
                "{seed}: {answer}"
            );
            ranges += 1;
        } else {
            let [one, other] = &told[..] else { continue };
            assert!(figures.iter().all(|figure| answer.contains(figure)), "{seed}: {answer}, {figures:?}");
            let apart = one.1.high < other.1.low || other.1.high < one.1.low;
            for ((lock, _), figure) in told.iter().zip(&figures) {
                assert_eq!(answer.contains(&format!("{figure} ({lock})")), apart, "{seed}: {answer}");
            }
            assert_eq!(
                !apart,
                answer.contains("which of them keeps most cannot be told"),
                "{seed}: {answer}"
            );
            ranked += usize::from(apart);
        }
    }
    assert!(ranked > 10 && ranges > 10 && partly > 10, "{ranked} {ranges} {partly}");
}

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
            "In `hog`, of their rates in `alone`, emulated locks keep {kept} to {kept}, and which of them keeps most cannot be told."
        )
    );
    assert!(!of.findings().iter().any(|said| said.starts_with("In `alone`")), "{:?}", of.findings());
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
    assert!(end.starts_with("scenario   friebel-hog: In hog, of their rates in alone,"), "{end}");
    let table: Vec<Vec<&str>> = end.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(table.iter().any(|line| line[..] == ["lock", "alone", "hog"]), "{end}");
    assert!(table.iter().any(|line| line.starts_with(&["ticket,", "emulated"])), "{end}");
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    assert!(page.contains("id=\"r0-scenarios\"") && !page.contains("id=\"r0-answers\""));
    assert!(!page.contains("href=\"#r0-answers\""));
}

/// A median whose interval spans more than a factor of two is not told as if it were a figure.
#[test]
fn a_wide_interval_is_told_as_a_range() {
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
    let high = percent(ticket.high.max(queued.high));
    let said = format!("emulated locks keep between {} and {high}.", percent(ticket.low.min(queued.low)));
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
