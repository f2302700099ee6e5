//! Compares runs cell by cell: what got worse, what got better, and what cannot be told.
//!
//! The unit is the run. Two runs of the same build differ by more than their rounds do, so a difference counts only
//! beyond what runs of its noise group differ by when nothing changed. Because a hundred cells are tested at once, only
//! differences that survive control of false discoveries are called.

mod accepted;
mod duel;
mod estimate;
mod judge;
mod markdown;
mod own_noise;
mod paired;
mod reasons;
mod shift;
mod sides;
mod spread;
mod stages;
mod tally;
mod text;

use serde::Serialize;

use crate::Error;
use crate::derive::digest::{Change, Digest, Metric, Skipped, changes};
use crate::format::{counted, printable};
use crate::judge::alerts::{Alert, Alerts, What};
use crate::record::{Interval, Status};
use crate::statistics::{FALSE_DISCOVERIES, Verdict};

pub use accepted::Accepted;
pub use duel::{duel, unclear};
pub use markdown::markdown;
pub use spread::Spread;
pub use text::text;

/// From this number of earlier runs on a cell's own spread is used; with fewer, that of its noise group.
pub const OWN_SPREAD_FROM: usize = 5;
/// A cell is called better or worse only beyond this many times the spread between runs.
pub const SPREADS: f64 = 3.0;
/// At most this many earlier runs, the latest ones, are taken into account.
pub const MOST_RUNS: usize = 20;

/// The ratio of a row that has none.
const UNTOLD: Interval = Interval { median: f64::NAN, low: f64::NAN, high: f64::NAN };

/// One metric of one cell, compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Id of the cell.
    pub cell: String,
    /// Its lock.
    pub lock: String,
    /// Its family.
    pub family: String,
    /// What is compared.
    pub metric: Metric,
    /// Median of BASE.
    pub base: Option<f64>,
    /// Median of NEW.
    pub new: Option<f64>,
    /// Ratio of NEW to BASE (for acquire times of BASE to NEW), so that above 1 is better.
    pub ratio: Option<Interval>,
    /// As a fraction: of a row called better or worse the change that it had to clear, of one called the same the largest
    /// change that its interval leaves possible.
    pub bound: Option<f64>,
    /// Probability of a difference of this size if nothing changed.
    pub p: Option<f64>,
    /// Number of earlier runs used.
    pub base_runs: usize,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What the figures do not show, such as that a cell crashed.
    pub note: Option<String>,
    /// How the cell failed in NEW.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<Status>,
}

impl Row {
    /// What the row says that somebody has to know.
    fn alert(&self) -> Option<Alert> {
        let what = match (&self.verdict, self.ratio, self.failed) {
            (Verdict::Worse, _, Some(status)) => What::Failed(status.word()),
            (Verdict::Worse, ratio, None) => What::Worse(self.metric, ratio.unwrap_or(UNTOLD)),
            (Verdict::Better, Some(ratio), None) => What::Better(self.metric, ratio),
            (Verdict::Better, ..) => What::Mended,
            (Verdict::Same | Verdict::NotEnoughData(_), ..) => return None,
        };
        Some(Alert { cell: self.cell.clone(), lock: self.lock.clone(), what })
    }
}

/// Outcome of comparing runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// `runs` of one machine, or a `duel` in alternating rounds.
    pub kind: &'static str,
    /// The machine.
    pub machine: String,
    /// The machine's key.
    pub machine_key: String,
    /// Run ids of BASE, oldest first.
    pub base: Vec<String>,
    /// Run id of NEW.
    pub new: String,
    /// The locks that are told of, where only some are. They are judged as they are among all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<String>,
    /// What else changed from the last of BASE to NEW.
    pub changed: Vec<Change>,
    /// Changes below this fraction are of no practical interest.
    pub margin: f64,
    /// Fraction of the calls that may be false.
    pub false_discoveries: f64,
    /// How far apart runs of each noise group lie when nothing changed.
    pub spreads: Vec<Spread>,
    /// Every cell and metric that both have.
    pub rows: Vec<Row>,
    /// Cells that BASE has and NEW skipped, each reason once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
    /// Cells that only BASE has; they were not in the plan of NEW.
    pub only_base: Vec<String>,
    /// Cells that only NEW has.
    pub only_new: Vec<String>,
    /// Cells of which a change was accepted and that no earlier run has measured since.
    pub accepted: Vec<String>,
    /// Sentences that qualify the whole comparison.
    pub notes: Vec<String>,
}

