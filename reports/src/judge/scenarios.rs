//! What a scenario showed: what a lock keeps of its rate in each case, beside its rate in the scenario's first case.

use crate::derive::Selection;
use crate::derive::setting::environments;
use crate::format::{counted, percent, printable, range};
use crate::record::{Case, Cell, Interval, Purpose, Results, Status};
use crate::statistics::{MIN_ROUNDS, median, ratios};

/// A scenario of a run.
#[derive(Clone, Debug)]
pub struct Scenario<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it shows, in its author's words.
    pub shows: &'a str,
    /// Name of its first case, which the others are compared with.
    pub reference: &'a str,
    /// Its other cases, in plan order, in each environment.
    pub cases: Vec<CaseOf<'a>>,
}

/// A case in an environment, beside the scenario's first.
#[derive(Clone, Debug)]
pub struct CaseOf<'a> {
    /// The virtual machines.
    pub case: &'a Case,
    /// The environment.
    pub env: &'a str,
    /// Each lock: what it keeps of its rate, in plan order.
    pub locks: Vec<LockOf<'a>>,
    /// The part of all pCPU time that each virtual machine had, from 0 to 1: medians over all windows of all locks. Empty where
    /// that is unknown.
    pub shares: Vec<f64>,
}

/// A lock in a case.
#[derive(Clone, Debug)]
pub struct LockOf<'a> {
    /// Its cell.
    pub cell: &'a Cell,
    /// Its rate over its rate in the first case; none where that cannot be told.
    pub kept: Option<Interval>,
    /// Why not.
    pub missing: Option<String>,
}

/// The scenarios of a run, in plan order.
pub fn scenarios(results: &Results) -> Vec<Scenario<'_>> {
    let mut found: Vec<Scenario<'_>> = Vec::new();
    for cell in &results.cells {
        let Some(case) = &cell.axes.case else { continue };
        if !found.iter().any(|known| known.name == case.scenario) {
            found.push(Scenario {
                name: &case.scenario,
                shows: &case.shows,
                reference: &case.name,
                cases: Vec::new(),
            });
        }
    }
    for scenario in &mut found {
        scenario.cases = cases(results, scenario);
    }
    found
}

fn of<'a>(results: &'a Results, scenario: &str) -> Vec<(&'a Case, &'a Cell)> {
    let cells = results.cells.iter().filter_map(|cell| Some((cell.axes.case.as_ref()?, cell)));
    cells.filter(|(case, _)| case.scenario == scenario).collect()
}

fn cases<'a>(results: &'a Results, scenario: &Scenario<'a>) -> Vec<CaseOf<'a>> {
    let cells = of(results, scenario.name);
    let mut cases: Vec<CaseOf<'a>> = Vec::new();
    for &(case, cell) in cells.iter().filter(|(case, _)| case.name != scenario.reference) {
        let env = cell.axes.env.as_str();
        let at = cases.iter().position(|known| known.case.name == case.name && known.env == env);
        let at = at.unwrap_or_else(|| {
            cases.push(CaseOf { case, env, locks: Vec::new(), shares: Vec::new() });
            cases.len() - 1
        });
        let reference = cells.iter().find(|(of, other)| {
            of.name == scenario.reference && other.axes.env == env && other.axes.lock == cell.axes.lock
        });
        cases[at].locks.push(kept(cell, reference.map(|(_, cell)| *cell)));
    }
    for case in &mut cases {
        case.shares = shares(case);
    }
    // The environments of one case stand together.
    let envs = environments(results);
    let order = |case: &CaseOf<'_>| {
        let case_at = cells.iter().position(|(of, _)| of.name == case.case.name);
        (case_at, envs.iter().position(|env| *env == case.env))
    };
    cases.sort_by_key(order);
    cases
}

