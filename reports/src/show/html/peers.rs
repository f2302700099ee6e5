//! The section on locks that people use: ours beside the same algorithm in a library, and beside mutexes whose waiters sleep.

use super::view::{Table, TableEntry, class};
use crate::format::{range, rate, ratio};
use crate::judge::peers::{Beside, Ground, Standing, besides};
use crate::record::{Cell, Results};
use crate::show::columns::Tone;

/// A row for each comparison; none where the run has no lock that people use beside one of ours.
pub(super) fn table(results: &Results) -> Option<Table> {
    let rows: Vec<_> = besides(results).iter().map(|beside| row(results, beside)).collect();
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

fn row(results: &Results, beside: &Beside<'_>) -> Vec<TableEntry> {
    let of = |cell: &Cell| {
        let ops = cell.ops_per_second;
        TableEntry::number(ops.map(|ops| ops.median), rate)
            .with_note(ops.map_or_else(String::new, |ops| format!("({})", range(ops, rate))))
    };
    let interval = beside.comparison.ratio;
    let tone = match beside.standing {
        Standing::Level => Tone::Good,
        Standing::Loses => Tone::Bad,
        Standing::CannotBeTold => Tone::Unsure,
        Standing::Shown => Tone::Same,
    };
    let standing = match beside.standing.word() {
        None => TableEntry::text("not judged"),
        Some(word) => {
            TableEntry { badge: Some(word.into()), class: Some(class(tone)), ..TableEntry::default() }
        }
    };
    let open = interval.is_none() || beside.standing == Standing::CannotBeTold;
    let why = beside.comparison.verdict.reason().filter(|_| open).unwrap_or_default();
    let theirs = &beside.theirs.axes.lock;
    let of_object = results.lock(theirs).is_some_and(|lock| lock.object.is_some());
    let what = match beside.ground {
        Ground::Overcommitted => "a mutex that sleeps",
        // Whether the algorithm is the same only its author knows.
        _ if of_object => "names ours to compare with",
        Ground::Uncontended | Ground::Contended => "the same algorithm",
    };
    vec![
        TableEntry::text(&beside.ours.axes.lock),
        TableEntry::text(theirs).with_note(what),
        TableEntry::text(beside.place()).with_note(&beside.ours.axes.workload.name),
        of(beside.ours),
        of(beside.theirs),
        TableEntry::number(interval.map(|interval| interval.median), ratio)
            .with_note(interval.map_or_else(String::new, |interval| format!("({})", range(interval, ratio)))),
        TableEntry::text(beside.fairness().unwrap_or_default()),
        standing.with_why(why),
    ]
}
