//! What remote memory and spread vCPUs cost: each contrast of memory or placement, as a ratio.

use super::Figure;
use super::axis::{Axis, trimmed};
use super::forest::{Forest, Row};
use super::style::nth;
use crate::Error;
use crate::derive::nodes::{count, resides};
use crate::derive::setting::{above, environments};
use crate::format::{range, rate, ratio};
use crate::judge::numa::{Change, Contrast, contrasts};
use crate::record::{Cell, Results};

/// One of the two plots: contrasts of memory, or of placement.
struct Kind {
    id: &'static str,
    title: &'static str,
    reading: &'static str,
    nothing: &'static str,
}

const MEMORY: Kind = Kind {
    id: "numa-memory",
    title: "The lock's memory elsewhere against local memory",
    reading: "How many times as long an acquisition takes with lock and data on a remote node, or interleaved over all nodes, \
              as with local memory, paired by round; the cells differ in nothing else. Right of the line at 1 the other \
              place costs time. The table says on which nodes the pages were found.",
    nothing: "No cell was measured both with local memory and with another.",
};
const PLACEMENT: Kind = Kind {
    id: "numa-placement",
    title: "vCPUs on other nodes against vCPUs packed together",
    reading: "How many times as long an acquisition takes with the same number of vCPUs spread over nodes, or on another \
              node, as with vCPUs packed together, paired by round. Right of the line at 1 the other placement costs time. \
              How far apart the pCPUs are is part of what is compared; each side uses one distance class of its own windows.",
    nothing: "No cell was measured in two placements over nodes.",
};

/// Two forest plots for every environment; a missing figure with its reason where there is nothing to draw. No figures on a machine
/// with one node, which the answer at the top of the page tells.
pub(super) fn plots(results: &Results) -> Result<Vec<Figure>, Error> {
    if count(results) < 2 {
        return Ok(Vec::new());
    }
    let all = contrasts(results);
    let mut figures = Vec::new();
    for (kind, memory) in [(MEMORY, true), (PLACEMENT, false)] {
        let of_kind: Vec<&Contrast<'_>> =
            all.iter().filter(|one| matches!(one.change, Change::Memory(_)) == memory).collect();
        let mut drawn = 0;
        for env in environments(results) {
            let here: Vec<&Contrast<'_>> = of_kind
                .iter()
                .copied()
                .filter(|one| one.cell.axes.env == env && one.times.is_some())
                .collect();
            if !here.is_empty() {
                figures.push(plot(&kind, env, &here)?);
                drawn += 1;
            }
        }
        if drawn == 0 {
            figures.push(Figure::missing(kind.title, kind.nothing));
        }
    }
    Ok(figures)
}

fn plot(kind: &Kind, env: &str, contrasts: &[&Contrast<'_>]) -> Result<Figure, Error> {
    let mut names: Vec<String> = Vec::new();
    for contrast in contrasts {
        let name = contrast.name();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut told: Vec<[String; 2]> = contrasts.iter().map(|contrast| particulars(contrast)).collect();
    // A label leaves out what all rows have in common.
    for place in 0..2 {
        if told.iter().all(|one| one[place] == told[0][place]) {
            told.iter_mut().for_each(|one| one[place].clear());
        }
    }
    let mut rows: Vec<Row> =
        contrasts.iter().zip(told).filter_map(|(contrast, told)| row(contrast, &names, told)).collect();
    // Rows of the same lock stand together.
    let order: Vec<String> = rows.iter().map(|row| row.label.clone()).collect();
    rows.sort_by_key(|row| (order.iter().position(|label| *label == row.label), row.group));
    let values = rows.iter().flat_map(|row| [row.interval.low, row.interval.high]).chain([0.8, 1.25]);
    Forest {
        id: &format!("{}-{env}", kind.id),
        title: &format!("{}, {env}", kind.title),
        reading: kind.reading,
        axis: Axis::log10("ratio of the times an acquisition takes (log scale)", values, trimmed),
        line: Some(1.0),
        groups: names.into_iter().enumerate().map(|(place, name)| (name, nth(place))).collect(),
        rows,
        columns: &[
            "ratio",
            "interval",
            "rate",
            "against",
            "rounds",
            "verdict",
            "lock and data on",
            "against",
            "cell",
        ],
        table: None,
    }
    .draw(kind.nothing)
}

/// What a row's label adds to the lock: for a contrast of memory the placement, for one of placement the parameters; then the
/// workload.
fn particulars(contrast: &Contrast<'_>) -> [String; 2] {
    let axes = &contrast.cell.axes;
    let variant = match contrast.change {
        Change::Memory(_) => format!(" {}", axes.placement),
        // Of `name=value` the value.
        Change::Placement(_) => {
            let told = axes.told_params();
            told.iter().map(|told| format!(" {}", told.rsplit('=').next().unwrap_or_default())).collect()
        }
    };
    [variant, format!(" {}", axes.workload.name)]
}

fn row(contrast: &Contrast<'_>, names: &[String], particulars: [String; 2]) -> Option<Row> {
    let interval = contrast.times?;
    let axes = &contrast.cell.axes;
    let size = match above(axes.overcommit) {
        true => format!("{}v:{}p", axes.vcpus, axes.pcpus.len()),
        false => format!("{}v", axes.vcpus),
    };
    let shown = |cell: &Cell| cell.ops_per_second.map_or_else(String::new, |ops| rate(ops.median));
    let lay = |cell: &Cell| cell.residence.as_ref().map_or_else(|| "not told".into(), resides);
    Some(Row {
        lock: Some(axes.lock.clone()),
        label: format!("{}, {size}{}", axes.lock, particulars.concat()),
        group: names.iter().position(|name| *name == contrast.name())?,
        interval,
        figure: ratio(interval.median),
        details: vec![
            ratio(interval.median),
            range(interval, ratio),
            shown(contrast.cell),
            shown(contrast.near),
            contrast.comparison.rounds.to_string(),
            contrast.verdict(),
            lay(contrast.cell),
            lay(contrast.near),
            axes.id.clone(),
        ],
    })
}
