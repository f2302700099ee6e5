//! Whole runs compared: unchanged ones, a slower one, and ones that cannot be compared.

use lockbench_reports::derive::derive;
use lockbench_reports::derive::digest::{Digest, Metric};
use lockbench_reports::judge::compare::{
    Accepted, Comparison, Row, compare, compare_since, duel, markdown, text,
};
use lockbench_reports::judge::history::Blessing;
use lockbench_reports::record::{Line, Outcome, Results};
use lockbench_reports::statistics::{MARGIN, Verdict};

use crate::fixture;

fn results(seed: u64, change: impl Fn(&mut Line)) -> Results {
    let mut lines = fixture::lines(seed, 1.0);
    lines.iter_mut().for_each(change);
    derive(lines.into_iter())
}

fn digest(seed: u64) -> Digest {
    Digest::of(&results(seed, |_| ()))
}

/// Slows one lock's cells in one environment and workload.
fn slowed(line: &mut Line, lock: &str, workload: &str, by: f64) {
    if let Line::Round(round) = line
        && round.cell.starts_with(&format!("{lock}/"))
        && round.cell.contains(&format!("/{workload}/"))
        && let Outcome::Measured(measured) = &mut round.outcome
    {
        measured.operations.iter_mut().for_each(|count| *count = (*count as f64 * by) as u64);
    }
}

fn called(comparison: &Comparison) -> Vec<&str> {
    let called = comparison.rows.iter().filter(|row| matches!(row.verdict.word(), "worse" | "better"));
    // Cells that fail in the fixture are left out here.
    called.filter(|row| row.note.is_none()).map(|row| row.cell.as_str()).collect()
}

#[test]
fn unchanged_runs_are_called_the_same() {
    let runs: Vec<Digest> = (1..=6).map(digest).collect();
    let (mut rows, mut judged, mut better, mut worse) = (0, 0.0, 0, 0);
    for pair in runs.windows(2) {
        let comparison = compare(&pair[..1], &pair[1], MARGIN).unwrap();
        rows += comparison.rows.len();
        judged += comparison.judged() * comparison.rows.len() as f64;
        better += comparison.count("better");
        worse += comparison.count("worse");
    }
    println!("A/A, synthetic: {rows} rows, {judged:.0} judged, {better} better, {worse} worse");
    assert!(judged / rows as f64 > 0.8, "{judged} of {rows}");
    assert!((better + worse) as f64 <= 0.01 * judged, "{better} better, {worse} worse");
}

#[test]
fn a_slower_lock_is_worse_and_no_other() {
    let new = Digest::of(&results(99, |line| slowed(line, "ticket", "empty", 0.8)));
    let comparison = compare(&[digest(1)], &new, MARGIN).unwrap();
    assert!(comparison.worse());
    let mut expected = vec![
        "ticket/native/empty/1v:1p/compact/pinned",
        "ticket/native/empty/2v:2p/compact/pinned",
        "ticket/kvm/empty/1v:1p/compact/pinned",
    ];
    let mut found = called(&comparison);
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected, "{}", text(&comparison));
    let earlier: Vec<Digest> = (1..=8).map(digest).collect();
    assert!(compare(&earlier, &new, MARGIN).unwrap().worse());
}

/// Two runs of the fixture as one of twelve rounds.
fn twelve_rounds(seed: u64, change: impl Fn(&mut Line)) -> Results {
    let mut lines = fixture::lines(seed, 1.0);
    let end = lines.pop().unwrap();
    let more = fixture::lines(seed + 1_000, 1.0).into_iter().filter(|line| matches!(line, Line::Round(_)));
    lines.extend(more.map(|mut line| {
        if let Line::Round(round) = &mut line {
            round.round += fixture::ROUNDS;
        }
        line
    }));
    lines.push(end);
    if let Line::Header(header) = &mut lines[0] {
        header.rounds = 2 * fixture::ROUNDS;
    }
    lines.iter_mut().for_each(change);
    derive(lines.into_iter())
}

#[test]
fn a_duel_of_twelve_rounds_finds_the_slower_lock_and_no_other() {
    let base = twelve_rounds(1, |_| ());
    let slow = duel(&base, &twelve_rounds(2, |line| slowed(line, "ticket", "empty", 0.8)), MARGIN);
    let mut found = called(&slow);
    found.sort_unstable();
    let expected = [
        "ticket/kvm/empty/1v:1p/compact/pinned",
        "ticket/native/empty/1v:1p/compact/pinned",
        "ticket/native/empty/2v:2p/compact/pinned",
    ];
    assert_eq!(found, expected, "{}", text(&slow));
    assert!(slow.worse() && slow.count("better") == 0);
}

/// Gives every window of one cell this number of acquisitions per vCPU.
fn starved(line: &mut Line, cell: &str, rounds: std::ops::Range<u32>, count: u64) {
    if let Line::Round(round) = line
        && round.cell.starts_with(cell)
        && rounds.contains(&round.round)
        && let Outcome::Measured(measured) = &mut round.outcome
    {
        measured.operations.fill(count);
    }
}

