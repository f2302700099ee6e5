//! The table of everything.

use super::view::{Entry, Table};
use crate::comparison::{compare, word};
use crate::csv::exclusion;
use crate::format::{count, duration, overcommit, percent, range, rate, ratio, significant};
use crate::record::{Acquire, Cell, Purpose, Results, Status};
use crate::slices::{Slice, above, counterpart, slices};

const COLUMNS: [(&str, bool); 17] = [
    ("Lock", false),
    ("Environment", false),
    ("Workload", false),
    ("vCPUs : pCPUs", true),
    ("Overcommit", true),
    ("Rate", true),
    ("Ratio to plain lock", true),
    ("Part of 1x rate", true),
    ("Jain", true),
    ("Shares, least to most", true),
    ("Longest run", true),
    ("p50", true),
    ("p99", true),
    ("Longest wait", true),
    ("On a pCPU", true),
    ("Windows used", true),
    ("Status", false),
];

pub(super) fn table(results: &Results) -> Table {
    let slices = slices(results);
    let rows = results.cells.iter().map(|cell| {
        let slice = slices.iter().find(|slice| slice.cells.iter().any(|other| std::ptr::eq(*other, cell)));
        row(results, slice, cell)
    });
    Table::new("Every cell: rate, ratios, fairness, acquire times and status", &COLUMNS, rows.collect())
}

fn row(results: &Results, slice: Option<&Slice<'_>>, cell: &Cell) -> Vec<Entry> {
    let axes = &cell.axes;
    let fairness = &cell.fairness;
    let acquire = cell.acquire_ns.clone().unwrap_or_default();
    let shares = fairness.min_share.zip(fairness.max_share);
    let shares_text = |_| {
        shares.map_or_else(String::new, |(low, high)| format!("{}–{}", significant(low), significant(high)))
    };
    vec![
        Entry::text(&axes.lock),
        Entry::text(&axes.env),
        Entry::text(&axes.workload.name).with_note(variant(cell)),
        Entry::number(Some(f64::from(axes.vcpus)), |_| format!("{} : {}", axes.vcpus, axes.pcpus.len())),
        Entry::number(Some(axes.overcommit), overcommit),
        with_interval(cell),
        to_baseline(results, cell),
        efficiency(results, slice, cell),
        Entry::number(fairness.jain, significant),
        Entry::number(fairness.min_share, shares_text),
        Entry::number(fairness.longest_run.map(|run| run as f64), |_| {
            count(fairness.longest_run.unwrap_or(0))
        }),
        wait(&acquire, "p50", acquire.p50),
        wait(&acquire, "p99", acquire.p99),
        wait(&acquire, "max", acquire.max),
        Entry::number(cell.on_cpu_share, percent),
        windows(cell),
        status(cell),
    ]
}

fn variant(cell: &Cell) -> String {
    let axes = &cell.axes;
    let mut parts = vec![axes.placement.clone(), axes.pinning.clone()];
    parts.extend(axes.params.iter().map(|(name, value)| format!("{name}={value}")));
    parts.join(", ")
}

fn with_interval(cell: &Cell) -> Entry {
    let entry = Entry::number(cell.ops_per_second.map(|ops| ops.median), rate);
    match cell.ops_per_second {
        Some(ops) => entry.with_note(format!("({})", range(ops, rate))),
        None => entry,
    }
}

fn to_baseline(results: &Results, cell: &Cell) -> Entry {
    let none = Entry::number(None, ratio);
    let Some(baseline) = cell.axes.baseline.as_deref().filter(|baseline| *baseline != cell.axes.lock) else {
        return none;
    };
    let plain = |axes: &mut crate::record::CellAxes| {
        axes.lock = baseline.into();
        // The plain lock has no threshold to spin to.
        axes.params.remove(crate::slices::SPIN_THRESHOLD);
    };
    match counterpart(results, cell, plain) {
        Some(plain) if plain.status == Status::Ok && cell.status == Status::Ok => {
            let comparison = compare(results, cell, plain);
            let note =
                comparison.ratio.map_or_else(String::new, |interval| format!("({})", range(interval, ratio)));
            Entry::number(comparison.ratio.map(|ratio| ratio.median), ratio)
                .with_note(format!("{note} of {baseline}").trim())
                .with_verdict(&comparison.verdict)
        }
        _ => none,
    }
}

fn efficiency(results: &Results, slice: Option<&Slice<'_>>, cell: &Cell) -> Entry {
    let none = Entry::number(None, percent);
    if !above(cell.axes.overcommit) || cell.status != Status::Ok {
        return none;
    }
    let Some(one) = slice.and_then(|slice| slice.at_one(cell)) else { return none };
    let comparison = compare(results, cell, one);
    let entry = Entry::number(comparison.ratio.map(|ratio| ratio.median), percent);
    match (comparison.ratio, comparison.verdict.reason()) {
        (Some(interval), _) => entry.with_note(format!("({})", range(interval, percent))),
        (None, Some(reason)) => entry.with_why(reason),
        (None, None) => entry,
    }
}

fn wait(acquire: &Acquire, name: &str, value: Option<f64>) -> Entry {
    let least = if acquire.at_least.iter().any(|bound| bound == name) { "≥ " } else { "" };
    Entry::number(value, |ns| format!("{least}{}", duration(ns)))
}

fn windows(cell: &Cell) -> Entry {
    let taken = cell.rounds.iter().filter(|round| round.purpose == Purpose::Rate).count();
    let entry =
        Entry::number(Some(f64::from(cell.windows_used)), |_| format!("{} of {taken}", cell.windows_used));
    match cell.interconnect_ns {
        Some([low, high]) => entry.with_note(format!("pCPUs {low:.0}–{high:.0} ns apart")),
        None => entry,
    }
}

fn status(cell: &Cell) -> Entry {
    let class = match cell.status {
        Status::Ok => None,
        Status::Skipped => Some("unsure"),
        Status::Broken | Status::Hung | Status::Crashed => Some("bad"),
    };
    let mut notes: Vec<String> = cell.reason.iter().chain(&cell.notes).cloned().collect();
    if cell.status == Status::Ok {
        notes.insert(0, format!("exclusion {}", exclusion(cell.exclusion)));
    }
    let entry = match class {
        None => Entry::text(word(cell.status)),
        Some(class) => {
            Entry { badge: Some(word(cell.status).into()), class: Some(class), ..Entry::default() }
        }
    };
    entry.with_why(notes.join("; "))
}
