//! `lockbench history show`.

use std::fmt::Write;

use lockbench_reports::derive::digest::Metric;
use lockbench_reports::format::{counted, printable, range, ratio};
use lockbench_reports::judge::alerts::{Alert, Alerts, in_a_line};
use lockbench_reports::judge::history::{
    ChangePoint, History, Judgement, Series, Skip, Standing, State, best_dated, few,
};
use lockbench_reports::record::Interval;
use lockbench_reports::statistics::MARGIN;

use super::super::{Done, print};
use super::{Which, gather};
use crate::{Error, history};

/// So many lines of what belongs together are printed.
const SHOWN: usize = 3;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Only cells whose id contains this
    #[arg(value_name = "CELL")]
    cell: Option<String>,
    /// Print the changes, then the failures of the latest night, then what was skipped for long, then how each series stands, as
    /// a JSON array
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
    let mut judgement = Judgement::of(&history, &blessings, MARGIN);
    judgement.retain(wanted);
    let skips = skips(&history, &wanted);
    let series: Vec<&Series> = history.series.iter().filter(|series| wanted(&series.cell)).collect();
    if let Some(part) = args.cell.as_deref().filter(|_| series.is_empty() && skips.is_empty()) {
        return Err(Error::usage(format!(
            "no cell of this history has `{}` in its id; `lockbench history show` lists every cell",
            printable(part)
        )));
    }
    if args.json {
        let Judgement { changes, standings, failures } = &judgement;
        let changes = changes.iter().map(serde_json::to_value);
        let all = changes
            .chain(failures.iter().map(serde_json::to_value))
            .chain(skips.iter().map(serde_json::to_value))
            .chain(standings.iter().map(serde_json::to_value))
            .collect::<Result<Vec<_>, _>>();
        let json = serde_json::to_string_pretty(&all?)?;
        print(&format!("{json}\n"))?;
    } else {
        print(&text(&history, &judgement, &series, &skips))?;
    }
    Ok(if judgement.alerts().negative() { Done::Negative } else { Done::Well })
}

/// The headline, the rows that it is made of, and then everything else.
fn text(history: &History, judgement: &Judgement, series: &[&Series], skips: &[Skip]) -> String {
    let mut text = format!("{}\n", judgement.headline());
    let [nights, changes] =
        [(history.nights.len(), "night"), (judgement.changes.len(), "change")].map(|(n, of)| counted(n, of));
    let _ = writeln!(text, "{nights}, {} series, {changes}.", series.len());
    if let Some(few) = few(history.nights.len()) {
        let _ = writeln!(text, "{few}");
    }
    for group in judgement.that_stand_together(State::Worse) {
        stand(&mut text, "Stands worse", &group);
    }
    for failure in &judgement.failures {
        let (cell, failed) = (printable(&failure.cell), failure.failed.word());
        let _ = writeln!(text, "Failed in the latest night: {cell}, {failed}.");
    }
    for group in judgement.that_stand_together(State::Better) {
        stand(&mut text, "Stands better", &group);
    }
    for skip in skips {
        describe_skip(&mut text, skip);
    }
    text.push('\n');
    for group in judgement.changes_together() {
        describe(&mut text, &group);
    }
    text.push('\n');
    for series in series {
        line(&mut text, series);
    }
    text
}

/// How the series of a group stand: in a line of its own where it is one, or each below what is told of all.
fn stand(text: &mut String, heading: &str, group: &[&Standing]) {
    let first = group[0];
    let (since, than) = (first.since.as_deref().unwrap_or("the first night"), first.than());
    let row = |standing: &&Standing| Row::of(&standing.cell, standing.metric, standing.ratio);
    if let [only] = group {
        let Row { size, figures, series } = row(only);
        let _ = writeln!(text, "{heading}: {size} ({figures}) since {since} than {than}: {series}");
        return;
    }
    let told = told(group.iter().filter_map(|standing| standing.alert()).collect());
    let _ = writeln!(text, "{heading}: {told} since {since} than {than}:");
    rows(text, group.iter().map(row).collect());
}

/// What is told of a group of alerts: `pv-queued, up to 31 % slower (6 cells)`.
fn told(alerts: Vec<Alert>) -> String {
    in_a_line(&Alerts(alerts).changed())
}

/// A series of a group.
struct Row {
    /// `31 % slower`
    size: String,
    /// `0.690, 0.672 to 0.709`
    figures: String,
    /// `pv-queued/… rate`
    series: String,
}

impl Row {
    fn of(cell: &str, metric: Metric, of: Interval) -> Self {
        Self {
            size: metric.size(of),
            figures: format!("{}, {}", ratio(of.median), range(of, ratio)),
            series: format!("{} {}", printable(cell), metric.name()),
        }
    }
}

/// The first series of a group, a line each, and how many more there are.
fn rows(text: &mut String, all: Vec<Row>) {
    let more = all.len().saturating_sub(SHOWN);
    for Row { size, figures, series } in all.into_iter().take(SHOWN) {
        let _ = writeln!(text, "    {size} ({figures}): {series}");
    }
    and_more(text, more);
}

fn and_more(text: &mut String, more: usize) {
    if more > 0 {
        let _ = writeln!(text, "    and {more} more; --json names them all");
    }
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

/// The changes of one night in one direction: in a line of its own where it is one, or each below what is told of all.
fn describe(text: &mut String, group: &[&ChangePoint]) {
    let dated = best_dated(group);
    let (date, after) = (&dated.date, &dated.after);
    let row = |change: &&ChangePoint| Row::of(&change.cell, change.metric, change.ratio);
    if let [only] = group {
        let Row { size, figures, series } = row(only);
        let _ = writeln!(text, "{size} ({figures}) from {date} on, last like before on {after}: {series}");
    } else {
        let told = told(group.iter().map(|change| change.alert()).collect());
        let _ = writeln!(text, "{told} from {date} on, last like before on {after}:");
        rows(text, group.iter().map(row).collect());
    }
    for also in &dated.environment {
        let _ = writeln!(text, "    {}: {}", also.date, also.change);
    }
    if let Some(reason) = &dated.blessed {
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
    let measured = match &skip.measured {
        Some(date) => format!("last measured on {date}"),
        None => "never measured".into(),
    };
    let (cells, since) = (skip.skipped.len(), &skip.since);
    let _ = writeln!(
        text,
        "Skipped for {} running, since {since}, {measured} ({}): {}",
        counted(skip.nights, "night"),
        counted(cells, "cell"),
        printable(&skip.reason)
    );
    for cell in skip.skipped.iter().take(SHOWN) {
        let _ = writeln!(text, "    {}", printable(cell));
    }
    and_more(text, cells.saturating_sub(SHOWN));
}
