//! The ratio of the emulated rate to that in kvm, for each lock and each step above 1x.

use super::Figure;
use super::axis::{Axis, trimmed};
use super::forest::{Forest, Row};
use super::style::nth;
use crate::Error;
use crate::derive::setting::{above, same};
use crate::format::{overcommit, range, rate, ratio};
use crate::judge::trust::{Pair, pairs};
use crate::record::Results;

pub(super) fn plot(results: &Results) -> Result<Figure, Error> {
    // Sweeps of a parameter have plots of their own, and so have pairs without overcommit: the plot of all environments.
    let drawn = |pair: &Pair<'_>| {
        let axes = &pair.emulated.axes;
        axes.is_plain() && above(axes.overcommit)
    };
    let mut pairs: Vec<Pair<'_>> = pairs(results).into_iter().filter(drawn).collect();
    // Of several sizes at one step the largest is drawn, where the lock is busiest.
    let size = |pair: &Pair<'_>| pair.emulated.axes.pcpus.len();
    let alike = |a: &Pair<'_>, b: &Pair<'_>| {
        let (a, b) = (&a.emulated.axes, &b.emulated.axes);
        a.lock == b.lock && a.workload.name == b.workload.name && same(a.overcommit, b.overcommit)
    };
    let largest: Vec<bool> = pairs
        .iter()
        .map(|pair| pairs.iter().all(|other| !alike(pair, other) || size(pair) >= size(other)))
        .collect();
    let mut keep = largest.into_iter();
    pairs.retain(|_| keep.next().unwrap_or(false));
    pairs.sort_by(|a, b| a.emulated.axes.overcommit.total_cmp(&b.emulated.axes.overcommit));
    let mut steps: Vec<f64> = pairs.iter().map(|pair| pair.emulated.axes.overcommit).collect();
    steps.dedup_by(|a, b| same(*a, *b));
    let workloads =
        pairs.iter().any(|pair| pair.emulated.axes.workload.name != pairs[0].emulated.axes.workload.name);
    let mut rows: Vec<Row> = pairs.iter().filter_map(|pair| row(pair, &steps, workloads)).collect();
    // Rows of the same lock stand together.
    let order: Vec<String> = rows.iter().map(|row| row.label.clone()).collect();
    rows.sort_by_key(|row| (order.iter().position(|label| *label == row.label), row.group));
    let values = rows.iter().flat_map(|row| [row.interval.low, row.interval.high]).chain([0.8, 1.25]);
    let schedule = pairs.first().and_then(|pair| pair.emulated.axes.told_schedule());
    let schedule = schedule.map_or_else(String::new, |schedule| format!(", {schedule}"));
    let title = format!("Emulated : kvm for each lock and step of overcommit{schedule}");
    Forest {
        id: "emulation",
        title: &title,
        reading: "Ratio of the rates of the same cell emulated and on real vCPUs, paired by round. On the line at 1 the two \
                  agree; an interval far from the line shows a lock and a step of overcommit for which emulated figures \
                  are wrong.",
        axis: Axis::log10("rate emulated : rate in kvm (log scale)", values, trimmed),
        line: Some(1.0),
        groups: steps.iter().enumerate().map(|(place, k)| (overcommit(*k), nth(place))).collect(),
        rows,
        columns: &["ratio", "interval", "emulated", "kvm", "rounds", "verdict"],
        table: None,
    }
    .draw("No cell with more vCPUs than pCPUs was measured both emulated and in kvm.")
}

fn row(pair: &Pair<'_>, steps: &[f64], workloads: bool) -> Option<Row> {
    let axes = &pair.emulated.axes;
    let interval = pair.comparison.ratio?;
    let shown =
        |cell: &crate::record::Cell| cell.ops_per_second.map_or_else(String::new, |ops| rate(ops.median));
    let label = match workloads {
        true => format!("{}, {}", axes.lock, axes.workload.name),
        false => axes.lock.clone(),
    };
    Some(Row {
        lock: Some(axes.lock.clone()),
        label,
        group: steps.iter().position(|k| same(*k, axes.overcommit)).unwrap_or(0),
        interval,
        figure: ratio(interval.median),
        details: vec![
            ratio(interval.median),
            range(interval, ratio),
            shown(pair.emulated),
            shown(pair.kvm),
            pair.comparison.rounds.to_string(),
            pair.comparison.verdict.to_string(),
        ],
    })
}
