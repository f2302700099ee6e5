//! The rows of a duel before they are judged: ratios of two builds that ran in alternating rounds.
//!
//! Whatever the machine did in a round it did to both builds, so rounds are the unit and only the differences inside them
//! count.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Row;
use super::tally::{Tally, Told, told};
use crate::derive::digest::{CellDigest, Metric, readings};
use crate::derive::{Selection, noise_group};
use crate::judge::any_distance::set_by_scheduler;
use crate::judge::comparison::word;
use crate::record::{Cell, FIRST_REVISION, Interval, Purpose, Status};
use crate::statistics::{
    FEWEST_PAIRS, Trips, Verdict, Window, interval, median, ratios, rounds_at_one_distance, rounds_in_class,
};

/// A window without any acquisition counts as this many, for a logarithm needs a positive number.
const HALF_ACQUISITION: f64 = 0.5;

/// Logarithm of the ratio of NEW to BASE, by number of the round in its stage.
pub(super) type Rounds = Vec<Option<f64>>;

/// A row before it is judged.
pub(super) struct Drawn {
    /// The row; its verdict is final where it has no ratio.
    pub(super) row: Row,
    /// The differences that its ratio rests on.
    pub(super) rounds: Rounds,
    /// Why the row may only become *worse* or *not enough data*.
    pub(super) untold: Option<String>,
}

/// The rows of a cell over the rounds with these numbers.
pub(super) fn rows(base: &Cell, new: &Cell, numbers: &Range<u32>) -> Vec<Drawn> {
    let [base, new] = &[base, new].map(|cell| in_rounds(cell, numbers));
    let rounds = numbers.end - numbers.start;
    let mut row = Row {
        cell: new.axes.id.clone(),
        lock: new.axes.lock.clone(),
        family: new.axes.baseline.clone().unwrap_or_else(|| new.axes.lock.clone()),
        metric: Metric::Rate,
        base: None,
        new: None,
        ratio: None,
        bound: None,
        p: None,
        base_runs: 1,
        verdict: Verdict::NotEnoughData("no ratio could be taken".into()),
        note: None,
        failed: Some(new.status).filter(|status| status.failed()),
    };
    let alone = |row: Row| vec![Drawn { row, rounds: vec![None; rounds as usize], untold: None }];
    let reason = |cell: &Cell| cell.reason.as_deref().map_or(String::new(), |why| format!(": {why}"));
    match (base.status.failed(), new.status.failed()) {
        (false, false) if base.status == Status::Ok && new.status == Status::Ok => {}
        (false, true) => {
            row.verdict = Verdict::Worse;
            row.note = Some(format!("{} in NEW{}", word(new.status), reason(new)));
            return alone(row);
        }
        (true, false) if new.status == Status::Ok => {
            row.verdict = Verdict::Better;
            row.note = Some(format!("was {} in BASE{}", word(base.status), reason(base)));
            return alone(row);
        }
        _ => {
            let why = format!("{} in BASE, {} in NEW{}", word(base.status), word(new.status), reason(new));
            row.verdict = Verdict::NotEnoughData(why);
            return alone(row);
        }
    }
    // A duel asks what another build does to a lock, so it does compare different revisions.
    let [a, b] = [base, new].map(|cell| CellDigest::of(cell, FIRST_REVISION, false));
    let mut found = Vec::new();
    for metric in Metric::ALL {
        let mut row = Row { metric, ..row.clone() };
        let (partly, (row, rounds)) = match told(metric, Tally::of([&a], metric), Tally::of([&b], metric)) {
            Told::Nowhere => continue,
            Told::Missing(reason) => {
                row.verdict = Verdict::NotEnoughData(reason);
                found.extend(alone(row));
                continue;
            }
            Told::Partly(reason) => (Some(reason), by_rounds(row, base, new, rounds)),
            Told::Well => (None, by_rounds(row, base, new, rounds)),
        };
        found.push(Drawn { row, rounds, untold: partly });
    }
    // A cell in whose every window the pCPUs moved still has a row.
    if found.is_empty() { alone(row) } else { found }
}

/// The cell with the rounds of these numbers alone, counted from 0.
fn in_rounds(cell: &Cell, numbers: &Range<u32>) -> Cell {
    let mut cell = cell.clone();
    cell.rounds.retain(|round| numbers.contains(&round.round));
    cell.rounds.iter_mut().for_each(|round| round.round -= numbers.start);
    cell
}