impl Comparison {
    /// A comparison in which nothing is judged yet. `last` is the latest of the base's runs.
    fn without_rows(kind: &'static str, base: Vec<String>, last: &Digest, new: &Digest, margin: f64) -> Self {
        Self {
            kind,
            machine: new.machine.to_string(),
            machine_key: new.machine.key(),
            base,
            new: new.run_id.clone(),
            locks: Vec::new(),
            changed: changes(&last.environment, &new.environment),
            margin,
            false_discoveries: FALSE_DISCOVERIES,
            spreads: Vec::new(),
            rows: Vec::new(),
            skipped: Vec::new(),
            only_base: Vec::new(),
            only_new: Vec::new(),
            accepted: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// How many rows got this verdict, by its word.
    pub fn count(&self, word: &str) -> usize {
        self.rows.iter().filter(|row| row.verdict.word() == word).count()
    }

    /// Fraction of the rows that got a verdict other than "not enough data".
    pub fn judged(&self) -> f64 {
        let judged = self.rows.iter().filter(|row| row.verdict.reason().is_none()).count();
        if self.rows.is_empty() { 0.0 } else { judged as f64 / self.rows.len() as f64 }
    }

    /// What the headline and the exit status are made of: the rows that are worse or better.
    pub fn alerts(&self) -> Alerts {
        Alerts(self.rows.iter().filter_map(Row::alert).collect())
    }

    /// Whether anything got worse.
    pub fn worse(&self) -> bool {
        self.alerts().negative()
    }

    /// What happened, in a line.
    pub fn headline(&self) -> String {
        self.alerts().headline("Nothing is worse, as far as can be told.")
    }

    /// Leaves out what is about other locks. The verdicts stay as they are: whether a cell differs does not depend on which
    /// others somebody looks at.
    pub fn retain_locks(&mut self, locks: &[String]) {
        let of_these = |cell: &str| {
            locks
                .iter()
                .any(|lock| cell.strip_prefix(lock.as_str()).is_some_and(|rest| rest.starts_with('/')))
        };
        self.locks = locks.to_vec();
        self.rows.retain(|row| locks.contains(&row.lock));
        for skipped in &mut self.skipped {
            skipped.cells.retain(|cell| of_these(cell));
        }
        self.skipped.retain(|skipped| !skipped.cells.is_empty());
        for cells in [&mut self.only_base, &mut self.only_new, &mut self.accepted] {
            cells.retain(|cell| of_these(cell));
        }
    }

    /// Whether there is nothing to tell, not even that a cell is missing.
    pub fn is_empty(&self) -> bool {
        let lists = [&self.only_base, &self.only_new, &self.accepted];
        self.rows.is_empty() && self.skipped.is_empty() && lists.iter().all(|cells| cells.is_empty())
    }
}

/// Compares `new` with the runs of `base`, which stand oldest first. The error is a sentence that says why they cannot be
/// compared.
pub fn compare(base: &[Digest], new: &Digest, margin: f64) -> Result<Comparison, Error> {
    compare_since(base, new, margin, &[])
}

/// As [`compare`], but for a cell with an accepted change only runs from that change on count.
pub fn compare_since(
    base: &[Digest],
    new: &Digest,
    margin: f64,
    accepted: &[Accepted],
) -> Result<Comparison, Error> {
    let base = &base[base.len().saturating_sub(MOST_RUNS)..];
    let refused = |why: String| Err(Error::Incomparable(why));
    let Some(last) = base.last() else { return refused("there is no earlier run to compare with".into()) };
    for run in base {
        if run.machine != new.machine {
            return refused(format!(
                "{} was taken on {} ({}) and {} on {} ({}): runs of different machines cannot be compared",
                printable(&run.run_id),
                run.machine,
                printable(&run.machine.topology),
                printable(&new.run_id),
                new.machine,
                printable(&new.machine.topology)
            ));
        }
    }
    for run in base.iter().chain([new]) {
        if run.is_empty() {
            return refused(format!(
                "nothing was measured in {}: there is nothing to compare",
                printable(&run.run_id)
            ));
        }
    }
    let base_ids = base.iter().map(|run| run.run_id.clone()).collect();
    let mut comparison = Comparison::without_rows("runs", base_ids, last, new, margin);
    comparison.notes = notes(last, new);
    (comparison.skipped, comparison.only_base) = missing(last, new);
    let counts = |run: &Digest, cell: &str| accepted::counts(run, cell, new, accepted);
    let (estimates, alone) = estimate::all(base, new, &counts);
    let known = |cell: &String| base.iter().any(|run| run.cell(cell).is_some());
    (comparison.accepted, comparison.only_new) = alone.into_iter().partition(known);
    comparison.spreads = spread::spreads(&estimates);
    comparison.rows = judge::rows(estimates, &comparison.spreads, margin);
    if comparison.rows.is_empty() && comparison.accepted.is_empty() {
        return refused(format!(
            "{} has no cell in common with an earlier run: there is nothing to compare",
            printable(&new.run_id)
        ));
    }
    Ok(comparison)
}

/// Cells of an earlier run that NEW skipped, and those that were not in its plan.
fn missing(base: &Digest, new: &Digest) -> (Vec<Skipped>, Vec<String>) {
    let missing = base.cells.iter().filter(|cell| new.cell(&cell.id).is_none());
    let mut missing: Vec<String> = missing.map(|cell| cell.id.clone()).collect();
    let mut skipped = Vec::new();
    for Skipped { reason, cells } in &new.skipped {
        let (of_reason, rest): (Vec<String>, Vec<String>) =
            missing.into_iter().partition(|cell| cells.contains(cell));
        missing = rest;
        if !of_reason.is_empty() {
            skipped.push(Skipped { reason: reason.clone(), cells: of_reason });
        }
    }
    (skipped, missing)
}

fn notes(base: &Digest, new: &Digest) -> Vec<String> {
    let mut notes = Vec::new();
    for run in [base, new] {
        if run.interrupted {
            notes.push(format!("{} was cut off before its plan was done", run.run_id));
        }
        if let Some(rounds) = run.stopped_after {
            let rounds = counted(rounds as usize, "round");
            notes.push(format!("{} stopped after {rounds}, for its time was up", run.run_id));
        }
    }
    if base.profile != new.profile {
        notes.push(format!(
            "{} ran the profile {}, {} ran {}",
            base.run_id, base.profile, new.run_id, new.profile
        ));
    }
    notes
}
