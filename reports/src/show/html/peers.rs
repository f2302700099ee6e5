//! The section on locks that people use: ours beside the same algorithm in a library, and beside mutexes whose waiters sleep.

use super::view::{Table, TableEntry, class};
use crate::format::{range, rate, ratio};
use crate::judge::peers::{Beside, Ground, Standing, besides};
use crate::record::{Cell, Results};
use crate::show::columns::Tone;

/// A row for each comparison; none where the run has no lock that people use beside one of ours.
pub(super) fn table(results: &Results) -> Option<Table> {
    let rows: Vec<_> = besides(results).iter().map(row).collect();
    let columns = [
        ("Ours", false),
        ("Theirs", false),
        ("Where", false),
        ("Rate of ours", true),
        ("Rate of theirs", true),
        ("Ours : theirs", true),
        ("Fairness (Jain)", false),
        ("Standing", false),
    ];
    (!rows.is_empty()).then(|| Table::new("Our locks beside those that people use", &columns, rows))
}

fn row(beside: &Beside<'_>) -> Vec<TableEntry> {
    let of = |cell: &Cell| {
        let ops = cell.ops_per_second;
        TableEntry::number(ops.map(|ops| ops.median), rate)
            .with_note(ops.map_or_else(String::new, |ops| format!("({})", range(ops, rate))))
    };
    let interval = beside.comparison.ratio;
    let (word, tone) = match beside.standing {
        Standing::Level => ("keeps up", Tone::Good),
        Standing::Loses => ("loses", Tone::Bad),
        Standing::CannotBeTold => ("cannot be told", Tone::Unsure),
        Standing::Shown => ("", Tone::Same),
    };
    let standing = match beside.standing {
        Standing::Shown => TableEntry::text("not judged"),
        _ => TableEntry { badge: Some(word.into()), class: Some(class(tone)), ..TableEntry::default() },
    };
    let why = match beside.standing {
        Standing::CannotBeTold => beside.comparison.verdict.reason().unwrap_or_default(),
        _ => "",
    };
    let what = match beside.ground {
        Ground::Uncontended | Ground::Contended => "the same algorithm",
        Ground::Overcommitted => "a mutex that sleeps",
    };
    vec![
        TableEntry::text(&beside.ours.axes.lock),
        TableEntry::text(&beside.theirs.axes.lock).with_note(what),
        TableEntry::text(beside.place()).with_note(&beside.ours.axes.workload.name),
        of(beside.ours),
        of(beside.theirs),
        TableEntry::number(interval.map(|interval| interval.median), ratio)
            .with_note(interval.map_or_else(String::new, |interval| format!("({})", range(interval, ratio)))),
        TableEntry::text(beside.fairness().unwrap_or_default()),
        standing.with_why(why),
    ]
}
