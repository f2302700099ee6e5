//! Whole runs compared: unchanged ones, a slower one, and ones that cannot be compared.

mod fixture;

use lockbench_reports::compare::{Comparison, compare, duel, markdown, text};
use lockbench_reports::derive::derive;
use lockbench_reports::digest::Digest;
use lockbench_reports::record::{Line, Outcome, Results};
use lockbench_reports::statistics::{MARGIN, Verdict};

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
    // Cells that fail in the fixture are another matter.
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

#[test]
fn a_duel_finds_the_same() {
    let base = results(1, |_| ());
    let unchanged = duel(&base, &results(2, |_| ()), MARGIN);
    assert!(called(&unchanged).is_empty(), "{}", text(&unchanged));
    // Six rounds: p = 2/64 at best, which no family survives; so many are asked for on purpose.
    let slow = duel(&base, &results(2, |line| slowed(line, "ticket", "empty", 0.8)), MARGIN);
    assert!(called(&slow).is_empty());
}

#[test]
fn other_machines_are_refused() {
    let mut other = digest(2);
    other.machine.pus = 64;
    let sentence = compare(&[digest(1)], &other, MARGIN).unwrap_err();
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
    assert!(row.verdict.reason().unwrap().contains("moved together"), "{row:?}");
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
