//! What a scenario showed: for each lock in each case, what the virtual machines keep of the rates that they have by themselves.

mod ideal;
mod kept;
mod replays;
pub mod shares;
mod words;

use crate::derive::setting::environments;
use crate::record::{Case, Cell, Interval, Results, Vm};

/// A scenario of a run.
#[derive(Clone, Debug)]
pub struct Scenario<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it shows, in its author's words.
    pub shows: &'a str,
    /// Its cases, in plan order. The others are compared with the first. A case in which another machine than the first case's
    /// runs alone is none of them: it says what that machine does by itself.
    pub cases: Vec<&'a Case>,
    /// A row for each lock in each environment.
    pub rows: Vec<Row<'a>>,
}

/// A lock in an environment.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The environment.
    pub env: &'a str,
    /// The lock.
    pub lock: &'a str,
    /// Name of the workload.
    pub workload: &'a str,
    /// The lock in each of the scenario's cases; none where the case was not run with it.
    pub entries: Vec<Option<Entry<'a>>>,
}

/// A lock in an environment and a case.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Its cell.
    pub cell: &'a Cell,
    /// The case's virtual machines; the first one is measured.
    pub vms: Vec<VmKept<'a>>,
}

/// What a virtual machine keeps in a case.
#[derive(Clone, Debug)]
pub struct VmKept<'a> {
    /// The machine.
    pub vm: &'a Vm,
    /// Its rate over the rate that it has by itself: that of the scenario's first case for the machine that is measured, that of a
    /// case in which it runs alone for the others. The error says why that cannot be told.
    pub kept: Result<Interval, String>,
    /// The part of all pCPU time that it had, from 0 to 1: the median over the windows. None where that is unknown.
    pub share: Option<f64>,
}

/// The scenarios of a run, in plan order.
pub fn scenarios(results: &Results) -> Vec<Scenario<'_>> {
    let mut found: Vec<Scenario<'_>> = Vec::new();
    for case in results.cells.iter().filter_map(|cell| cell.axes.case.as_ref()) {
        if !found.iter().any(|known| known.name == case.scenario) {
            let (name, shows) = (&case.scenario, &case.shows);
            found.push(Scenario { name, shows, cases: Vec::new(), rows: Vec::new() });
        }
    }
    let envs = environments(results);
    for scenario in &mut found {
        let of = |cell: &&Cell| cell.axes.case.as_ref().is_some_and(|case| case.scenario == scenario.name);
        let cells: Vec<&Cell> = results.cells.iter().filter(of).collect();
        scenario.cases = cases(&cells);
        scenario.rows = rows(&cells, &scenario.cases, &envs);
    }
    found
}

/// Whether a run has cells of scenarios and no others.
pub fn only_scenarios(results: &Results) -> bool {
    !results.cells.is_empty() && results.cells.iter().all(|cell| cell.axes.case.is_some())
}

/// The cases of a scenario's cells, but for those in which another machine than the first case's runs alone.
fn cases<'a>(cells: &[&'a Cell]) -> Vec<&'a Case> {
    let mut cases: Vec<&Case> = Vec::new();
    for case in cells.iter().filter_map(|cell| cell.axes.case.as_ref()) {
        let first = cases.first().copied().unwrap_or(case);
        let another_alone = case.vms.len() == 1 && case.vms[0].name != first.vms[0].name;
        if !another_alone && !cases.iter().any(|known| known.name == case.name) {
            cases.push(case);
        }
    }
    cases
}

fn rows<'a>(cells: &[&'a Cell], cases: &[&'a Case], envs: &[&str]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    for &cell in cells {
        let Some(at) = cases.iter().position(|case| case_of(cell) == Some(&case.name)) else { continue };
        let (env, lock, workload) =
            (cell.axes.env.as_str(), cell.axes.lock.as_str(), cell.axes.workload.name.as_str());
        let row = rows.iter().position(|row| (row.env, row.lock, row.workload) == (env, lock, workload));
        let row = row.unwrap_or_else(|| {
            rows.push(Row { env, lock, workload, entries: vec![None; cases.len()] });
            rows.len() - 1
        });
        let reference = cells.iter().copied().find(|other| {
            let axes = &other.axes;
            case_of(other) == Some(&cases[0].name)
                && (axes.env.as_str(), axes.lock.as_str(), axes.workload.name.as_str())
                    == (env, lock, workload)
        });
        rows[row].entries[at] = kept::entry(cell, reference, cells);
    }
    // The locks of one environment stand together.
    rows.sort_by_key(|row| envs.iter().position(|env| *env == row.env));
    rows
}

fn case_of(cell: &Cell) -> Option<&String> {
    cell.axes.case.as_ref().map(|case| &case.name)
}

impl<'a> Scenario<'a> {
    /// Its environments, in plan order.
    pub fn envs(&self) -> Vec<&'a str> {
        let mut envs: Vec<&str> = self.rows.iter().map(|row| row.env).collect();
        envs.dedup();
        envs
    }

    /// Whether its rows differ in their workloads.
    pub fn has_workloads(&self) -> bool {
        self.rows.iter().any(|row| row.workload != self.rows[0].workload)
    }

    /// The rows of an environment.
    pub fn of_env(&self, env: &str) -> impl Iterator<Item = &Row<'a>> {
        self.rows.iter().filter(move |row| row.env == env)
    }
}

impl<'a> Entry<'a> {
    /// The machine that is measured.
    pub fn measured(&self) -> &VmKept<'a> {
        // A case without machines is not planned, and a record of one gives no entry.
        &self.vms[0]
    }

    /// How many of the periods of a CPU quota ran out, and how many there were, over all windows; none without a quota.
    pub fn throttled(&self) -> Option<[u64; 2]> {
        self.cell.throttled_periods()
    }
}
