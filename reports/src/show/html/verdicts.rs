//! The table of every verdict: what it rests on, and why it cannot be told where it cannot.

use super::verdict::{kept_class, served_class};
use super::view::{Table, TableEntry};
use crate::format::{counted, overcommit, percent, range, significant};
use crate::judge::verdicts::OPEN_WAIT;
use crate::record::{Cell, CellVerdict, Results, Served, Status};

/// A row for each cell above 1x that its environment can run; none where there is no such cell. The results must have been judged.
pub(super) fn table(results: &Results) -> Option<Table> {
    let run = results.cells.iter().filter(|cell| cell.status != Status::Skipped);
    let rows: Vec<_> = run.filter_map(|cell| Some(row(cell, cell.verdict.as_ref()?))).collect();
    let columns = [
        ("Lock", false),
        ("Setting", false),
        ("Overcommit", true),
        ("Keeps of its 1x rate", true),
        ("Verdict", false),
        ("Worst vCPU's share", true),
        ("Longest wait in timeslices", true),
        ("Service", false),
    ];
    (!rows.is_empty()).then(|| Table::new("Every verdict and what it rests on", &columns, rows))
}

fn row(cell: &Cell, of: &CellVerdict) -> Vec<TableEntry> {
    let axes = &cell.axes;
    let mut place = vec![axes.placement.clone(), axes.pinning.clone()];
    place.extend(axes.told_params());
    let kept = of.kept.map_or_else(String::new, |kept| {
        format!("({}), {}", range(kept, percent), counted(of.rounds as usize, "round"))
    });
    let share = of.worst_share.map_or_else(String::new, |share| format!("({})", range(share, percent)));
    let wait = of.wait_slices.map_or_else(String::new, |wait| format!("({})", range(wait, slices)));
    vec![
        TableEntry::text(&axes.lock),
        TableEntry::text(format!("{}, {}", axes.env, axes.workload.name)).with_note(place.join(", ")),
        TableEntry::number(Some(axes.overcommit), overcommit),
        TableEntry::number(of.kept.map(|kept| kept.median), percent).with_note(kept),
        label(of.rate.word(), kept_class(of.rate)).with_why(of.rate_untold.as_deref().unwrap_or_default()),
        TableEntry::number(of.worst_share.map(|share| share.median), percent).with_note(share),
        TableEntry::number(of.wait_slices.map(|wait| wait.median), slices).with_note(wait),
        service(of).with_why(of.service_untold.as_deref().unwrap_or_default()),
    ]
}

/// A lock that collapses may be fair all the same, and then nothing of it is green.
fn service(of: &CellVerdict) -> TableEntry {
    match of.service {
        Served::Fair => TableEntry::text(of.service.word()),
        label_of => label(label_of.word(), served_class(label_of)),
    }
}

fn label(word: &str, class: &'static str) -> TableEntry {
    TableEntry { badge: Some(word.into()), class: Some(class), ..TableEntry::default() }
}

/// A number of timeslices; a wait that had not ended has no upper end.
fn slices(number: f64) -> String {
    if number >= OPEN_WAIT { "unknown".into() } else { significant(number) }
}
