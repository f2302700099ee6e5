//! Judges a duel: two builds that ran in alternating rounds.
//!
//! Whatever the machine did in a round it did to both builds, so rounds are the unit and only the differences inside them
//! count. Each family of locks is tested first, by flipping the signs of whole rounds; then its cells.

use std::collections::BTreeMap;

use super::tally::{Tally, Told, told};
use super::{Comparison, Row};
use crate::derive::Selection;
use crate::derive::digest::{CellDigest, Digest, Metric, changes, readings};
use crate::judge::comparison::word;
use crate::record::{Cell, FIRST_REVISION, Interval, Purpose, Results, Status};
use crate::statistics::{
    FALSE_DISCOVERIES, FEWEST_PAIRS, SEED, Verdict, Window, benjamini_hochberg, interval, median,
    most_extreme, ratios, rounds_in_class,
};

/// A window without any acquisition counts as this many, for a logarithm needs a positive number.
const HALF_ACQUISITION: f64 = 0.5;

/// Judges two results whose rounds with the same number were taken one after the other.
pub fn duel(base: &Results, new: &Results, margin: f64) -> Comparison {
    let (a, b) = (Digest::of(base), Digest::of(new));
    let mut comparison = Comparison {
        kind: "duel",
        machine: b.machine.to_string(),
        machine_key: b.machine.key(),
        base: vec![a.run_id.clone()],
        new: b.run_id.clone(),
        locks: Vec::new(),
        changed: changes(&a.environment, &b.environment),
        margin,
        false_discoveries: FALSE_DISCOVERIES,
        spreads: Vec::new(),
        rows: Vec::new(),
        skipped: Vec::new(),
        only_base: Vec::new(),
        only_new: Vec::new(),
        accepted: Vec::new(),
        notes: Vec::new(),
    };
    let mut differences: Vec<Rounds> = Vec::new();
    let mut untold: Vec<Option<String>> = Vec::new();
    for cell in &new.cells {
        let Some(other) = base.cells.iter().find(|other| other.axes.id == cell.axes.id) else { continue };
        for drawn in rows(other, cell, base.rounds.max(new.rounds)) {
            comparison.rows.push(drawn.row);
            differences.push(drawn.rounds);
            untold.push(drawn.untold);
        }
    }
    let believed = believed(&mut comparison.rows, &differences);
    for ((row, believed), untold) in comparison.rows.iter_mut().zip(believed).zip(untold) {
        if let Some(ratio) = row.ratio {
            row.bound = Some(margin);
            row.verdict = verdict(ratio, margin, believed, row.p.unwrap_or(1.0));
        }
        if let Some(reason) = untold {
            row.verdict.worse_at_most(&reason);
        }
    }
    comparison
}

/// Logarithm of the ratio of NEW to BASE, by number of the round.
type Rounds = Vec<Option<f64>>;

/// A row before it is judged.
struct Drawn {
    row: Row,
    rounds: Rounds,
    /// Why the row may only become *worse* or *not enough data*.
    untold: Option<String>,
}