fn row<'a>(comparison: &'a Comparison, cell: &str, metric: Metric) -> &'a Row {
    let fits = |row: &&Row| row.cell.starts_with(cell) && row.metric == metric;
    comparison.rows.iter().find(fits).unwrap_or_else(|| panic!("{cell} has no {}", metric.name()))
}

#[test]
fn a_lock_that_nobody_gets_any_more_is_worse() {
    let cell = "ticket/native/empty/1v:1p";
    let alone = |mut results: Results| {
        results.cells.retain(|of| of.axes.id.starts_with(cell));
        results
    };
    for count in [0, 1] {
        let change = |line: &mut Line| starved(line, cell, 0..99, count);
        let compared = compare(&[digest(1)], &Digest::of(&results(2, change)), MARGIN).unwrap();
        let found = row(&compared, cell, Metric::Rate);
        assert_eq!(found.verdict, Verdict::Worse, "{found:?}");
        assert!(found.ratio.unwrap().high < 1e-3 && found.note.is_some(), "{found:?}");
        let dueled = duel(&alone(twelve_rounds(1, |_| ())), &alone(twelve_rounds(2, change)), MARGIN);
        assert_eq!(row(&dueled, cell, Metric::Rate).verdict, Verdict::Worse);
    }
    // Ratios divide by BASE.
    let mended =
        compare(&[Digest::of(&results(2, |line| starved(line, cell, 0..99, 0)))], &digest(1), MARGIN)
            .unwrap();
    let reason = row(&mended, cell, Metric::Rate).verdict.reason().map(str::to_owned);
    assert_eq!(reason.as_deref(), Some("too few acquisitions to divide by: 0 in a window"));
}

#[test]
fn what_cannot_be_told_any_more_is_a_row() {
    let cell = "ticket/emulated/short+exp/2v:2p";
    let reason = |comparison: &Comparison, metric| {
        row(comparison, cell, metric).verdict.reason().unwrap_or("none").to_owned()
    };
    let no_tail = |line: &mut Line| {
        if let Line::Round(round) = line
            && let Outcome::Measured(measured) = &mut round.outcome
        {
            measured.acquire = None;
        }
    };
    let lost = "waits that had not ended reach the p99";
    let compared = compare(&[digest(1)], &Digest::of(&results(2, no_tail)), MARGIN).unwrap();
    assert_eq!(reason(&compared, Metric::Tail), format!("in 1 of 1 windows of NEW {lost}"));
    let dueled = duel(&results(1, no_tail), &results(2, |_| ()), MARGIN);
    assert_eq!(reason(&dueled, Metric::Tail), format!("in 1 of 1 windows of BASE {lost}"));
    // The windows that are left may all look good.
    let few = |line: &mut Line| starved(line, cell, 0..3, 10);
    let compared = compare(&[digest(1)], &Digest::of(&results(2, few)), MARGIN).unwrap();
    let half = "in 3 of 6 windows of NEW too few acquisitions were counted for shares";
    assert_eq!(reason(&compared, Metric::Fairness), half);
}

#[test]
fn a_duel_finds_the_same() {
    let base = results(1, |_| ());
    let unchanged = duel(&base, &results(2, |_| ()), MARGIN);
    assert!(called(&unchanged).is_empty(), "{}", text(&unchanged));
    // With six rounds p is 2/64 at best, too large for any family after Holm's correction; hence twelve here.
    let slow = duel(&base, &results(2, |line| slowed(line, "ticket", "empty", 0.8)), MARGIN);
    assert!(called(&slow).is_empty());
}

#[test]
fn other_machines_are_refused() {
    let mut other = digest(2);
    other.machine.pus = 64;
    let sentence = compare(&[digest(1)], &other, MARGIN).unwrap_err().to_string();
    assert!(sentence.contains("different machines cannot be compared"), "{sentence}");
    assert!(compare(&[], &other, MARGIN).is_err());
}

#[test]
fn windows_of_different_classes_are_not_compared() {
    let moved = Digest::of(&results(2, |line| {
        if let Line::Round(round) = line
            && let Outcome::Measured(measured) = &mut round.outcome
            && let Some(trips) = &mut measured.interconnect_ns
        {
            *trips = trips.map(|trip| trip * 5.0);
        }
    }));
    let comparison = compare(&[digest(1)], &moved, MARGIN).unwrap();
    let contended = comparison.rows.iter().find(|row| row.cell.contains("/2v:2p/")).unwrap();
    let reason = contended.verdict.reason().unwrap();
    assert!(reason.starts_with("pCPUs 8") && reason.contains(" ns in NEW"), "{reason}");
    let alone = comparison.rows.iter().find(|row| row.cell.contains("/empty/1v:1p/")).unwrap();
    assert_eq!(alone.verdict, Verdict::Same);
}

