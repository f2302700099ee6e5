//! The table of cells that were measured in several environments, side by side.

use super::view::{Table, TableEntry};
use crate::derive::setting::counterpart;
use crate::format::{overcommit, range, rate, ratio};
use crate::judge::comparison::{compare, without_a_rate};
use crate::record::{Cell, Results, Status};

const ENVIRONMENTS: [&str; 3] = ["native", "emulated", "kvm"];

/// A row for each cell that at least two environments measured.
pub(super) fn table(results: &Results) -> Table {
    let mut rows = Vec::new();
    let mut done: Vec<[Option<&Cell>; 3]> = Vec::new();
    for cell in &results.cells {
        let of = ENVIRONMENTS.map(|env| {
            if cell.axes.env == env {
                Some(cell)
            } else {
                counterpart(results, cell, |axes| axes.env = env.into())
            }
        });
        let measured = of.iter().flatten().filter(|cell| cell.status == Status::Ok).count();
        let first = of.iter().flatten().next().is_some_and(|first| std::ptr::eq(*first, cell));
        if measured > 1 && first {
            done.push(of);
        }
    }
    for of in &done {
        rows.push(row(results, of));
    }
    let columns = [
        ("Lock", false),
        ("Workload", false),
        ("vCPUs : pCPUs", true),
        ("Overcommit", true),
        ("Native", true),
        ("Emulated", true),
        ("kvm", true),
        ("Native : emulated", true),
        ("Emulated : kvm", true),
    ];
    let caption = "Acquisitions per second of the same cell in each environment, and their ratios";
    Table::new(caption, &columns, rows).with_links("environment")
}

fn row(results: &Results, of: &[Option<&Cell>; 3]) -> Vec<TableEntry> {
    let Some(axes) = of.iter().flatten().next().map(|cell| &cell.axes) else { return Vec::new() };
    let mut parts = vec![axes.placement.clone(), axes.pinning.clone()];
    parts.extend(axes.told_params());
    let mut row = vec![
        TableEntry::text(&axes.lock),
        TableEntry::text(&axes.workload.name).with_note(parts.join(", ")),
        TableEntry::number(Some(f64::from(axes.vcpus)), |_| format!("{} : {}", axes.vcpus, axes.pcpus.len())),
        TableEntry::number(Some(axes.overcommit), overcommit),
    ];
    row.extend(of.iter().map(|cell| absolute(*cell)));
    row.extend([relative(results, of[0], of[1]), relative(results, of[1], of[2])]);
    row
}

fn absolute(cell: Option<&Cell>) -> TableEntry {
    let Some(cell) = cell else { return TableEntry::number(None, rate) };
    match cell.ops_per_second {
        Some(ops) => TableEntry::number(Some(ops.median), rate).with_note(format!("({})", range(ops, rate))),
        None => TableEntry::number(None, rate).with_note(without_a_rate(cell)),
    }
}

fn relative(results: &Results, one: Option<&Cell>, other: Option<&Cell>) -> TableEntry {
    let (Some(one), Some(other)) = (one, other) else { return TableEntry::number(None, ratio) };
    if one.status != Status::Ok || other.status != Status::Ok {
        return TableEntry::number(None, ratio);
    }
    let comparison = compare(results, one, other);
    let note = comparison.ratio.map_or_else(String::new, |interval| format!("({})", range(interval, ratio)));
    let entry = TableEntry::number(comparison.ratio.map(|ratio| ratio.median), ratio).with_note(note);
    // No verdict: neither environment is better than the other, what matters is whether they agree.
    match comparison.verdict.reason() {
        Some(reason) => entry.with_why(reason),
        None => entry,
    }
}
