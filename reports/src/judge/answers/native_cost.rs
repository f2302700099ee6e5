//! Answer 3: what paravirtual code costs where nothing needs it: natively, on one vCPU with an empty section.

use super::{Statement, basis};
use crate::derive::roster::{carriers, of_kernel};
use crate::derive::setting::settings;
use crate::format::{range, ratio, significant};
use crate::judge::comparison::{Comparison, compare, noise_floor};
use crate::record::{Cell, Interval, Results, Status};
use crate::statistics::{Verdict, inverse, judge};

/// A carrier compared with its plain lock, in time for an uncontended pair of lock and unlock.
#[derive(Clone, Debug, PartialEq)]
pub struct NativeCost<'a> {
    /// The cell of the lock that carries something of no use natively.
    pub carrier: &'a Cell,
    /// The cell of the plain lock.
    pub plain: &'a Cell,
    /// What the carrier carries, in words.
    pub stands_for: &'a str,
    /// Time of the carrier over that of the plain lock, above 1 where carrying costs; none where it cannot be told.
    pub times: Option<Interval>,
    /// The comparison of their *rates*.
    pub comparison: Comparison,
}

/// Every native cost that a run measured, in the environment given.
pub fn native_costs<'a>(results: &'a Results, env: &str) -> Vec<NativeCost<'a>> {
    carriers(results)
        .into_iter()
        .filter_map(|(pair, stands_for)| {
            let (carrier, plain) =
                (uncontended(results, env, pair.lock)?, uncontended(results, env, pair.plain)?);
            let comparison = compare(results, carrier, plain);
            let times = comparison.ratio.and_then(inverse);
            Some(NativeCost { carrier, plain, stands_for, times, comparison })
        })
        .collect()
}

/// Nanoseconds for one pair of lock and unlock on one vCPU, with the interval.
pub(crate) fn ns_per_pair(cell: &Cell) -> Option<Interval> {
    let ops = cell.ops_per_second?;
    let ns = |rate: f64| 1e9 / rate;
    inverse(ops).map(|_| Interval { median: ns(ops.median), low: ns(ops.high), high: ns(ops.low) })
}

/// The cell of a lock on one vCPU with the shortest section and the least thinking.
pub(crate) fn uncontended<'a>(results: &'a Results, env: &str, lock: &str) -> Option<&'a Cell> {
    let weight = |cell: &Cell| cell.axes.workload.section_ns + cell.axes.workload.think_ns;
    settings(results)
        .into_iter()
        .filter(|setting| setting.axes().env == env && setting.axes().params.is_empty())
        .flat_map(|setting| setting.cells)
        .filter(|cell| {
            cell.axes.lock == lock && cell.axes.vcpus == 1 && cell.axes.workload.has_empty_section()
        })
        .min_by(|a, b| weight(a).total_cmp(&weight(b)))
}

pub(super) fn statements(results: &Results) -> Vec<Statement> {
    let costs = native_costs(results, "native");
    if costs.is_empty() {
        return vec![Statement::missing(
            "no paravirtual lock was run natively on one vCPU with an empty section",
        )];
    }
    let mut statements: Vec<Statement> = costs.iter().map(of_cost).collect();
    statements.extend(order(results));
    statements
}

fn of_cost(cost: &NativeCost<'_>) -> Statement {
    let (carrier, plain) = (&cost.carrier.axes.lock, &cost.plain.axes.lock);
    let ns = |cell: &Cell| ns_per_pair(cell).map_or_else(|| "–".into(), |ns| significant(ns.median));
    let pair = format!("{} ns a pair against {} ns", ns(cost.carrier), ns(cost.plain));
    let text = match (cost.times, ns_per_pair(cost.plain)) {
        (Some(times), Some(plain_ns)) => {
            let more = |times: f64| (times - 1.0) * plain_ns.median;
            let extra = Interval { median: more(times.median), low: more(times.low), high: more(times.high) };
            format!(
                "{carrier} ({}) takes {} ({}) times as long as {plain}: {pair}, {} ({}) ns more ({}).",
                cost.stands_for,
                ratio(times.median),
                range(times, ratio),
                significant(extra.median),
                range(extra, significant),
                basis(&cost.comparison)
            )
        }
        _ => format!("{carrier} ({}) to {plain} cannot be told: {pair}.", cost.stands_for),
    };
    Statement::new(text, Some(cost.comparison.verdict.clone()))
}

/// Whether the costs are in the published order: what a kernel with paravirtual spinlocks ran natively before the series costs
/// more than what it ran after it.
fn order(results: &Results) -> Option<Statement> {
    let carrying = |series: bool| {
        let lock = of_kernel(results, |build| build.native && build.paravirt && build.series == series)?;
        uncontended(results, "native", lock)
    };
    let (before, after) = (carrying(false)?, carrying(true)?);
    let (old, new) = (&before.axes.lock, &after.axes.lock);
    if before.status != Status::Ok || after.status != Status::Ok {
        return None;
    }
    let comparison = compare(results, after, before);
    let times = inverse(comparison.ratio?)?;
    let figure = format!("{} ({})", ratio(times.median), range(times, ratio));
    // The question is which of the two costs more, not by how much: so the noise floor must be cleared, the margin need not.
    let verdict = judge(comparison.ratio, comparison.rounds, 0.0, noise_floor(results, after, before));
    let text = match verdict {
        Verdict::Better => format!(
            "As published, the series made carrying cheaper: {new} takes {figure} times as long as {old}."
        ),
        Verdict::Worse => format!(
            "Unlike published, the series did not make carrying cheaper on this processor: {new} takes {figure} times as long as {old}."
        ),
        _ => format!(
            "Published figures put {new} below {old}; here it takes {figure} times as long, too close to call."
        ),
    };
    Some(Statement::new(text, Some(verdict)))
}
