//! The table of locks and overcommit for a terminal.

use super::blocks::in_blocks;
use super::{reasons, scenarios};
use crate::derive::placement_notes;
use crate::derive::reasons::reasons as missing;
use crate::derive::setting::{Setting, settings};
use crate::format::{overcommit, printable, printable_words};
use crate::judge::answers::answers;
use crate::judge::laws;
use crate::judge::peers::{besides, kernels_own};
use crate::judge::scenarios::only_scenarios;
use crate::judge::verdicts::judged;
use crate::record::params::SPIN_THRESHOLD;
use crate::record::{Cell, Results, Status};
use crate::show::columns::{Row, on_terminal};

/// Width in characters that the table does not exceed where it can be avoided.
const WIDTH: usize = 110;

/// The whole text of a run: the answers in full, the tables, laws, published results, and what is missing and why.
pub fn whole(results: &Results) -> String {
    let mut parts = Vec::new();
    if results.cells.iter().any(|cell| cell.status != Status::Skipped) {
        parts.push(scenarios::whole(results, WIDTH));
        if !only_scenarios(results) {
            parts.push(answers(results).to_string());
        }
        parts.push(table(results));
        parts.push(peers(results));
        parts.push(laws(results));
        parts.push(closing(results));
    }
    parts.push(stopped(results) + &reasons::text(&missing(results), FEW_CELLS));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// Cells that are listed below a reason here; the report lists them all.
const FEW_CELLS: usize = 3;

/// A sentence if the time was up before the plan was done; empty if not.
pub fn stopped(results: &Results) -> String {
    results.stopped.as_ref().map_or_else(String::new, |stopped| {
        format!(
            "stopped after {} of {} rounds: {}\n",
            stopped.rounds,
            results.rounds,
            printable(&stopped.reason)
        )
    })
}

/// A line for each lock of ours beside one that people use; empty where no such lock was run.
fn peers(results: &Results) -> String {
    let mut lines: String = besides(results)
        .iter()
        .map(|beside| {
            let word = beside.standing.word().map_or_else(String::new, |word| format!(" [{word}]"));
            format!("  {}{word}\n", printable_words(&beside.told()))
        })
        .collect();
    lines.extend(kernels_own(results).iter().map(|why| format!("  {}\n", printable_words(why))));
    if lines.is_empty() { lines } else { format!("Our locks beside those that people use:\n{lines}") }
}

/// A line for each cell that a law speaks of; empty where no law does.
fn laws(results: &Results) -> String {
    let results = &*judged(results);
    let cells = results.cells.iter();
    let lines: String =
        cells.filter_map(|cell| Some(format!("  {}\n", laws::sentence(cell, cell.law.as_ref()?)))).collect();
    if lines.is_empty() { lines } else { format!("Laws beside measurements:\n{lines}") }
}

/// Median rate with its interval and efficiency, a row for each lock and a column for each overcommit factor; one
/// table for each environment, workload and placement. Spin-threshold sweeps are left to the answers.
pub fn table(results: &Results) -> String {
    let mut text = String::new();
    for setting in
        settings(results).iter().filter(|setting| !setting.axes().params.contains_key(SPIN_THRESHOLD))
    {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&of_setting(results, setting));
    }
    text
}

/// The text below the table: how far emulation can be trusted, and the published results; empty where the run says nothing about
/// either.
pub fn closing(results: &Results) -> String {
    let environments = if crate::judge::trust::pairs(results).is_empty() {
        String::new()
    } else {
        format!("{}\n", crate::judge::trust::sentence(results))
    };
    let published = crate::judge::published::text(results);
    let between = if environments.is_empty() || published.is_empty() { "" } else { "\n" };
    format!("{environments}{between}{published}")
}

fn of_setting(results: &Results, setting: &Setting<'_>) -> String {
    let title =
        format!("{}: acquisitions per second (interval), then what is left of the 1x rate", setting.title());
    let mut columns: Vec<Vec<String>> = vec![vec!["lock".into()]];
    columns[0].extend(setting.locks().into_iter().map(printable));
    for point in points(setting) {
        let mut column = vec![point.heading()];
        column.extend(setting.locks().into_iter().map(|lock| match point.of(setting, lock) {
            Some(cell) => on_terminal(&Row { results, setting: Some(setting), cell }),
            None => String::new(),
        }));
        columns.push(column);
    }
    format!("{}\n{}{}", printable(&title), in_blocks(&columns, WIDTH), notes(setting))
}

/// The notes on placement of the cells' windows, each once and on a line of its own.
fn notes(setting: &Setting<'_>) -> String {
    let mut notes: Vec<&String> = Vec::new();
    for note in setting.cells.iter().flat_map(|cell| placement_notes(&cell.rounds)) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes.into_iter().map(|note| format!("  Note: {}\n", printable(note))).collect()
}

/// A column of the table: a number of vCPUs on a number of pCPUs.
#[derive(Clone, Copy, PartialEq)]
struct Point {
    vcpus: u32,
    pcpus: usize,
    overcommit: f64,
}

impl Point {
    fn heading(self) -> String {
        format!("{} ({} on {})", overcommit(self.overcommit), self.vcpus, self.pcpus)
    }

    fn of<'a>(self, setting: &Setting<'a>, lock: &str) -> Option<&'a Cell> {
        setting.of(lock).find(|cell| Self::at(cell) == self)
    }

    fn at(cell: &Cell) -> Self {
        Self { vcpus: cell.axes.vcpus, pcpus: cell.axes.pcpus.len(), overcommit: cell.axes.overcommit }
    }
}

fn points(setting: &Setting<'_>) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    for cell in &setting.cells {
        if !points.contains(&Point::at(cell)) {
            points.push(Point::at(cell));
        }
    }
    points.sort_by(|a, b| {
        a.overcommit.total_cmp(&b.overcommit).then(a.vcpus.cmp(&b.vcpus)).then(a.pcpus.cmp(&b.pcpus))
    });
    points
}
