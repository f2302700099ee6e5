//! What a scenario showed whose cases tell shares: which part of the pCPUs' time each virtual machine had, beside its ideal share.

use std::collections::BTreeSet;

use super::ideal::ideal;
use super::{Entry, Scenario};
use crate::format::{counted, duration, percent, printable, significant};
use crate::record::{Answer, Measured, Vm};
use crate::statistics::{MIN_ROUNDS, median};

/// What a machine had, as parts of all pCPU time from 0 to 1.
#[derive(Clone, Debug)]
pub struct Share<'a> {
    /// The machine.
    pub vm: &'a Vm,
    /// What it had: the median over the windows.
    pub had: f64,
    /// What it should have had.
    pub ideal: f64,
}

impl Share<'_> {
    /// By how many points of a percent it had another share than it should have had.
    pub fn off(&self) -> f64 {
        100.0 * (self.had - self.ideal).abs()
    }

    /// `a-large 16.7 % instead of 28.6 %`.
    fn told(&self) -> String {
        format!("{} {} instead of {}", printable(&self.vm.name), percent(self.had), percent(self.ideal))
    }
}

impl<'a> Entry<'a> {
    /// What each machine had and should have had; or why that cannot be told. None where the case is to tell something else.
    pub fn shares(&self) -> Option<Result<Vec<Share<'a>>, String>> {
        let case = self.cell.axes.case.as_ref().filter(|case| case.answer == Answer::Shares)?;
        let windows = self.undisturbed();
        let rounds =
            self.cell.rounds.iter().filter(|round| round.measured().is_some_and(Measured::undisturbed));
        let rounds: BTreeSet<u32> = rounds.map(|round| round.round).collect();
        if rounds.len() < MIN_ROUNDS {
            return Some(Err(format!("{}; {MIN_ROUNDS} are needed", counted(rounds.len(), "usable round"))));
        }
        let window_ns = median(&windows.iter().map(|one| one.window_ns as f64).collect::<Vec<_>>());
        let Some(ideal) = window_ns.and_then(|ns| ideal(&self.cell.axes, ns as u64)) else {
            return Some(Err(
                "machines that share a part of their pCPUs, or run as gangs, have no ideal share".into(),
            ));
        };
        let of = |(of, ideal): (&super::VmKept<'a>, f64)| Some(Share { vm: of.vm, had: of.share?, ideal });
        let all: Option<Vec<Share<'a>>> = self.vms.iter().zip(ideal).map(of).collect();
        let unknown = || format!("of a machine of {} it is not known how long it ran", printable(&case.name));
        Some(all.ok_or_else(unknown))
    }

    fn undisturbed(&self) -> Vec<&'a Measured> {
        let cell = self.cell;
        let windows = cell.rounds.iter().filter_map(|round| round.measured());
        windows.filter(|measured| measured.undisturbed()).collect()
    }

    /// How the changes of the pools went, over all undisturbed windows; none without changes.
    fn moves(&self) -> Option<Moves> {
        let planned = self.cell.axes.case.as_ref().map_or(0, |case| case.moves.len());
        let windows = self.undisturbed();
        let schedules: Vec<_> = windows.iter().filter_map(|measured| measured.schedule.as_ref()).collect();
        let all: Vec<_> = schedules.iter().flat_map(|schedule| &schedule.moves).collect();
        let took = all.iter().filter_map(|one| Some(one.done_ns?.saturating_sub(one.asked_ns))).max();
        let moves = Moves {
            took_ns: took.unwrap_or(0),
            undone: all.iter().filter(|one| one.done_ns.is_none()).count(),
            // The record of a window has those alone that were taken up.
            never_begun: (planned * schedules.len()).saturating_sub(all.len()),
        };
        (planned > 0 && !schedules.is_empty()).then_some(moves)
    }
}

/// The changes of the pools of a case.
struct Moves {
    /// How long one took at most.
    took_ns: u64,
    /// How many were taken up and not done when the window ended.
    undone: usize,
    /// How many were not taken up before the window ended.
    never_begun: usize,
}

