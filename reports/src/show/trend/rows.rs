//! Rows of the page's tables: what stands, what failed, what changed, what is skipped. Each names its locks.

use serde::Serialize;

use super::view::link;
use crate::format::{counted, printable, range, ratio};
use crate::judge::alerts::{Alert, Alerts};
use crate::judge::history::{ChangePoint, Failure, History, Judgement, Skip, Standing, State, best_dated};
use crate::record::Interval;

/// One lock and what became of it: `pv-queued`, `up to 31 % slower (6 cells)`.
#[derive(Serialize)]
pub(super) struct Told {
    lock: String,
    what: String,
}

/// One series of a row.
#[derive(Serialize)]
pub(super) struct One {
    anchor: String,
    cell: String,
    metric: &'static str,
    said: String,
    figures: String,
}

impl One {
    fn of(series: usize, cell: &str, metric: crate::derive::digest::Metric, of: Interval) -> Self {
        Self {
            anchor: format!("s{series}"),
            cell: printable(cell),
            metric: metric.name(),
            said: metric.size(of),
            figures: format!("{}, {}", ratio(of.median), range(of, ratio)),
        }
    }
}

/// Series of one lock that stand in the same way since the same night.
#[derive(Serialize)]
pub(super) struct StandingRow {
    #[serde(flatten)]
    told: Told,
    worse: bool,
    since: String,
    than: String,
    series: Vec<One>,
}

/// The rows of the series that stand in this way, the largest difference first.
pub(super) fn standings(judgement: &Judgement, state: State) -> Vec<StandingRow> {
    let one =
        |standing: &&Standing| One::of(standing.series, &standing.cell, standing.metric, standing.ratio);
    let mut rows = Vec::new();
    for group in judgement.that_stand_together(state) {
        let alerts = group.iter().filter_map(|standing| standing.alert()).collect();
        let first = group[0];
        rows.extend(told(alerts).into_iter().map(|told| StandingRow {
            told,
            worse: state == State::Worse,
            since: first.since.clone().unwrap_or_default(),
            than: first.than(),
            series: group.iter().map(one).collect(),
        }));
    }
    rows
}

/// A cell that failed in the latest night.
#[derive(Serialize)]
pub(super) struct FailureRow {
    lock: String,
    cell: String,
    how: &'static str,
    date: String,
    anchor: Option<String>,
}

pub(super) fn failures(history: &History, judgement: &Judgement) -> Vec<FailureRow> {
    let row = |failure: &Failure| FailureRow {
        lock: printable(&failure.lock),
        cell: printable(&failure.cell),
        how: failure.failed.word(),
        date: failure.date.clone(),
        anchor: history.series.iter().position(|of| of.cell == failure.cell).map(|index| format!("s{index}")),
    };
    judgement.failures.iter().map(row).collect()
}

/// The changes of one night in one direction (and, if they were blessed, with one reason), for they often have one cause.
#[derive(Serialize)]
pub(super) struct ChangeRow {
    worse: bool,
    date: String,
    after: String,
    told: Vec<Told>,
    series: Vec<One>,
    environment: Vec<String>,
    blessed: Option<String>,
    /// Whether its series have changed since: `stands`, `2 of 6 series stand`.
    state: String,
    link: Option<String>,
}

/// The changes, the latest night first.
pub(super) fn changes(history: &History, judgement: &Judgement) -> Vec<ChangeRow> {
    judgement.changes_together().iter().rev().map(|group| change(history, group)).collect()
}

fn change(history: &History, group: &[&ChangePoint]) -> ChangeRow {
    let first = best_dated(group);
    let one = |change: &&ChangePoint| One::of(change.series, &change.cell, change.metric, change.ratio);
    let state = match group.iter().filter(|change| change.stands).count() {
        0 => "changed again later, or no longer measured".into(),
        all if all == group.len() => "stands".into(),
        some => format!("{some} of {} stand", counted(group.len(), "series")),
    };
    ChangeRow {
        worse: first.worse(),
        date: first.date.clone(),
        after: first.after.clone(),
        told: told(group.iter().map(|change| change.alert()).collect()),
        series: group.iter().map(one).collect(),
        environment: first.environment.iter().map(|d| format!("{}: {}", d.date, d.change)).collect(),
        blessed: first.blessed.clone(),
        state,
        link: history.nights[first.night].report.as_deref().and_then(link),
    }
}

/// Cells that were skipped in the same nights for the same reason.
#[derive(Serialize)]
pub(super) struct SkipRow {
    since: String,
    nights: usize,
    measured: String,
    reason: String,
    locks: Vec<String>,
    cells: Vec<String>,
}

impl SkipRow {
    pub(super) fn of(skip: &Skip) -> Self {
        let cells: Vec<String> = skip.skipped.iter().map(|cell| printable(cell)).collect();
        let mut locks: Vec<String> =
            cells.iter().filter_map(|cell| cell.split('/').next()).map(str::to_owned).collect();
        locks.dedup();
        Self {
            since: skip.since.clone(),
            nights: skip.nights,
            measured: skip.measured.clone().unwrap_or_else(|| "never".into()),
            reason: printable(&skip.reason),
            locks,
            cells,
        }
    }
}

/// What is told of alerts that are all for the worse or all for the better.
fn told(alerts: Vec<Alert>) -> Vec<Told> {
    Alerts(alerts).changed().into_iter().map(|(lock, what)| Told { lock, what }).collect()
}
