//! `lockbench history show`.

use std::fmt::Write;

use lockbench_reports::format::{printable, range, ratio};
use lockbench_reports::judge::comparison::word;
use lockbench_reports::judge::history::{ChangePoint, History, Series, Skip, change_points};
use lockbench_reports::record::Status;
use lockbench_reports::statistics::MARGIN;
use serde::Serialize;

use super::super::{Done, print};
use super::{Which, gather};
use crate::{Error, history};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Only cells whose id contains this
    #[arg(value_name = "CELL")]
    cell: Option<String>,
    /// Print the changes, then the failures of the latest night, then what was skipped for long, as a JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(location: &str, args: &Args) -> Result<Done, Error> {
    let mut store = history::open(location, false)?;
    let machine = args.which.of(store.as_mut())?;
    let blessings = store.blessings(&machine)?;
    let history = gather(store.as_mut(), &machine)?;
    let wanted = |cell: &str| args.cell.as_deref().is_none_or(|part| cell.contains(part));
    let mut changes = change_points(&history, &blessings, MARGIN);
    changes.retain(|change| wanted(&change.cell));
    let failures = failures(&history, &wanted);
    let skips = skips(&history, &wanted);
    let series: Vec<&Series> = history.series.iter().filter(|series| wanted(&series.cell)).collect();
    if let Some(part) = args.cell.as_deref().filter(|_| series.is_empty() && skips.is_empty()) {
        return Err(Error::usage(format!(
            "no cell of this history has `{}` in its id; `lockbench history show` lists every cell",
            printable(part)
        )));
    }
    if args.json {
        let changes = changes.iter().map(serde_json::to_value);
        let all = changes
            .chain(failures.iter().map(serde_json::to_value))
            .chain(skips.iter().map(serde_json::to_value))
            .collect::<Result<Vec<_>, _>>();
        let json = serde_json::to_string_pretty(&all?)?;
        print(&format!("{json}\n"))?;
    } else {
        let mut text = String::new();
        for series in &series {
            line(&mut text, series);
        }
        text.push('\n');
        for change in &changes {
            describe(&mut text, change);
        }
        let nights = history.nights.len();
        let _ = writeln!(text, "{nights} nights, {} series, {} changes.", series.len(), changes.len());
        for change in changes.iter().filter(|change| change.stands_worse(MARGIN)) {
            let (cell, metric) = (printable(&change.cell), change.metric.name());
            let _ = writeln!(
                text,
                "Stands worse: {cell} {metric}, {} of what it was or was last accepted.",
                ratio(change.unaccepted)
            );
        }
        for failure in &failures {
            let (cell, failed) = (printable(&failure.cell), word(failure.failed));
            let _ = writeln!(text, "Failed in the latest night: {cell}, {failed}.");
        }
        for skip in &skips {
            describe_skip(&mut text, skip);
        }
        print(&text)?;
    }
    let worse = changes.iter().any(|change| change.stands_worse(MARGIN));
    Ok(if worse || !failures.is_empty() { Done::Negative } else { Done::Well })
}

/// One line for a series: a sparkline of thirty nights, and its level.
fn line(text: &mut String, series: &Series) {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let points = &series.points[series.points.len().saturating_sub(30)..];
    let of = |pick: fn(f64, f64) -> f64| points.iter().map(|point| point.median).reduce(pick).unwrap_or(0.0);
    let (low, high) = (of(f64::min), of(f64::max));
    // The sparkline spans at least 10 %, so that noise does not look like a change.
    let (middle, half) = ((low + high) / 2.0, ((high - low) / 2.0).max(0.05 * high));
    let bar = |value: f64| {
        let place = if half > 0.0 { (value - middle + half) / (2.0 * half) } else { 0.5 };
        BARS[(place * 7.99).clamp(0.0, 7.0) as usize]
    };
    let bars: String = points.iter().map(|point| bar(point.median)).collect();
    let last = points.last().map_or_else(String::new, |point| series.metric.show(point.median));
    let _ = writeln!(text, "{bars:<30}  {last:>10}  {}  {}", printable(&series.cell), series.metric.name());
}

fn describe(text: &mut String, change: &ChangePoint) {
    let word = if change.worse() { "worse" } else { "better" };
    let _ = writeln!(
        text,
        "{word} by {} ({}) from {} on, last like before on {}: {} {}",
        ratio(change.ratio.median),
        range(change.ratio, ratio),
        change.date,
        change.after,
        printable(&change.cell),
        change.metric.name()
    );
    for dated in &change.environment {
        let _ = writeln!(text, "    {}: {}", dated.date, dated.change);
    }
    if let Some(reason) = &change.blessed {
        let _ = writeln!(text, "    blessed: {}", printable(reason));
    }
}

/// Those of the skipped cells that are wanted.
fn skips(history: &History, wanted: &dyn Fn(&str) -> bool) -> Vec<Skip> {
    let mut skips = history.skips.clone();
    skips.iter_mut().for_each(|skip| skip.skipped.retain(|cell| wanted(cell)));
    skips.retain(|skip| !skip.skipped.is_empty());
    skips
}

fn describe_skip(text: &mut String, skip: &Skip) {
    const SHOWN: usize = 5;
    let measured = match &skip.measured {
        Some(date) => format!("last measured on {date}"),
        None => "never measured".into(),
    };
    let (cells, nights, since) = (skip.skipped.len(), skip.nights, &skip.since);
    let _ = writeln!(
        text,
        "Skipped for {nights} nights running, since {since}, {measured} ({cells} cells): {}",
        printable(&skip.reason)
    );
    for cell in skip.skipped.iter().take(SHOWN) {
        let _ = writeln!(text, "    {}", printable(cell));
    }
    if cells > SHOWN {
        let _ = writeln!(text, "    and {} more; --json names them all", cells - SHOWN);
    }
}

/// A cell that broke, hung or crashed in the latest night.
#[derive(Serialize)]
struct Failure {
    cell: String,
    failed: Status,
    run_id: String,
    date: String,
}

fn failures(history: &History, wanted: &dyn Fn(&str) -> bool) -> Vec<Failure> {
    let Some(latest) = history.nights.len().checked_sub(1) else { return Vec::new() };
    let night = &history.nights[latest];
    let failed = history.series.iter().filter(|series| wanted(&series.cell)).filter_map(|series| {
        let (_, failed) = series.failures.iter().find(|(night, _)| *night == latest)?;
        Some(Failure {
            cell: series.cell.clone(),
            failed: *failed,
            run_id: night.run_id.clone(),
            date: night.date(),
        })
    });
    failed.collect()
}
