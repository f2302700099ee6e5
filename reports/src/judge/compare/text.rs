//! A comparison as text, for a terminal.

use std::fmt::Write;

use super::{Comparison, Row};
use crate::format::{percent, printable, range, ratio};
use crate::statistics::median;

/// Every row, worst first, then the sentences on how it was judged.
pub fn text(comparison: &Comparison) -> String {
    let mut text = String::new();
    let base = match comparison.base.as_slice() {
        [only] => printable(only),
        several => format!("{} and {} earlier runs", last(several), several.len().saturating_sub(1)),
    };
    let _ = writeln!(text, "BASE  {base}\nNEW   {}", printable(&comparison.new));
    let _ = writeln!(text, "on    {}", comparison.machine);
    for change in &comparison.changed {
        let _ = writeln!(text, "      {change}");
    }
    for note in &comparison.notes {
        let _ = writeln!(text, "note: {}", printable(note));
    }
    text.push('\n');
    let all = ordered(comparison);
    let shared = shared_reasons(&all);
    let apart = |row: &&Row| !untold(row).is_some_and(|why| shared.iter().any(|(shared, _)| *shared == why));
    let mut rows: Vec<Vec<String>> = vec![HEADINGS.map(String::from).to_vec()];
    rows.extend(all.iter().copied().filter(apart).map(cells));
    text.push_str(&aligned(&rows));
    for (why, rows) in &shared {
        let _ = writeln!(text, "not enough data ({} rows): {}", rows.len(), printable(why));
        for row in rows {
            let _ = writeln!(text, "  {} {}", printable(&row.cell), row.metric.name());
        }
    }
    text.push('\n');
    for sentence in summary(comparison) {
        let _ = writeln!(text, "{sentence}");
    }
    text
}

const HEADINGS: [&str; 7] = ["verdict", "cell", "", "BASE", "NEW", "NEW:BASE", "bound"];

/// Rows in the order worse, better, not enough data, same.
pub(super) fn ordered(comparison: &Comparison) -> Vec<&Row> {
    let place = |row: &&Row| match row.verdict.word() {
        "worse" => 0,
        "better" => 1,
        "same" => 3,
        _ => 2,
    };
    let mut rows: Vec<&Row> = comparison.rows.iter().collect();
    rows.sort_by_key(place);
    rows
}

/// The reason why a row has not even a ratio.
fn untold(row: &Row) -> Option<&str> {
    row.verdict.reason().filter(|_| row.ratio.is_none())
}

/// Reasons that several rows have in common, each with its rows: such a reason is told once.
fn shared_reasons<'a>(rows: &[&'a Row]) -> Vec<(&'a str, Vec<&'a Row>)> {
    let mut reasons: Vec<(&str, Vec<&Row>)> = Vec::new();
    for row in rows {
        let Some(why) = untold(row) else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, rows)) => rows.push(row),
            None => reasons.push((why, vec![row])),
        }
    }
    reasons.retain(|(_, rows)| rows.len() > 1);
    reasons
}

fn last(runs: &[String]) -> String {
    runs.last().map_or_else(String::new, |run| printable(run))
}

/// The columns of a row; text from outside is made printable.
fn cells(row: &Row) -> Vec<String> {
    let value = |value: Option<f64>| value.map_or_else(String::new, |value| row.metric.show(value));
    let why = row.verdict.reason().or(row.note.as_deref());
    vec![
        row.verdict.word().into(),
        printable(&row.cell),
        row.metric.name().into(),
        value(row.base),
        value(row.new),
        match (row.ratio, why) {
            (Some(of), None) => shown(of),
            (Some(of), Some(why)) => format!("{}: {}", shown(of), printable(why)),
            (None, why) => why.map_or_else(String::new, printable),
        },
        if why.is_some() {
            String::new()
        } else {
            row.bound.map_or_else(String::new, |b| format!("±{}", percent(b)))
        },
    ]
}

pub(super) fn shown(of: crate::record::Interval) -> String {
    format!("{} ({})", ratio(of.median), range(of, ratio))
}

fn aligned(rows: &[Vec<String>]) -> String {
    // A reason behind the last figure may be long, and must not widen its column.
    let width = |column: usize| {
        let reasonless = rows.iter().filter(|row| column != 5 || !row[6].is_empty());
        reasonless.map(|row| row[column].chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEADINGS.len()).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (field, width) in row.iter().zip(&widths) {
            let pad = width.saturating_sub(field.chars().count());
            let _ = write!(line, "{field}{}  ", " ".repeat(pad));
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// What "same" means in this comparison: the median and the widest bound.
fn within(comparison: &Comparison) -> String {
    let same = comparison.rows.iter().filter(|row| row.verdict.word() == "same");
    let bounds: Vec<f64> = same.filter_map(|row| row.bound).collect();
    match (median(&bounds), bounds.iter().copied().reduce(f64::max)) {
        (Some(middle), Some(widest)) if widest > middle => {
            format!(" (within {}, the median of their bounds; {} at most)", percent(middle), percent(widest))
        }
        (Some(middle), _) => format!(" (within {})", percent(middle)),
        _ => String::new(),
    }
}

/// How many rows were judged, by which spread, and which cells could not be.
pub(super) fn summary(comparison: &Comparison) -> Vec<String> {
    let mut sentences = vec![format!(
        "{} of {} rows judged ({}): {} worse, {} better, {} same{}; {} not enough data.",
        comparison.rows.len() - comparison.count("not enough data"),
        comparison.rows.len(),
        percent(comparison.judged()),
        comparison.count("worse"),
        comparison.count("better"),
        comparison.count("same"),
        within(comparison),
        comparison.count("not enough data"),
    )];
    if !comparison.spreads.is_empty() {
        let spread = |s: &super::Spread| {
            format!("{} {} {} {}", printable(&s.env), printable(&s.class), s.metric.name(), percent(s.sigma))
        };
        let all: Vec<String> = comparison.spreads.iter().map(spread).collect();
        sentences.push(format!(
            "Two runs differ by about this much when nothing changed, and a cell is called beyond {}x that: {}.",
            super::SPREADS,
            all.join(", ")
        ));
    }
    if comparison.kind == "duel" {
        sentences.push(format!(
            "Rounds alternated between the two builds; a difference must clear {} and hold against flipping whole rounds.",
            percent(comparison.margin)
        ));
    }
    for skipped in &comparison.skipped {
        let (cells, why) = (few(&skipped.cells), printable(&skipped.reason));
        sentences.push(format!("{} cells of BASE were skipped in NEW: {why}: {cells}", skipped.cells.len()));
    }
    for (cells, what) in [
        (&comparison.only_base, "are in BASE only"),
        (&comparison.only_new, "are in NEW only"),
        (&comparison.accepted, "were accepted as changed, and have no earlier run since"),
    ] {
        if !cells.is_empty() {
            sentences.push(format!("{} cells {what}: {}", cells.len(), few(cells)));
        }
    }
    sentences
}

fn few(cells: &[String]) -> String {
    let some: Vec<String> = cells.iter().take(3).map(|cell| printable(cell)).collect();
    let more = if cells.len() > 3 { ", …" } else { "" };
    format!("{}{more}", some.join(", "))
}
