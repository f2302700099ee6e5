//! The section of scenarios: each with its answer, a table of what each lock keeps, and who had which pCPU when.

use serde::Serialize;

use super::view::{Column, Table, TableEntry, shown, unbroken};
use crate::Error;
use crate::format::{count, percent, percents, range, rate, significant};
use crate::judge::scenarios::shares::{Share, worst};
use crate::judge::scenarios::{Entry, Scenario, VmKept, scenarios};
use crate::record::{Cell, Results, Vm};
use crate::show::plots::{Figure, lanes};

/// At most this many cases of a scenario are drawn.
const MOST_DRAWN: usize = 3;

/// A scenario.
#[derive(Serialize)]
pub(super) struct ScenarioView {
    pub(super) name: String,
    /// The sentence that says what it showed.
    pub(super) answer: String,
    /// What it is made to show.
    shows: String,
    /// How to read the table.
    reading: String,
    table: Table,
    /// What else the figures say, and of what nothing can be told.
    findings: Vec<String>,
    figures: Vec<Figure>,
}

/// The scenarios of a run, without pictures where it is one of several on the page.
pub(super) fn views(results: &Results, several: bool) -> Result<Vec<ScenarioView>, Error> {
    let scenarios = scenarios(results);
    let view = |(index, scenario): (usize, &Scenario<'_>)| {
        let drawn = if several { Vec::new() } else { drawn(scenario) };
        let findings = scenario.findings().into_iter().chain(scenario.untold());
        Ok(ScenarioView {
            name: shown(scenario.name),
            answer: unbroken(&scenario.answer()),
            shows: shown(scenario.shows),
            reading: reading(scenario),
            table: table(scenario),
            findings: findings.map(|said| unbroken(&said)).collect(),
            figures: lanes::of_cells(results, &drawn, &format!("scenario{index}-"))?,
        })
    };
    scenarios.iter().enumerate().map(view).collect()
}

/// The cells whose pCPUs are drawn: of each case with more vCPUs than pCPUs the lock that keeps least.
fn drawn<'a>(scenario: &Scenario<'a>) -> Vec<&'a Cell> {
    let of_case = |at: usize| {
        let entries = scenario.rows.iter().filter_map(|row| row.entries[at].as_ref());
        let vcpus: u32 = scenario.cases[at].vms.iter().map(Vm::lock_users).fold(0, u32::saturating_add);
        let shared = |entry: &&Entry<'_>| vcpus as usize > entry.cell.axes.pcpus.len();
        let logged = entries.filter(|entry| entry.cell.schedule.is_some()).filter(shared);
        let kept = |entry: &Entry<'_>| entry.measured().kept.as_ref().map_or(f64::MAX, |kept| kept.median);
        logged.min_by(|one, other| kept(one).total_cmp(&kept(other))).map(|entry| entry.cell)
    };
    (0..scenario.cases.len()).filter_map(of_case).take(MOST_DRAWN).collect()
}

fn reading(scenario: &Scenario<'_>) -> String {
    if scenario.tells_shares() {
        return "Each column has how far a virtual machine was from its ideal share of all pCPUs' time at most, and below it the share \
                that each machine had, as the median over the windows, beside the ideal one: machines that share the same pCPUs share \
                them by their weights."
            .into();
    }
    let reference = shown(scenario.reference());
    let mut said = format!(
        "The first column has each lock's rate in `{reference}`; the others its rate as a percentage of that, round by round, with the interval."
    );
    if scenario.cases.iter().any(|case| case.vms.len() > 1) {
        said.push_str(
            " Where several machines share the pCPUs this is said of the first one. Below it stands what the others keep of the rate \
             that they have alone, and how the pCPUs' time was shared.",
        );
    }
    if scenario
        .rows
        .iter()
        .flat_map(|row| row.entries.iter().flatten())
        .any(|entry| entry.throttled().is_some())
    {
        said.push_str(
            " Under a CPU quota the kernel's counts say in how many of its periods it ran out, over all windows; the quota holds for the \
             first machine alone.",
        );
    }
    said
}

fn table(scenario: &Scenario<'_>) -> Table {
    let mut columns = vec![Column { name: "Lock".into(), number: false }];
    columns.extend(scenario.cases.iter().map(|case| Column { name: shown(&case.name), number: true }));
    let rows = scenario.rows.iter().map(|row| {
        let mut entries = vec![TableEntry::text(scenario.label(row)).with_note(row.env)];
        entries.extend(row.entries.iter().enumerate().map(|(at, of)| entry(scenario, at, of.as_ref())));
        entries
    });
    let rows: Vec<_> = rows.collect();
    Table { columns, ..Table::new(&format!("Scenario {}", shown(scenario.name)), &[], rows) }
}

fn entry(scenario: &Scenario<'_>, at: usize, entry: Option<&Entry<'_>>) -> TableEntry {
    let Some(entry) = entry else { return TableEntry::number(None, percent).with_note("not run") };
    if let Some(shares) = entry.shares() {
        return of_shares(&shares);
    }
    let figure = match (at, &entry.measured().kept) {
        (0, _) => {
            let ops = entry.cell.ops_per_second;
            let note = ops.map_or_else(String::new, |ops| format!("({})", range(ops, rate)));
            TableEntry::number(ops.map(|ops| ops.median), rate).with_note(unbroken(&note))
        }
        (_, Ok(kept)) => TableEntry::number(Some(kept.median), percent)
            .with_note(unbroken(&format!("({})", percents(*kept)))),
        (_, Err(why)) => TableEntry::number(None, percent).with_note("cannot be told").with_why(why),
    };
    let mut lines: Vec<String> = Vec::new();
    if scenario.cases[at].vms.len() > 1 {
        lines.extend(entry.vms.iter().skip(1).filter_map(beside));
        lines.extend(shares(&entry.vms));
    }
    lines.extend(entry.throttled().map(|[throttled, periods]| {
        format!("throttled in {} of {} periods", count(throttled), count(periods))
    }));
    TableEntry { lines: lines.iter().map(|line| unbroken(line)).collect(), ..figure }
}

/// How far the machine that is furthest from its ideal share is from it, with the shares of all.
fn of_shares(shares: &Result<Vec<Share<'_>>, String>) -> TableEntry {
    let all = match shares {
        Ok(all) => all,
        Err(why) => return TableEntry::number(None, percent).with_note("cannot be told").with_why(why),
    };
    let line = |share: &Share<'_>| {
        let (had, ideal) = (percent(share.had), percent(share.ideal));
        unbroken(&format!("{} {had}, ideal {ideal}", shown(&share.vm.name)))
    };
    let off = worst(all).map(Share::off);
    let figure = TableEntry::number(off, |off| unbroken(&format!("{} points", significant(off))));
    TableEntry { lines: all.iter().map(line).collect(), ..figure }
}

/// `hog keeps 93.0 %`; nothing where that cannot be told.
fn beside(of: &VmKept<'_>) -> Option<String> {
    let kept = of.kept.as_ref().ok()?;
    Some(format!("{} keeps {} ({})", shown(&of.vm.name), percent(kept.median), percents(*kept)))
}

/// `time: guest 66.0 %, hog 33.0 %`; nothing where it is not known of all.
fn shares(vms: &[VmKept<'_>]) -> Option<String> {
    let each: Option<Vec<String>> =
        vms.iter().map(|of| Some(format!("{} {}", shown(&of.vm.name), percent(of.share?)))).collect();
    Some(format!("time: {}", each?.join(", ")))
}
