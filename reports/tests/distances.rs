//! Runs on several NUMA nodes: a window's noise group uses every pair of pCPUs that was looked at; older records have one pair.

use std::path::Path;

use lockbench_reports::derive::derive;
use lockbench_reports::derive::digest::{Digest, Metric};
use lockbench_reports::derive::run_dir;
use lockbench_reports::judge::answers::answers;
use lockbench_reports::judge::compare::{Row, compare};
use lockbench_reports::record::{Cell, Line, Measured, Outcome, Pair, PingPong, Results};
use lockbench_reports::show::{csv, html};
use lockbench_reports::statistics::{MARGIN, Verdict};

use crate::fixture;

const CELL: &str = "ticket/emulated/short+exp/4v:2p/compact/pinned";
/// A cell whose rate follows the distance of its pCPUs.
const CONTENDED: &str = "ticket/emulated/short+exp/2v:2p/compact/pinned";

/// Adds a pair across two nodes to a window that has a ping-pong, `across` nanoseconds apart.
fn look_across(measured: &mut Measured, across: f64) {
    let Some([before_ns, after_ns]) = measured.interconnect_ns else { return };
    let inside = Pair { pcpus: [0, 1], nodes: [0, 0] };
    let far = Pair { pcpus: [0, 6], nodes: [0, 3] };
    measured.ping_pongs = vec![
        PingPong { pair: inside, before_ns, after_ns },
        PingPong { pair: far, before_ns: across, after_ns: across * 1.01 },
    ];
}

/// A run whose windows looked at a pair across two nodes. `across` gives that pair's handover time by cell and round, or
/// none, as on a machine with one node.
fn run(seed: u64, across: impl Fn(&str, u32) -> Option<f64>) -> Results {
    let mut lines = fixture::lines(seed, 1.0);
    for line in &mut lines {
        if let Line::Round(round) = line
            && let Some(across) = across(&round.cell, round.round)
            && let Outcome::Measured(measured) = &mut round.outcome
        {
            look_across(measured, across);
        }
    }
    derive(lines.into_iter())
}

fn cell(results: &Results) -> &Cell {
    results.cells.iter().find(|cell| cell.axes.id == CELL).unwrap()
}

fn rate(base: &Results, new: &Results) -> Row {
    let comparison = compare(&[Digest::of(base)], &Digest::of(new), MARGIN).unwrap();
    comparison.rows.into_iter().find(|row| row.cell == CONTENDED && row.metric == Metric::Rate).unwrap()
}

#[test]
fn windows_whose_pair_across_moved_are_left_out_of_a_cell() {
    let still = run(7, |_, _| Some(300.0));
    let one_moved = run(7, |id, round| Some(if id == CELL && round == 2 { 900.0 } else { 300.0 }));
    assert_eq!(cell(&one_moved).windows_used, cell(&still).windows_used - 1);
    let note = "1 of 6 windows left out: the pCPUs were at another distance";
    assert!(cell(&one_moved).notes.iter().any(|said| said == note), "{:?}", cell(&one_moved).notes);
    let distances = &cell(&one_moved).distances;
    assert_eq!(distances[1].pair, Pair { pcpus: [0, 6], nodes: [0, 3] });
    assert!(distances[1].longest_ns < 310.0, "of the windows in use: {distances:?}");
    assert_eq!(cell(&still).interconnect_ns.unwrap(), [distances[0].shortest_ns, distances[0].longest_ns]);
    let plain = run(7, |_, _| None);
    assert_eq!(csv::cells(&plain), csv::cells(&still), "the columns are those of the first pair");
    assert!(!serde_json::to_string(&plain).unwrap().contains("\"distances\""));
}

#[test]
fn the_pair_that_keeps_two_runs_apart_is_named() {
    let (near, far) = (run(1, |_, _| Some(300.0)), run(2, |_, _| Some(900.0)));
    let told = "CPUs 0 and 6 across nodes 0 and 3: 301 ns apart in BASE, 904 ns in NEW";
    assert_eq!(rate(&near, &far).verdict, Verdict::NotEnoughData(told.into()));
    assert!(rate(&near, &run(2, |_, _| Some(310.0))).ratio.is_some());
    let page = html::render(&[near, far]).unwrap();
    assert!(page.contains("CPUs 0 and 6 across nodes 0 and 3: 301 ns apart in the first, 904 ns here"));
}

#[test]
fn the_pair_that_keeps_two_locks_apart_is_named() {
    let results = run(7, |id, _| Some(if id.starts_with("pv-ticket/emulated") { 900.0 } else { 300.0 }));
    let said = answers(&results).cure.statements[0].to_string();
    let told = "not enough data: CPUs 0 and 6 across nodes 0 and 3: 904 ns apart in one, 301 ns in the other";
    assert!(said.contains(told), "{said}");
    let said = answers(&run(7, |_, _| Some(300.0))).problem.statements[0].to_string();
    assert!(said.contains(" apart in a NUMA node, 301 ns to 301 ns across two"), "{said}");
}

#[test]
fn runs_of_older_builds_are_compared_by_the_pair_that_both_have() {
    let (older, newer) = (run(1, |_, _| None), run(2, |_, _| Some(300.0)));
    assert!(rate(&older, &newer).ratio.is_some());
    assert!(rate(&newer, &older).ratio.is_some());
    let mut moved = run(2, |_, _| None);
    for measured in moved.cells.iter_mut().flat_map(|cell| &mut cell.rounds) {
        if let Outcome::Measured(measured) = &mut measured.outcome {
            measured.interconnect_ns = measured.interconnect_ns.map(|trips| trips.map(|trip| trip * 5.0));
            look_across(measured, 300.0);
        }
    }
    let verdict = rate(&older, &moved).verdict;
    let reason = verdict.reason().unwrap();
    assert!(reason.starts_with("CPUs 0 and 1 in node 0: 8") && reason.ends_with(" ns in NEW"), "{reason}");
}

#[test]
fn a_record_of_an_older_build_classes_as_before() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records/2026-11-22.jsonl");
    let older = run_dir::read(&file).unwrap();
    let [emulated, native] = [&older.cells[0], &older.cells[1]];
    assert_eq!((emulated.windows_used, native.windows_used), (4, 6), "two windows were at another distance");
    let [low, high] = emulated.interconnect_ns.unwrap();
    assert_eq!(([low, high].map(|ns| ns.round()), native.interconnect_ns), ([63.0, 65.0], None));
    assert!(emulated.notes.iter().any(|note| note.starts_with("2 of 6 windows left out")));
    assert!(older.cells.iter().all(|cell| cell.distances.is_empty()));
    // Digested as before, row by row, and read back the same.
    let digest = serde_json::to_string(&Digest::of(&older)).unwrap();
    assert!(!digest.contains("pair"));
    assert_eq!(serde_json::from_str::<Digest>(&digest).unwrap(), Digest::of(&older));
}
