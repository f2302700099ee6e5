//! Scenarios on a terminal: a sentence each, and a table of what each lock keeps in each case.

use super::blocks::in_blocks;
use super::ending::{Layout, Paint};
use crate::format::{percent, percents, printable, rate, significant};
use crate::judge::scenarios::shares::worst;
use crate::judge::scenarios::{Entry, Row, Scenario, scenarios};
use crate::record::Results;

/// Each scenario's sentence for the end of a run, and the table of a scenario that is the only one; nothing in a run without
/// scenarios.
pub(super) fn ending(results: &Results, layout: Layout) -> String {
    let all = scenarios(results);
    let of = |scenario: &Scenario<'_>| {
        let said = format!("{}: {}", printable(scenario.name), plain(&scenario.answer()));
        let table = if all.len() == 1 { table(scenario, layout.width) } else { String::new() };
        format!("{}{table}", layout.line("scenario", &said, Paint::Bold))
    };
    all.iter().map(of).collect()
}

/// Each scenario with everything that its figures say.
pub(super) fn whole(results: &Results, width: usize) -> String {
    let of = |scenario: &Scenario<'_>| {
        let more = scenario.findings().into_iter().chain(scenario.untold());
        let more: String = more.map(|said| format!("  {}\n", plain(&said))).collect();
        format!(
            "Scenario {}, {}\n  {}\n{}{more}",
            printable(scenario.name),
            printable(scenario.shows),
            plain(&scenario.answer()),
            table(scenario, width)
        )
    };
    scenarios(results).iter().map(of).collect::<Vec<_>>().join("\n")
}

/// Marks of code are for the page.
fn plain(text: &str) -> String {
    text.replace('`', "")
}

/// A row for each lock and environment, a column for each case: its rate in the first, what it keeps of that in the others.
fn table(scenario: &Scenario<'_>, width: usize) -> String {
    let column = |heading: &str, texts: Vec<String>| {
        let mut column = vec![printable(heading)];
        column.extend(texts);
        column
    };
    let each = || scenario.rows.iter();
    let named = |row: &Row<'_>| format!("{}, {}", scenario.label(row), printable(row.env));
    let mut columns = vec![column("lock", each().map(named).collect())];
    for (at, case) in scenario.cases.iter().enumerate() {
        let texts =
            each().map(|row| row.entries[at].as_ref().map_or_else(String::new, |entry| text(at, entry)));
        columns.push(column(&case.name, texts.collect()));
    }
    in_blocks(&columns, width)
}

fn text(at: usize, entry: &Entry<'_>) -> String {
    if let Some(shares) = entry.shares() {
        let off = shares.ok().and_then(|shares| Some(worst(&shares)?.off()));
        return off
            .map_or_else(|| "cannot be told".into(), |off| format!("off by {} points", significant(off)));
    }
    match (at, &entry.measured().kept) {
        (0, _) => entry.cell.ops_per_second.map_or_else(|| "–".into(), |ops| rate(ops.median)),
        (_, Ok(kept)) => format!("{} ({})", percent(kept.median), percents(*kept)),
        (_, Err(_)) => "cannot be told".into(),
    }
}