fn rows(base: &Cell, new: &Cell, rounds: u32) -> Vec<Drawn> {
    let failed = |status| matches!(status, Status::Broken | Status::Crashed | Status::Hung);
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
        failed: Some(new.status).filter(|status| failed(*status)),
    };
    let alone = |row: Row| vec![Drawn { row, rounds: vec![None; rounds as usize], untold: None }];
    let reason = |cell: &Cell| cell.reason.as_deref().map_or(String::new(), |why| format!(": {why}"));
    match (failed(base.status), failed(new.status)) {
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

fn by_rounds(row: Row, base: &Cell, new: &Cell, rounds: u32) -> (Row, Rounds) {
    match row.metric {
        Metric::Rate => rate(row, base, new, rounds),
        Metric::Fairness | Metric::Tail => reading(row, base, new, rounds),
    }
}

fn rate(mut row: Row, base: &Cell, new: &Cell, rounds: u32) -> (Row, Rounds) {
    let [a, b] = [base, new].map(|cell| Selection::comparable(&cell.rounds, Purpose::Rate).windows());
    let counted =
        |window: &Window| (window.operations as f64).max(HALF_ACQUISITION) / window.window_ns as f64;
    let paired = ratios(&b, &a);
    let pairs = rounds_in_class(&b, &a);
    let mut logs = vec![None; rounds as usize];
    for (new, base) in &pairs {
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
    let purpose = if metric == Metric::Tail { Purpose::Latency } else { Purpose::Rate };
    let of = |cell: &Cell| -> BTreeMap<u32, f64> {
        readings(cell, metric).into_iter().map(|(round, reading)| (round, reading.value)).collect()
    };
    let (a, b) = (of(base), of(new));
    let windows = |cell: &Cell| Selection::comparable(&cell.rounds, purpose).windows();
    let pairs: Vec<(u32, f64, f64)> = rounds_in_class(&windows(new), &windows(base))
        .iter()
        .filter_map(|(window, _)| Some((window.round, *a.get(&window.round)?, *b.get(&window.round)?)))
        .filter(|(_, a, b)| *a > 0.0 && *b > 0.0)
        .collect();
    row.base = median(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
    row.new = median(&pairs.iter().map(|pair| pair.2).collect::<Vec<_>>());
    let mut logs: Rounds = vec![None; rounds as usize];
    if pairs.len() < FEWEST_PAIRS {
        row.verdict = Verdict::NotEnoughData(too_few(pairs.len()));
        return (row, logs);
    }
    let found: Vec<f64> =
        pairs.iter().map(|(_, a, b)| (metric.goodness(*b) / metric.goodness(*a)).ln()).collect();
    for ((round, ..), log) in pairs.iter().zip(&found) {
        if let Some(entry) = logs.get_mut(*round as usize) {
            *entry = Some(*log);
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

/// Fills in the p-values and returns which rows to believe: cells that differ, in families that differ.
fn believed(rows: &mut [Row], differences: &[Rounds]) -> Vec<bool> {
    let mut families: Vec<(String, Vec<usize>)> = Vec::new();
    for (index, row) in rows.iter().enumerate().filter(|(_, row)| row.ratio.is_some()) {
        match families.iter_mut().find(|(name, _)| *name == row.family) {
            Some((_, members)) => members.push(index),
            None => families.push((row.family.clone(), vec![index])),
        }
    }
    let mut of_families = Vec::new();
    for (_, members) in &families {
        let cells: Vec<Rounds> = members.iter().map(|&index| differences[index].clone()).collect();
        let p = most_extreme(&cells, SEED);
        of_families.push(p.iter().copied().fold(1.0, f64::min));
        for (&index, p) in members.iter().zip(p) {
            rows[index].p = Some(p);
        }
    }
    let chosen = benjamini_hochberg(&of_families, FALSE_DISCOVERIES);
    let part = chosen.iter().filter(|&&yes| yes).count() as f64 / families.len().max(1) as f64;
    let mut believed = vec![false; rows.len()];
    for ((_, members), yes) in families.iter().zip(chosen) {
        for &index in members {
            // These p-values already allow for every other cell of the family.
            believed[index] = yes && rows[index].p.is_some_and(|p| p <= FALSE_DISCOVERIES * part);
        }
    }
    believed
}

fn verdict(ratio: Interval, margin: f64, believed: bool, p: f64) -> Verdict {
    let bound = 1.0 + margin;
    let clear = ratio.low > bound || ratio.high < 1.0 / bound;
    if clear && believed {
        if ratio.median > 1.0 { Verdict::Better } else { Verdict::Worse }
    } else if ratio.low >= 1.0 / bound && ratio.high <= bound {
        Verdict::Same
    } else if clear {
        Verdict::NotEnoughData(format!("a difference this large comes about by chance with p = {p:.2}"))
    } else {
        let percent = crate::format::percent(margin);
        Verdict::NotEnoughData(format!("the interval straddles the margin of {percent}"))
    }
}