#[test]
fn an_accepted_change_is_what_later_runs_are_judged_by() {
    let night = |seed: u64, by: f64| {
        let mut digest = Digest::of(&results(seed, |line| slowed(line, "ticket", "empty", by)));
        digest.started_at = format!("2026-11-{seed:02}T03:15:00Z");
        digest
    };
    let base: Vec<Digest> = (1..=4).map(|seed| night(seed, if seed < 4 { 1.0 } else { 0.8 })).collect();
    let accepted = |run: &Digest| Accepted {
        blessing: Blessing {
            machine: run.machine.key(),
            cells: "ticket".into(),
            run_id: run.run_id.clone(),
            reason: "wanted".into(),
            blessed_at: "2026-11-30T00:00:00Z".into(),
        },
        started_at: run.started_at.clone(),
    };
    let new = night(5, 0.8);
    assert!(!called(&compare(&base[..3], &new, MARGIN).unwrap()).is_empty());
    let since = compare_since(&base, &new, MARGIN, &[accepted(&base[3])]).unwrap();
    assert!(called(&since).is_empty(), "{}", text(&since));
    let cell = "ticket/native/empty/1v:1p";
    assert_eq!((row(&since, cell, Metric::Rate).base_runs, since.accepted.len()), (1, 0));
    // A change accepted on this very night leaves nothing to compare with; one accepted later is not known yet.
    let very_night = compare_since(&base, &new, MARGIN, &[accepted(&new)]).unwrap();
    assert!(very_night.accepted.iter().any(|id| id.starts_with(cell)) && very_night.only_new.is_empty());
    assert!(text(&very_night).contains("accepted as changed, without an earlier run since"));
    let later = compare_since(&base, &new, MARGIN, &[accepted(&night(6, 0.8))]).unwrap();
    assert_eq!(row(&later, cell, Metric::Rate).base_runs, 4);
}

#[test]
fn a_whole_class_that_moves_is_no_finding() {
    let slower = Digest::of(&results(2, |line| {
        if let Line::Round(round) = line
            && round.cell.contains("/1v:1p/")
            && let Outcome::Measured(measured) = &mut round.outcome
        {
            measured.operations.iter_mut().for_each(|count| *count = *count * 7 / 10);
        }
    }));
    let comparison = compare(&[digest(1)], &slower, MARGIN).unwrap();
    let row = comparison.rows.iter().find(|row| row.cell.contains("/empty/")).unwrap();
    assert!(row.verdict.reason().unwrap().contains("changed together"), "{row:?}");
}

#[test]
fn what_is_printed_is_harmless_and_fits() {
    let mut new = digest(2);
    new.run_id = "<script>alert(1)</script>\u{1b}[2J|`x`\n@all".into();
    new.environment.insert("kernel".into(), "6.19 <b>".into());
    new.cells[0].id = "a|b`<img src=x>\u{202e}".into();
    let mut base = digest(1);
    base.cells[0].id = new.cells[0].id.clone();
    let comparison = compare(&[base], &new, MARGIN).unwrap();
    let markdown = markdown(&comparison);
    assert!(markdown.len() < 65_536, "{}", markdown.len());
    assert!(!markdown.contains("<b>") && !markdown.contains('\u{1b}') && !markdown.contains('\u{202e}'));
    let text = text(&comparison);
    assert!(!text.contains('\u{1b}') && text.contains("kernel 6.18.0-synthetic → 6.19"), "{text}");
    assert!(serde_json::to_value(&comparison).unwrap()["rows"][0]["verdict"].is_string());
}

/// Where runs lie apart by factors, bounds and spreads are told as factors: nothing can get 9,330 % worse.
#[test]
fn no_bound_is_told_in_hundreds_of_percent() {
    let wild = |seed: u64| {
        Digest::of(&results(seed, |line| {
            if let Line::Round(round) = line
                && round.cell.contains("/4v:2p/")
                && let Outcome::Measured(measured) = &mut round.outcome
            {
                let by = [1, 3, 40, 7][(round.round as usize + seed as usize + round.cell.len()) % 4];
                measured.operations.iter_mut().for_each(|count| *count *= by);
            }
        }))
    };
    let comparison = compare(&[wild(1)], &wild(2), MARGIN).unwrap();
    let widest = comparison.rows.iter().filter_map(|row| row.bound).fold(0.0, f64::max);
    assert!(widest > 5.0, "{widest}");
    for said in [text(&comparison), markdown(&comparison)] {
        assert!(said.contains(" times"), "{said}");
        for part in said.split('±').skip(1) {
            let figure = part.split(' ').next().unwrap().replace(',', "");
            assert!(figure.parse::<f64>().unwrap() < 100.0, "±{}", &part[..12.min(part.len())]);
        }
        let spreads = said.split("when nothing changed, and a cell").nth(1).unwrap_or_default();
        let words: Vec<&str> = spreads.split_whitespace().collect();
        for pair in words.windows(2).filter(|pair| pair[1].starts_with('%')) {
            assert!(pair[0].replace(',', "").parse::<f64>().unwrap() < 100.0, "{pair:?}");
        }
    }
}
