//! A lock whose machine code was changed on purpose: runs before and after the change are not compared.

use std::collections::BTreeMap;

use lockbench_reports::derive::digest::{CellDigest, Digest, Identity, Measure, Metric, Reading};
use lockbench_reports::judge::compare::compare;
use lockbench_reports::judge::history::{Collector, change_points};
use lockbench_reports::record::Status;
use lockbench_reports::show::trend;
use lockbench_reports::statistics::{MARGIN, Trips};

const CELL: &str = "ticket/native/short/2v:2p/compact/pinned";

/// A night on which the lock of this revision reached about this rate, in acquisitions per second.
fn night(number: usize, revision: u32, rate: f64) -> Digest {
    // Nights must differ a little: without any noise the test for a change point has nothing to compare with.
    let wobble = 1.0 + [0.0, 0.01, -0.01, 0.005, -0.005][number % 5];
    let window = |n: usize| Reading {
        value: rate * wobble * (1.0 + n as f64 * 1e-4),
        trips: Trips::first(Some(84.0)),
        count: 100_000,
    };
    let measure = Measure {
        metric: Metric::Rate,
        median: rate,
        low: rate,
        high: rate,
        windows: (0..6).map(window).collect(),
        untold: 0,
    };
    Digest {
        digest_version: 1,
        run_id: format!("night-{number:03}"),
        started_at: format!("2026-{:02}-{:02}T03:00:00Z", 1 + number / 28, 1 + number % 28),
        profile: "nightly".into(),
        machine: Identity::default(),
        environment: BTreeMap::new(),
        interrupted: false,
        report: None,
        skipped: Vec::new(),
        stopped_after: None,
        noise: Vec::new(),
        cells: vec![CellDigest {
            id: CELL.into(),
            lock: "ticket".into(),
            family: "ticket".into(),
            env: "native".into(),
            class: "contended".into(),
            halts: false,
            status: Status::Ok,
            reason: None,
            revision,
            measures: vec![measure],
        }],
    }
}

fn history(nights: impl Iterator<Item = Digest>) -> lockbench_reports::judge::history::History {
    let mut collector = Collector::default();
    nights.for_each(|night| collector.add(night));
    collector.finish()
}

#[test]
fn compare_refuses_a_ratio_across_revisions_and_says_why() {
    let base: Vec<Digest> = (0..6).map(|n| night(n, 1, 8e6)).collect();
    let comparison = compare(&base, &night(6, 2, 2e6), MARGIN).unwrap();
    let row = &comparison.rows[0];
    assert_eq!(row.ratio, None);
    let reason = row.verdict.reason().unwrap();
    assert!(reason.contains("ticket was changed on purpose (revision 1 in BASE, 2 in NEW)"), "{reason}");
    // Within one revision, the same figures are a finding.
    assert!(compare(&base, &night(6, 1, 2e6), MARGIN).unwrap().worse());
}

#[test]
fn runs_of_the_same_revision_alone_are_compared() {
    let base: Vec<Digest> = (0..8).map(|n| if n < 4 { night(n, 1, 8e6) } else { night(n, 2, 2e6) }).collect();
    let comparison = compare(&base, &night(8, 2, 2e6), MARGIN).unwrap();
    let ratio = comparison.rows[0].ratio.unwrap();
    assert!((ratio.median - 1.0).abs() < 0.03, "{ratio:?}");
    assert_eq!(comparison.rows[0].base_runs, 4);
}

#[test]
fn a_history_begins_a_marked_segment_at_a_revision() {
    let rates = |n: usize| if n < 30 { 8e6 } else { 2e6 };
    let unmarked = history((0..60).map(|n| night(n, 1, rates(n))));
    assert_eq!(change_points(&unmarked, &[], MARGIN).len(), 1, "without a revision the step is a change");
    let revised = history((0..60).map(|n| night(n, if n < 30 { 1 } else { 2 }, rates(n))));
    assert!(change_points(&revised, &[], MARGIN).is_empty(), "nothing is judged across revisions");
    assert_eq!(revised.series[0].revisions().collect::<Vec<_>>(), [(30, 2)]);
    let page = trend::render(&Identity::default(), &revised, &[], MARGIN).unwrap();
    assert!(page.contains("path class=\"revision\"") && page.contains("revision 2 of ticket begins"));
}

#[test]
fn a_change_within_a_revision_is_found_and_one_of_an_earlier_revision_stands_no_longer() {
    let night = |n: usize| match n {
        0..30 => night(n, 1, 8e6),
        30..60 => night(n, 1, 4e6),
        60..90 => night(n, 2, 4e6),
        _ => night(n, 2, 3e6),
    };
    let history = history((0..120).map(night));
    let changes = change_points(&history, &[], MARGIN);
    assert_eq!(changes.iter().map(|change| change.night).collect::<Vec<_>>(), [30, 90]);
    assert_eq!(changes.iter().map(|change| change.stands).collect::<Vec<_>>(), [false, true]);
}
