//! A comparison as text, for a terminal.

use std::fmt::Write;

use super::reasons::{self, Reason};
use super::{Comparison, Row};
use crate::format::{apart, counted, percent, printable, range, ratio};
use crate::record::Interval;
use crate::statistics::{Verdict, median};

/// The summary, then every row, worst first, then how it was judged.
pub fn text(comparison: &Comparison) -> String {
    let mut text = String::new();
    for sentence in summary(comparison) {
        let _ = writeln!(text, "{sentence}");
    }
    let base = match comparison.base.as_slice() {
        [only] => printable(only),
        several => {
            format!("{} and {}", last(several), counted(several.len().saturating_sub(1), "earlier run"))
        }
    };
    let _ = writeln!(text, "\nBASE  {base}\nNEW   {}", printable(&comparison.new));
    let _ = writeln!(text, "on    {}", comparison.machine);
    for change in &comparison.changed {
        let _ = writeln!(text, "      {change}");
    }
    for note in &comparison.notes {
        let _ = writeln!(text, "note: {}", printable(note));
    }
    text.push('\n');
    let (shared, apart) = reasons::shared(&ordered(comparison));
    let mut rows: Vec<Vec<String>> = vec![HEADINGS.map(String::from).to_vec()];
    rows.extend(apart.into_iter().map(cells));
    text.push_str(&aligned(&rows));
    for Reason { why, rows } in &shared {
        let _ = writeln!(text, "not enough data ({}): {}", counted(rows.len(), "row"), printable(why));
        for row in rows {
            let _ = writeln!(text, "  {} {}{}", printable(&row.cell), row.metric.name(), measured(row));
        }
    }
    text.push('\n');
    for sentence in method(comparison) {
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

fn last(runs: &[String]) -> String {
    runs.last().map_or_else(String::new, |run| printable(run))
}

/// The columns of a row; text from outside is made printable.
fn cells(row: &Row) -> Vec<String> {
    let value = |value: Option<f64>| value.map_or_else(String::new, |value| row.metric.show(value));
    let why = because(row).map(|why| printable(&why));
    let bound = row.bound.filter(|_| why.is_none());
    vec![
        row.verdict.word().into(),
        printable(&row.cell),
        row.metric.name().into(),
        value(row.base),
        value(row.new),
        match (shown(row), why) {
            (Some(of), None) => of,
            (Some(of), Some(why)) => format!("{of}: {why}"),
            (None, why) => why.unwrap_or_default(),
        },
        bound.map_or_else(String::new, crate::format::bound),
    ]
}

/// The ratio of a row, in words too where it was called better or worse.
pub(super) fn shown(row: &Row) -> Option<String> {
    let of = row.ratio?;
    Some(match row.verdict {
        Verdict::Better | Verdict::Worse => format!("{}, {}", row.metric.size(of), figures(of)),
        Verdict::Same | Verdict::NotEnoughData(_) => figures(of),
    })
}

/// Why a row is not called, with its bound, or what else is to be said of it.
pub(super) fn because(row: &Row) -> Option<String> {
    let bound =
        row.bound.map_or_else(String::new, |bound| format!(" (bound {})", crate::format::bound(bound)));
    let reason = row.verdict.reason().map(|why| format!("{why}{bound}"));
    reason.or_else(|| row.note.clone())
}

/// The figures of a row whose reason is told elsewhere.
pub(super) fn measured(row: &Row) -> String {
    let bound =
        row.bound.map_or_else(String::new, |bound| format!(", bound {}", crate::format::bound(bound)));
    row.ratio.map_or_else(String::new, |of| format!("  {}{bound}", figures(of)))
}

/// A ratio with its interval.
pub(super) fn figures(of: Interval) -> String {
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
            format!(" (within {}, the median of their bounds; {} at most)", apart(middle), apart(widest))
        }
        (Some(middle), _) => format!(" (within {})", apart(middle)),
        _ => String::new(),
    }
}

/// What happened, how many rows were judged, and which cells could not be.
pub(super) fn summary(comparison: &Comparison) -> Vec<String> {
    let mut sentences = vec![comparison.headline()];
    if !comparison.locks.is_empty() {
        let locks: Vec<String> = comparison.locks.iter().map(|lock| printable(lock)).collect();
        sentences.push(format!("Only {} as asked; judged as among all locks.", locks.join(", ")));
    }
    sentences.push(format!(
        "{} of {} judged ({}): {} worse, {} better, {} same{}; {} not enough data.",
        comparison.rows.len() - comparison.count("not enough data"),
        counted(comparison.rows.len(), "row"),
        percent(comparison.judged()),
        comparison.count("worse"),
        comparison.count("better"),
        comparison.count("same"),
        within(comparison),
        comparison.count("not enough data"),
    ));
    for skipped in &comparison.skipped {
        let (cells, why) = (few(&skipped.cells), printable(&skipped.reason));
        let skipped = counted(skipped.cells.len(), "cell");
        sentences.push(format!("{skipped} of BASE skipped in NEW: {why}: {cells}"));
    }
    for (cells, what) in [
        (&comparison.only_base, "in BASE only"),
        (&comparison.only_new, "in NEW only"),
        (&comparison.accepted, "accepted as changed, without an earlier run since"),
    ] {
        if !cells.is_empty() {
            sentences.push(format!("{} {what}: {}", counted(cells.len(), "cell"), few(cells)));
        }
    }
    sentences
}

/// A spread, which is a standard deviation of logarithms: nearly a fraction where it is small.
fn spread_of(sigma: f64) -> String {
    if sigma < std::f64::consts::LN_2 { percent(sigma) } else { apart(sigma.exp_m1()) }
}

/// How the rows were judged.
pub(super) fn method(comparison: &Comparison) -> Vec<String> {
    let mut sentences = Vec::new();
    if !comparison.spreads.is_empty() {
        let spread = |s: &super::Spread| {
            format!(
                "{} {} {} {}",
                printable(&s.env),
                printable(&s.class),
                s.metric.name(),
                spread_of(s.sigma)
            )
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
    sentences
}

fn few(cells: &[String]) -> String {
    let some: Vec<String> = cells.iter().take(3).map(|cell| printable(cell)).collect();
    let more = if cells.len() > 3 { ", …" } else { "" };
    format!("{}{more}", some.join(", "))
}
