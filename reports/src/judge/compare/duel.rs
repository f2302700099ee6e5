//! Judges a duel: two builds that ran in alternating rounds, in one stage or in two.
//!
//! Each family of locks is tested first, by flipping the signs of whole rounds; then its cells, stepping down.

use super::paired::{Drawn, Rounds, rows};
use super::stages::{Stage, stages};
use super::{Comparison, Row};
use crate::derive::digest::Digest;
use crate::record::{Cell, Interval, Results};
use crate::statistics::{SEED, Verdict, benjamini_hochberg, step_down};

/// Of the cells at most this part takes the rounds of a second stage, or one cell.
const MOST_UNCLEAR: f64 = 1.0 / 3.0;

/// Judges two results whose rounds with the same number were taken one after the other.
pub fn duel(base: &Results, new: &Results, margin: f64) -> Comparison {
    let (a, b) = (Digest::of(base), Digest::of(new));
    let mut comparison = Comparison::without_rows("duel", vec![a.run_id.clone()], &a, &b, margin);
    let (first, second) = stages(base, new);
    let cells = in_both(base, new);
    comparison.rows = judged(&cells, &first, margin, &|_| true);
    if let Some(second) = second {
        let all = cells.len();
        let again: Vec<(&Cell, &Cell)> = cells.into_iter().filter(|cells| second.has(cells)).collect();
        comparison.notes.extend(judge_again(&mut comparison.rows, all, &again, &first, &second, margin));
    }
    comparison
}

/// The ids of the cells that a second stage should give more rounds to: those with a row that could not be judged and none that
/// was called, the likeliest changes first.
pub fn unclear(base: &Results, new: &Results, margin: f64) -> Vec<String> {
    let (first, _) = stages(base, new);
    let cells = in_both(base, new);
    let most = ((cells.len() as f64 * MOST_UNCLEAR) as usize).max(1);
    let rows = judged(&cells, &first, margin, &|_| true);
    let mut unclear: Vec<(&str, f64)> = Vec::new();
    for (_, cell) in &cells {
        let of_cell: Vec<&Row> = rows.iter().filter(|row| row.cell == cell.axes.id).collect();
        if of_cell.iter().any(|row| matches!(row.verdict, Verdict::Better | Verdict::Worse)) {
            continue;
        }
        let open = of_cell.iter().filter(|row| is_open(row));
        if let Some(p) = open.map(|row| row.p.unwrap_or(1.0)).reduce(f64::min) {
            unclear.push((&cell.axes.id, p));
        }
    }
    unclear.sort_by(|one, other| one.1.total_cmp(&other.1));
    unclear.into_iter().take(most).map(|(cell, _)| cell.to_owned()).collect()
}

/// Whether a row was measured on both sides and could not be judged.
fn is_open(row: &Row) -> bool {
    row.verdict.reason().is_some() && row.base.is_some() && row.new.is_some()
}

fn in_both<'a>(base: &'a Results, new: &'a Results) -> Vec<(&'a Cell, &'a Cell)> {
    let other = |cell: &Cell| base.cells.iter().find(|other| other.axes.id == cell.axes.id);
    new.cells.iter().filter_map(|cell| Some((other(cell)?, cell))).collect()
}

/// The rows of these cells that are `wanted`, judged together on the rounds of a stage.
fn judged(cells: &[(&Cell, &Cell)], stage: &Stage, margin: f64, wanted: &dyn Fn(&Row) -> bool) -> Vec<Row> {
    let mut drawn: Vec<Drawn> = cells.iter().flat_map(|(base, new)| rows(base, new, &stage.rounds)).collect();
    drawn.retain(|drawn| wanted(&drawn.row));
    let believed = believed(&mut drawn, stage.level);
    let judge = |(Drawn { mut row, untold, .. }, believed): (Drawn, bool)| {
        if let Some(ratio) = row.ratio {
            row.bound = Some(margin);
            row.verdict = verdict(ratio, margin, believed, row.p.unwrap_or(1.0));
        }
        if let Some(reason) = untold {
            row.verdict.worse_at_most(&reason);
        }
        row
    };
    drawn.into_iter().zip(believed).map(judge).collect()
}

/// Replaces the rows that the first stage left open and that the second stage measured again; says how many cells they are of.
fn judge_again(
    rows: &mut [Row],
    all: usize,
    again: &[(&Cell, &Cell)],
    first: &Stage,
    second: &Stage,
    margin: f64,
) -> Option<String> {
    let open = |row: &Row| {
        rows.iter().any(|known| (&known.cell, known.metric) == (&row.cell, row.metric) && is_open(known))
    };
    let later = judged(again, second, margin, &open);
    for mut row in later {
        let same = |known: &&mut Row| (&known.cell, known.metric) == (&row.cell, row.metric);
        let Some(known) = rows.iter_mut().find(same) else { continue };
        row.note.get_or_insert_with(|| "judged on the rounds of the second stage alone".into());
        *known = row;
    }
    (!again.is_empty()).then(|| {
        format!(
            "not clear after {} rounds: {} of {} cells, which took up to {} more; what was open in them is judged on those alone",
            first.rounds.len(),
            again.len(),
            all,
            second.rounds.len()
        )
    })
}

/// Fills in the p-values and returns which rows to believe: cells that differ, in families that differ.
fn believed(drawn: &mut [Drawn], level: f64) -> Vec<bool> {
    let mut families: Vec<(String, Vec<usize>)> = Vec::new();
    for (index, Drawn { row, .. }) in drawn.iter().enumerate().filter(|(_, drawn)| drawn.row.ratio.is_some())
    {
        match families.iter_mut().find(|(name, _)| *name == row.family) {
            Some((_, members)) => members.push(index),
            None => families.push((row.family.clone(), vec![index])),
        }
    }
    // The level of a family if no other is believed: that of most families.
    let to_reach = level / families.len().max(1) as f64;
    let mut of_families = Vec::new();
    for (_, members) in &families {
        let cells: Vec<Rounds> = members.iter().map(|&index| drawn[index].rounds.clone()).collect();
        let p = step_down(&cells, to_reach, SEED);
        of_families.push(p.iter().copied().fold(1.0, f64::min));
        for (&index, p) in members.iter().zip(p) {
            drawn[index].row.p = Some(p);
        }
    }
    let chosen = benjamini_hochberg(&of_families, level);
    let part = chosen.iter().filter(|&&yes| yes).count() as f64 / families.len().max(1) as f64;
    let mut believed = vec![false; drawn.len()];
    for ((_, members), yes) in families.iter().zip(chosen) {
        for &index in members {
            // These p-values already allow for every other cell of the family.
            believed[index] = yes && drawn[index].row.p.is_some_and(|p| p <= level * part);
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