fn kept<'a>(cell: &'a Cell, reference: Option<&Cell>) -> LockOf<'a> {
    let untold = |why: &str| LockOf { cell, kept: None, missing: Some(why.into()) };
    let Some(reference) = reference else { return untold("it was not run in the first case") };
    if cell.status != Status::Ok || reference.status != Status::Ok {
        let (bad, place) =
            if cell.status == Status::Ok { (reference, "in the first case ") } else { (cell, "") };
        return untold(&format!("{place}it is {}", bad.status.word()));
    }
    let windows = |cell: &Cell| Selection::comparable(&cell.rounds, Purpose::Rate).windows();
    let paired = ratios(&windows(cell), &windows(reference));
    match paired.of_enough_rounds() {
        (Some(kept), rounds) if rounds >= MIN_ROUNDS => LockOf { cell, kept: Some(kept), missing: None },
        (Some(_), rounds) => {
            untold(&format!("{} usable of both; {MIN_ROUNDS} are needed", counted(rounds, "round")))
        }
        (None, _) => LockOf { cell, kept: None, missing: paired.missing },
    }
}

/// The part of all pCPU time that each virtual machine had.
fn shares(case: &CaseOf<'_>) -> Vec<f64> {
    let pcpus = case.locks.first().map_or(1, |lock| lock.cell.axes.pcpus.len()) as f64;
    let windows = case.locks.iter().flat_map(|lock| &lock.cell.rounds).filter_map(|round| round.measured());
    let windows: Vec<_> = windows.filter(|measured| measured.undisturbed()).collect();
    let of = |vm: usize| {
        let each = windows.iter().filter_map(|measured| {
            let shares = &measured.vms.get(vm)?.on_cpu_share;
            (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / pcpus)
        });
        median(&each.collect::<Vec<f64>>())
    };
    (0..case.case.vms.len()).map(of).collect::<Option<_>>().unwrap_or_default()
}

impl Scenario<'_> {
    /// What it showed, in a sentence for each case and environment.
    pub fn sentences(&self) -> Vec<String> {
        self.cases.iter().map(|case| self.sentence(case)).collect()
    }

    fn sentence(&self, case: &CaseOf<'_>) -> String {
        let measured = case.case.vms.first().map_or("the machine", |vm| vm.name.as_str());
        let mut told: Vec<&LockOf<'_>> = case.locks.iter().filter(|lock| lock.kept.is_some()).collect();
        let median = |lock: &LockOf<'_>| lock.kept.map_or(0.0, |kept| kept.median);
        told.sort_by(|a, b| median(b).total_cmp(&median(a)));
        let place = format!("{}, {}:", printable(&case.case.name), printable(case.env));
        if told.is_empty() {
            let why = case.locks.iter().find_map(|lock| lock.missing.clone());
            let why = why.map_or_else(String::new, |why| format!(" ({})", printable(&why)));
            return format!("{place} nothing can be told{why}.");
        }
        let each = told.iter().filter_map(|lock| {
            let kept = lock.kept?;
            Some(format!(
                "{} {} ({})",
                printable(&lock.cell.axes.lock),
                percent(kept.median),
                range(kept, percent)
            ))
        });
        let each: Vec<String> = each.collect();
        let untold = case.locks.iter().filter(|lock| lock.kept.is_none());
        let untold: Vec<String> = untold
            .map(|lock| {
                let why =
                    lock.missing.as_deref().map_or_else(String::new, |why| format!(" ({})", printable(why)));
                format!(" Of {} it cannot be told{why}.", printable(&lock.cell.axes.lock))
            })
            .collect();
        let shares = case.case.vms.iter().zip(&case.shares);
        let shares: Vec<String> =
            shares.map(|(vm, share)| format!("{} {}", printable(&vm.name), percent(*share))).collect();
        let had = match shares.len() {
            0 => String::new(),
            1 => format!(" {measured} had {} of the pCPUs' time.", percent(case.shares[0])),
            _ => format!(" The pCPUs' time went to {}.", shares.join(", ")),
        };
        format!(
            "{place} of its rate in `{}` {measured} keeps {}.{}{had}",
            printable(self.reference),
            each.join(", "),
            untold.concat()
        )
    }
}
