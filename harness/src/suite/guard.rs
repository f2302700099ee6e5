//! Whether a run measured what it was to measure. A run that measured nothing at all, or nothing in an environment that was
//! asked for by name, is never a success.

use std::collections::BTreeMap;

use lockbench_reports::record::{Cell, Dropped, Results, Status};
use lockbench_reports::show::reasons;

use crate::Error;
use crate::environments::ENVIRONMENTS;
use crate::plan::PlannedCell;

/// An error where no cell is left to be measured.
pub(crate) fn something_planned(cells: &[PlannedCell], dropped: &[Dropped]) -> Result<(), Error> {
    if !cells.is_empty() {
        return Ok(());
    }
    let why = why(dropped.iter().map(|dropped| dropped.reason.as_str()));
    let why = if why.is_empty() { NO_SUCH_CELL.to_owned() } else { why };
    Err(Error::Nothing(format!("there is nothing to measure: {why}")))
}

const NO_SUCH_CELL: &str = "no environment that was asked for has cells of that size";

/// What a run failed to measure, as the end of a sentence ("measured nothing: …"); none if nothing is missing.
/// `named` are the environments that were asked for by name, on the command line or in a user's own profile.
///
/// A cell that broke, crashed or hung counts as measured: that is a finding.
pub(crate) fn unmeasured(results: &Results, named: &[String]) -> Option<String> {
    let measured = |cell: &&Cell| cell.status != Status::Skipped;
    if !results.cells.iter().any(|cell| measured(&cell)) {
        return Some(format!("measured nothing: {}", missing(results, |_| true)));
    }
    let nothing_in =
        |env: &&String| !results.cells.iter().filter(measured).any(|cell| cell.axes.env == **env);
    let said = named.iter().filter(nothing_in).map(|env| {
        let why = missing(results, |cell| env_of(cell).is_none_or(|other| other == env));
        let why =
            if why.is_empty() { "no cell of the sizes asked for can be had in it".to_owned() } else { why };
        format!("measured nothing in {env}, which was asked for by name: {why}")
    });
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| said.join("; and "))
}

/// Why cells are missing, for the cells whose ids are `wanted`.
fn missing(results: &Results, wanted: impl Fn(&str) -> bool) -> String {
    let skipped = results.cells.iter().filter(|cell| cell.status == Status::Skipped);
    let skipped = skipped
        .map(|cell| (cell.axes.id.as_str(), cell.reason.as_deref().unwrap_or("no reason was recorded")));
    let dropped = results.dropped.iter().map(|dropped| (dropped.cell.as_str(), dropped.reason.as_str()));
    why(skipped.chain(dropped).filter(|(cell, _)| wanted(cell)).map(|(_, reason)| reason))
}

/// Each reason once, with a count.
fn why<'a>(each: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    each.for_each(|reason| *counts.entry(reason).or_default() += 1);
    reasons::sentence(counts)
}

/// The environment in a cell's id, `ticket/kvm/short/2v:2p/compact/pinned`; none in an axis value that none can have.
fn env_of(id: &str) -> Option<&str> {
    let second = id.split('/').nth(1)?;
    ENVIRONMENTS.iter().map(|env| env.name()).find(|name| *name == second)
}