/// The windows of a metric on both sides. Where the scheduler sets the metric, it does not matter how far apart the pCPUs were.
fn windows(base: &Cell, new: &Cell, metric: Metric) -> [Vec<Window>; 2] {
    let of = |cell: &Cell, purpose| Selection::comparable(&cell.rounds, purpose).windows();
    let any_distance = [base, new].into_iter().all(|cell| {
        let windows = of(cell, Purpose::Rate);
        let rates: Vec<f64> = windows.iter().map(Window::rate).collect();
        set_by_scheduler(metric, noise_group(&cell.axes), &rates, windows.iter().map(|window| &window.trips))
    });
    let purpose = if metric == Metric::Tail { Purpose::Latency } else { Purpose::Rate };
    [base, new].map(|cell| {
        let mut windows = of(cell, purpose);
        if any_distance {
            windows.iter_mut().for_each(|window| window.trips = Trips::default());
        }
        windows
    })
}

fn by_rounds(row: Row, base: &Cell, new: &Cell, rounds: u32) -> (Row, Rounds) {
    match row.metric {
        Metric::Rate => rate(row, base, new, rounds),
        Metric::Fairness | Metric::Tail => reading(row, base, new, rounds),
    }
}

fn rate(mut row: Row, base: &Cell, new: &Cell, rounds: u32) -> (Row, Rounds) {
    let [a, b] = windows(base, new, Metric::Rate);
    let counted =
        |window: &Window| (window.operations as f64).max(HALF_ACQUISITION) / window.window_ns as f64;
    let paired = ratios(&b, &a);
    let pairs = rounds_in_class(&b, &a);
    let mut logs = vec![None; rounds as usize];
    // Whether the builds differ at all is tested by every round, for its two windows were at one distance; by how much, in one class.
    for (new, base) in &rounds_at_one_distance(&b, &a) {
        if let Some(entry) = logs.get_mut(new.round as usize) {
            *entry = Some((counted(new) / counted(base)).ln()).filter(|log| log.is_finite());
        }
    }
    row.ratio = paired.ratio.filter(|_| pairs.len() >= FEWEST_PAIRS);
    row.base = median(&pairs.iter().map(|(_, base)| base.rate()).collect::<Vec<_>>());
    row.new = median(&pairs.iter().map(|(new, _)| new.rate()).collect::<Vec<_>>());
    if row.ratio.is_none() {
        row.verdict = Verdict::NotEnoughData(paired.missing.unwrap_or_else(|| too_few(pairs.len())));
        logs = vec![None; rounds as usize];
    }
    (row, logs)
}

/// Fairness and tail latency, round by round.
fn reading(mut row: Row, base: &Cell, new: &Cell, rounds: u32) -> (Row, Rounds) {
    let metric = row.metric;
    let of = |cell: &Cell| -> BTreeMap<u32, f64> {
        readings(cell, metric).into_iter().map(|(round, reading)| (round, reading.value)).collect()
    };
    let (a, b) = (of(base), of(new));
    let [base_windows, new_windows] = windows(base, new, metric);
    let values = |pairs: Vec<(Window, Window)>| -> Vec<(u32, f64, f64)> {
        let values = pairs
            .iter()
            .filter_map(|(window, _)| Some((window.round, *a.get(&window.round)?, *b.get(&window.round)?)));
        values.filter(|(_, a, b)| *a > 0.0 && *b > 0.0).collect()
    };
    let log = |a: f64, b: f64| (metric.goodness(b) / metric.goodness(a)).ln();
    let pairs = values(rounds_in_class(&new_windows, &base_windows));
    row.base = median(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
    row.new = median(&pairs.iter().map(|pair| pair.2).collect::<Vec<_>>());
    let mut logs: Rounds = vec![None; rounds as usize];
    if pairs.len() < FEWEST_PAIRS {
        row.verdict = Verdict::NotEnoughData(too_few(pairs.len()));
        return (row, logs);
    }
    let found: Vec<f64> = pairs.iter().map(|(_, a, b)| log(*a, *b)).collect();
    for (round, a, b) in values(rounds_at_one_distance(&new_windows, &base_windows)) {
        if let Some(entry) = logs.get_mut(round as usize) {
            *entry = Some(log(a, b));
        }
    }
    let exp =
        |logs: Interval| Interval { median: logs.median.exp(), low: logs.low.exp(), high: logs.high.exp() };
    row.ratio = interval(&found).map(exp);
    (row, logs)
}

fn too_few(rounds: usize) -> String {
    format!("{rounds} usable rounds; {FEWEST_PAIRS} are needed")
}
