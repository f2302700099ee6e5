//! What a scenario showed, in sentences that are true of its own figures.

use super::{Entry, Row, Scenario, VmKept};
use crate::derive::Selection;
use crate::format::{percent, percents, printable};
use crate::record::{Cell, Interval, Purpose};
use crate::statistics::{MIN_ROUNDS, ratios};

/// A lock's row and what the lock keeps in a case.
type Told<'s, 'a> = (&'s Row<'a>, Interval);

impl<'a> Scenario<'a> {
    /// Name of the first case, which the others are compared with.
    pub fn reference(&self) -> &'a str {
        self.cases.first().map_or("", |case| &case.name)
    }

    /// What a row is called: its lock, and its workload where the scenario has several.
    pub fn label(&self, row: &Row<'_>) -> String {
        let lock = printable(row.lock);
        if self.has_workloads() { format!("{lock} with {}", printable(row.workload)) } else { lock }
    }

    /// What it showed, in one sentence: what the locks keep in the case in which one of them keeps least.
    pub fn answer(&self) -> String {
        if self.tells_shares() {
            return self.answer_of_shares();
        }
        if self.cases.len() < 2 {
            return "With one case there is nothing to compare.".into();
        }
        let Some(at) = self.worst() else {
            let why = self.first_reason().map_or_else(String::new, |why| format!(": {}", printable(why)));
            return format!("What the locks keep of their rates cannot be told{why}.");
        };
        let each: Vec<String> = self.envs().into_iter().filter_map(|env| self.clause(at, env)).collect();
        format!(
            "In case `{}`, of their rates in case `{}`, {}{}.",
            printable(&self.cases[at].name),
            printable(self.reference()),
            each.join("; "),
            self.withheld_clause(at)
        )
    }

    /// The case in which some lock surely keeps least, by the upper ends of the intervals; none where nothing can be told.
    pub fn worst(&self) -> Option<usize> {
        let told = (1..self.cases.len()).flat_map(|at| {
            let entries = self.rows.iter().filter_map(move |row| row.entries[at].as_ref());
            entries.filter_map(move |entry| Some((at, entry.measured().kept.as_ref().ok()?.high)))
        });
        told.min_by(|(_, one), (_, other)| one.total_cmp(other)).map(|(at, _)| at)
    }

    fn first_reason(&self) -> Option<&str> {
        let entries = self.rows.iter().flat_map(|row| row.entries.iter().skip(1).flatten());
        entries.filter_map(|entry| entry.measured().kept.as_ref().err()).map(String::as_str).next()
    }

    /// The locks of an environment that can be told in a case, those that keep most first.
    fn told<'s>(&'s self, at: usize, env: &'s str) -> Vec<Told<'s, 'a>> {
        let rows = self.of_env(env);
        let mut told: Vec<Told<'s, 'a>> = rows
            .filter_map(|row| Some((row, *row.entries[at].as_ref()?.measured().kept.as_ref().ok()?)))
            .collect();
        told.sort_by(|(_, one), (_, other)| other.median.total_cmp(&one.median));
        told
    }

    /// `emulated locks have 0.41 % (ticket) to 46.8 % (pv-queued)`, or `emulated locks have between 0.30 % and 254 %, ticket the least and
    /// pv-queued the most` where a median says little; none in an environment that does not run the case. A lock is named as the end of a
    /// range only where it surely has more than any other, or less. Locks that cannot be told are named without a figure.
    fn clause(&self, at: usize, env: &str) -> Option<String> {
        let told = self.told(at, env);
        let here = self.of_env(env).filter(|row| row.entries[at].is_some());
        let untold: Vec<String> = here
            .filter(|row| !told.iter().any(|(known, _)| std::ptr::eq(*known, *row)))
            .map(|row| self.label(row))
            .collect();
        let env = printable(env);
        let (Some(most), Some(least)) = (told.first(), told.last()) else {
            return (!untold.is_empty()).then(|| format!("what {env} locks keep cannot be told"));
        };
        let others = |one: &Told<'_, 'a>| {
            let one = std::ptr::from_ref(one.0);
            told.iter().filter(move |other| !std::ptr::eq(other.0, one)).map(|(_, kept)| *kept)
        };
        let is_most = others(most).all(|kept| kept.high < most.1.low);
        let is_least = others(least).all(|kept| kept.low > least.1.high);
        let named = |is: bool, (row, kept): &Told<'_, '_>| match is {
            true => format!("{} ({})", percent(kept.median), self.label(row)),
            false => percent(kept.median),
        };
        let rest = match &untold[..] {
            [] => String::new(),
            untold => format!(" (of {} it cannot be told)", untold.join(", ")),
        };
        Some(match told.len() {
            1 => format!("{env} {} has {}{rest}", self.label(most.0), figure(most.1)),
            _ if told.iter().any(|(_, kept)| is_wide(*kept)) => {
                let low = told.iter().map(|(_, kept)| kept.low).fold(f64::INFINITY, f64::min);
                let high = told.iter().map(|(_, kept)| kept.high).fold(0.0, f64::max);
                // The ends of the range are no lock's figure, so that the names stand apart from them.
                let is = |is: bool, (row, _): &Told<'_, '_>, what| {
                    is.then(|| format!("{} the {what}", self.label(row)))
                };
                let ends = [is(is_least, least, "least"), is(is_most, most, "most")];
                let ends: Vec<String> = ends.into_iter().flatten().collect();
                let ends = if ends.is_empty() { String::new() } else { format!(", {}", ends.join(" and ")) };
                format!("{env} locks have between {} and {}{ends}{rest}", percent(low), percent(high))
            }
            _ if is_most || is_least => {
                format!("{env} locks have {} to {}{rest}", named(is_least, least), named(is_most, most))
            }
            _ => format!(
                "{env} locks have {} to {}, and which of them has most cannot be told{rest}",
                percent(least.1.median),
                percent(most.1.median)
            ),
        })
    }

    /// What else its figures say: what replays withhold, who pays where machines share their pCPUs, and what the lock that keeps most costs where nothing
    /// goes wrong.
    pub fn findings(&self) -> Vec<String> {
        if self.tells_shares() {
            return self.findings_of_shares();
        }
        let costs = self
            .worst()
            .into_iter()
            .flat_map(|at| self.envs().into_iter().flat_map(move |env| self.costs(at, env)));
        let pays = (1..self.cases.len()).filter_map(|at| self.pays(at));
        self.withheld().into_iter().chain(pays).chain(costs).collect()
    }

    /// Of which locks it cannot be told what they keep, and why: a sentence for each reason.
    pub fn untold(&self) -> Vec<String> {
        if self.tells_shares() {
            return self.untold_shares();
        }
        let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
        for (at, case) in self.cases.iter().enumerate().skip(1) {
            for row in &self.rows {
                let Some(Err(why)) = row.entries[at].as_ref().map(|entry| &entry.measured().kept) else {
                    continue;
                };
                let place =
                    format!("{} in `{}` ({})", self.label(row), printable(&case.name), printable(row.env));
                match reasons.iter_mut().find(|(known, _)| known == why) {
                    Some((_, places)) => places.push(place),
                    None => reasons.push((why, vec![place])),
                }
            }
        }
        let told = |(why, places): (&str, Vec<String>)| {
            format!("Of {} it cannot be told: {}.", places.join(", "), printable(why))
        };
        reasons.into_iter().map(told).collect()
    }

    /// Who pays in a case with several machines: the one that keeps less than every other, where that can be told.
    fn pays(&self, at: usize) -> Option<String> {
        let case = self.cases[at];
        if case.vms.len() < 2 {
            return None;
        }
        let entries = self.rows.iter().filter_map(|row| Some((row, row.entries[at].as_ref()?)));
        let mut payers: Vec<(&str, Vec<String>)> = Vec::new();
        let mut untold = 0;
        for (row, entry) in entries {
            let Some(payer) = entry.payer() else {
                untold += 1;
                continue;
            };
            let with = format!("{} ({})", self.label(row), printable(row.env));
            match payers.iter_mut().find(|(name, _)| *name == payer.vm.name) {
                Some((_, locks)) => locks.push(with),
                None => payers.push((&payer.vm.name, vec![with])),
            }
        }
        let place = format!("Who pays in `{}`", printable(&case.name));
        let each: Vec<String> = match (&payers[..], untold) {
            ([], _) => return Some(format!("{place} cannot be told.")),
            ([(name, _)], 0) => vec![format!("{}, whatever the lock", printable(name))],
            _ => {
                let of = |(name, locks): &(&str, Vec<String>)| {
                    format!("{} with {}", printable(name), locks.join(", "))
                };
                payers.iter().map(of).collect()
            }
        };
        let rest = if untold > 0 { "; with the others it cannot be told" } else { "" };
        Some(format!(
            "{place}, by keeping less of its rate than any other machine: {}{rest}.",
            each.join("; ")
        ))
    }

    /// What the better lock costs where nothing goes wrong, in the first case: the lock that keeps most in case `at` beside the one that
    /// keeps least; in an environment that runs the first case alone, each lock beside the first. None where the first case has more
    /// vCPUs than pCPUs, or where the two locks of the worst case cannot be told apart.
    fn costs(&self, at: usize, env: &str) -> Vec<String> {
        let rows: Vec<&Row<'a>> = self.of_env(env).collect();
        let alone = rows.iter().all(|row| row.entries.iter().skip(1).all(Option::is_none));
        if alone {
            let others = rows.iter().skip(1).filter_map(|row| self.cost(row, rows[0]));
            return others.collect();
        }
        let told = self.told(at, env);
        let (Some(most), Some(least)) = (told.first(), told.last()) else { return Vec::new() };
        if most.1.low <= least.1.high {
            return Vec::new();
        }
        self.cost(most.0, least.0).into_iter().collect()
    }

    /// The rate of a lock in the first case, beside another one's.
    fn cost(&self, row: &Row<'a>, beside: &Row<'a>) -> Option<String> {
        let (one, other) = (row.entries[0].as_ref()?.cell, beside.entries[0].as_ref()?.cell);
        if row.workload != beside.workload || one.axes.overcommit > 1.0 {
            return None;
        }
        let windows = |cell: &Cell| Selection::comparable(&cell.rounds, Purpose::Rate).windows();
        let (ratio, rounds) = ratios(&windows(one), &windows(other)).of_enough_rounds();
        let ratio = ratio.filter(|_| rounds >= MIN_ROUNDS)?;
        let (one, other) = (self.label(row), self.label(beside));
        let place = format!("In `{}`, {},", printable(self.reference()), printable(row.env));
        Some(if ratio.low > 1.0 || ratio.high < 1.0 {
            format!("{place} {one} has {} of {other}'s rate ({}).", percent(ratio.median), percents(ratio))
        } else {
            format!(
                "{place} it cannot be told whether {one} or {other} is faster: {one} has {} of {other}'s rate.",
                percents(ratio)
            )
        })
    }
}

/// Whether an interval is so wide that its median says little.
fn is_wide(kept: Interval) -> bool {
    kept.high > 2.0 * kept.low
}

/// What a lock keeps: the median, or the range where the median says little.
fn figure(kept: Interval) -> String {
    if is_wide(kept) { percents(kept) } else { percent(kept.median) }
}

impl<'a> Entry<'a> {
    /// The machine that keeps less of its rate than any other; none where that cannot be told.
    pub fn payer(&self) -> Option<&VmKept<'a>> {
        let told: Vec<(&VmKept<'a>, Interval)> =
            self.vms.iter().map(|vm| Some((vm, *vm.kept.as_ref().ok()?))).collect::<Option<_>>()?;
        let (payer, least) =
            told.iter().copied().min_by(|(_, one), (_, other)| one.median.total_cmp(&other.median))?;
        let others = told.iter().filter(|(vm, _)| !std::ptr::eq(*vm, payer));
        let clear = told.len() > 1 && others.clone().all(|(_, kept)| least.high < kept.low);
        clear.then_some(payer)
    }
}