impl Moves {
    /// `; every move was done within 40.0 µs after it was asked for`.
    fn told(&self) -> String {
        let of =
            |count: usize, what: &str| (count > 0).then(|| format!("; {} {what}", counted(count, "move")));
        let late = [
            of(self.undone, "not done when the window ended"),
            of(self.never_begun, "not taken up before the window ended"),
        ];
        if late.iter().all(Option::is_none) {
            let took = duration(self.took_ns as f64);
            return format!("; every move was done within {took} after it was asked for");
        }
        late.into_iter().flatten().collect()
    }
}

/// The machine whose share is furthest from its ideal.
pub fn worst<'s, 'a>(shares: &'s [Share<'a>]) -> Option<&'s Share<'a>> {
    shares.iter().max_by(|one, other| one.off().total_cmp(&other.off()))
}

impl Scenario<'_> {
    /// Whether its cases tell shares instead of rates.
    pub fn tells_shares(&self) -> bool {
        self.cases.iter().any(|case| case.answer == Answer::Shares)
    }

    /// What it showed, in one sentence: how far each case is from the ideal shares at most, with the machine where that is most.
    pub(super) fn answer_of_shares(&self) -> String {
        let of_case = |at: usize| {
            let each = self.rows.iter().filter_map(move |row| {
                let shares = row.entries[at].as_ref()?.shares()?.ok()?;
                let worst = worst(&shares)?;
                Some((worst.off(), format!("{}: {}", self.place(row), worst.told())))
            });
            let (off, told) = each.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
            Some((at, off, told))
        };
        let cases: Vec<(usize, f64, String)> = (0..self.cases.len()).filter_map(of_case).collect();
        let Some(most) = cases.iter().max_by(|one, other| one.1.total_cmp(&other.1)) else {
            return "How the pCPUs' time was shared cannot be told.".into();
        };
        let each: Vec<String> = cases
            .iter()
            .map(|(at, off, told)| {
                let points =
                    format!("{} points in `{}`", significant(*off), printable(&self.cases[*at].name));
                if *at == most.0 { format!("{points} ({told})") } else { points }
            })
            .collect();
        format!("Machines are off their ideal shares of the pCPUs' time by up to {}.", each.join(", "))
    }

    /// What a row is called beside others: its environment, and its lock where there are several.
    fn place(&self, row: &super::Row<'_>) -> String {
        let several = self.rows.iter().any(|other| other.lock != row.lock || other.workload != row.workload);
        let env = printable(row.env);
        if several { format!("{}, {env}", self.label(row)) } else { env }
    }

    /// The shares of every machine in each case, in a sentence for each row.
    pub(super) fn findings_of_shares(&self) -> Vec<String> {
        let mut said = Vec::new();
        for (at, case) in self.cases.iter().enumerate() {
            for row in &self.rows {
                let Some(entry) = row.entries[at].as_ref() else { continue };
                let Some(Ok(shares)) = entry.shares() else { continue };
                let each: Vec<String> = shares.iter().map(told_with_ideal).collect();
                let moves = entry.moves().map_or_else(String::new, |moves| moves.told());
                said.push(format!(
                    "In `{}`, {}, of the pCPUs' time {}{moves}.",
                    printable(&case.name),
                    self.place(row),
                    each.join(", ")
                ));
            }
        }
        said
    }

    /// Of which cases it cannot be told how the time was shared, and why.
    pub(super) fn untold_shares(&self) -> Vec<String> {
        let mut said = Vec::new();
        for (at, case) in self.cases.iter().enumerate() {
            for row in &self.rows {
                if let Some(Some(Err(why))) = row.entries[at].as_ref().map(Entry::shares) {
                    let (name, place) = (printable(&case.name), self.place(row));
                    said.push(format!("Of `{name}` ({place}) it cannot be told: {why}."));
                }
            }
        }
        said
    }
}

/// `a-large had 16.7 % (ideal: 28.6 %)`.
fn told_with_ideal(share: &Share<'_>) -> String {
    format!("{} had {} (ideal: {})", printable(&share.vm.name), percent(share.had), percent(share.ideal))
}
