//! The columns' values for a run, in the CSV and in the page's table.

use std::collections::BTreeSet;

use lockbench_reports::derive::derive;
use lockbench_reports::record::{
    FAILED_ACQUISITIONS, Facility, Instant, Line, Outcome, QuotaUse, Replay, Results, Round, Status,
};
use lockbench_reports::show::columns::{COLUMNS, rows};
use lockbench_reports::show::csv;

use crate::fixture;

/// The synthetic run; in each window that took times, one wait was still unfinished when the window ended. One cell had a CPU quota and
/// a lock that gave acquisitions up, some replayed a log.
fn results() -> Results {
    let mut lines = fixture::lines(7, 1.0);
    for line in &mut lines {
        if let Line::Round(round) = line
            && let Outcome::Measured(measured) = &mut round.outcome
            && let Some(acquire) = &mut measured.acquire
        {
            acquire.censored.push(10_000_000_000);
        }
        if let Line::Round(round) = line
            && let Outcome::Measured(measured) = &mut round.outcome
            && round.cell.starts_with("tas/kvm/short+exp/4v:2p")
        {
            measured.counters.insert(FAILED_ACQUISITIONS.into(), 3);
            measured.quota = Some(QuotaUse { periods: 20, throttled: 19, ..QuotaUse::default() });
        }
        if let Line::Round(round) = line
            && let Outcome::Measured(measured) = &mut round.outcome
            && round.cell.starts_with("tas/emulated/")
            && let Some(schedule) = &mut measured.schedule
        {
            let instant =
                Instant { pcpu: 0, vcpu: 1, comes: true, planned_ns: 10_000_000, done_ns: Some(10_020_000) };
            schedule.replay =
                Some(Replay { instants: vec![instant], left_over_share: 0.2, ..Replay::default() });
        }
    }
    derive(lines.into_iter())
}

#[test]
fn every_column_tells_something_of_some_cell() {
    let results = results();
    for column in COLUMNS {
        let plain: BTreeSet<String> =
            rows(&results, |row| (column.of)(row).value.plain()).into_iter().collect();
        assert!(plain.iter().any(|value| !value.is_empty()), "{} has no value", column.name);
        let shown = rows(&results, |row| (column.of)(row).shown());
        assert!(
            column.heading.is_none() || shown.iter().any(|text| !text.is_empty() && text != "–"),
            "{} shows nothing",
            column.name
        );
    }
}

/// A column that lost its value is noticed here.
#[test]
fn the_csv_of_some_cells() {
    let results = results();
    let csv = csv::cells(&results);
    let mut lines = csv.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let wanted = [
        "ticket/native/short+exp/2v:2p",
        "pv-ticket/emulated/short+exp/4v:2p/compact/pinned,",
        "tas/kvm/short+exp/4v:2p",
    ];
    let told: Vec<String> = lines
        .filter(|line| wanted.iter().any(|cell| line.contains(&format!(",{cell}"))))
        .map(|line| {
            names.iter().zip(line.split(',')).map(|(name, value)| format!("{name}: {value}\n")).collect()
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn an_unknown_share_of_the_pcpus_is_a_dash_with_its_reason() {
    let why = "/proc shows another pid namespace";
    let mut lines = fixture::lines(7, 1.0);
    for line in &mut lines {
        match line {
            Line::Header(header) => header.machine.facilities.push(Facility {
                name: "thread-times".into(),
                available: false,
                detail: why.into(),
            }),
            Line::Round(Round { outcome: Outcome::Measured(measured), .. }) => measured.on_cpu_share.clear(),
            _ => {}
        }
    }
    let results = derive(lines.into_iter());
    let column = COLUMNS.iter().find(|column| column.name == "on_cpu_share").unwrap();
    let told = rows(&results, |row| (row.cell.status, (column.of)(row)));
    let measured: Vec<_> = told.iter().filter(|(status, _)| *status == Status::Ok).collect();
    assert!(!measured.is_empty());
    for (_, told) in measured {
        assert_eq!((told.shown().as_str(), told.why.as_str()), ("–", why));
    }
}
