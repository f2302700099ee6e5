//! Columns of the rate, and of its ratios to other cells.

use super::status::badged;
use super::{Column, Row, Told, Unit};
use crate::derive::setting::{above, counterpart, same};
use crate::format::{percent, range, rate, ratio, significant};
use crate::judge::comparison::compare;
use crate::record::params::SPIN_THRESHOLD;
use crate::record::{CellAxes, Interval, Status};

pub(super) static RATE: Column =
    Column::new("ops_per_second", Unit::PerSecond, "median rate, all vCPUs together", |row| {
        let told = Told::number(row.cell.ops_per_second.map(|ops| ops.median), rate);
        match row.cell.ops_per_second {
            Some(ops) => told.with_note(format!("({})", range(ops, rate))),
            // A cell that failed is seen to have failed wherever its rate would stand.
            None => badged(told, row.cell.status),
        }
    })
    .headed("Rate")
    .shown_first()
    .on_terminal(|row| {
        let Some(ops) = row.cell.ops_per_second else {
            return (row.cell.status == Status::Ok).then(|| "–".into());
        };
        Some(format!("{} ({}–{})", short(ops.median), short(ops.low), short(ops.high)))
    });

/// A rate without its unit, which the table's title gives: `6.50M`.
fn short(per_second: f64) -> String {
    match per_second.abs() {
        value if value >= 999.5e6 => format!("{}G", significant(per_second / 1e9)),
        value if value >= 999.5e3 => format!("{}M", significant(per_second / 1e6)),
        value if value >= 999.5 => format!("{}k", significant(per_second / 1e3)),
        _ => significant(per_second),
    }
}

pub(super) static LOW: Column =
    Column::new("ops_low", Unit::PerSecond, "lower end of the rate's interval", |row| {
        end(row, |ops| ops.low)
    });

pub(super) static HIGH: Column =
    Column::new("ops_high", Unit::PerSecond, "upper end of the rate's interval", |row| {
        end(row, |ops| ops.high)
    });

fn end(row: &Row<'_>, pick: fn(Interval) -> f64) -> Told {
    Told::number(row.cell.ops_per_second.map(pick), rate)
}

pub(super) static TO_BASELINE: Column = Column::new(
    "ratio_to_baseline",
    Unit::Ratio,
    "rate to that of the lock it is compared with",
    to_baseline,
)
.headed("Ratio to plain lock")
.for_people();

fn to_baseline(row: &Row<'_>) -> Told {
    let cell = row.cell;
    let Some(baseline) = cell.axes.baseline.as_deref().filter(|baseline| *baseline != cell.axes.lock) else {
        return Told::nothing();
    };
    let plain = |axes: &mut CellAxes| {
        axes.lock = baseline.into();
        // The plain lock has no spin threshold.
        axes.params.remove(SPIN_THRESHOLD);
    };
    match counterpart(row.results, cell, plain) {
        Some(plain) if plain.status == Status::Ok && cell.status == Status::Ok => {
            let comparison = compare(row.results, cell, plain);
            let interval =
                comparison.ratio.map_or_else(String::new, |interval| format!("({})", range(interval, ratio)));
            Told::number(comparison.ratio.map(|ratio| ratio.median), ratio)
                .with_note(format!("{interval} of {baseline}").trim())
                .with_verdict(&comparison.verdict)
        }
        _ => Told::nothing(),
    }
}

pub(super) static KEPT: Column =
    Column::new("part_of_1x", Unit::Ratio, "rate as a part of that at 1x on the same pCPUs", kept)
        .headed("Part of 1x rate")
        .shown_first()
        .on_terminal(|row| {
            // The terminal's table tells this below 1x as well.
            let one = row.setting?.at_one(row.cell).filter(|one| one.status == Status::Ok)?;
            let apart = !same(row.cell.axes.overcommit, 1.0);
            let kept = compare(row.results, row.cell, one).ratio.filter(|_| apart)?;
            Some(percent(kept.median))
        })
        .for_people();

fn kept(row: &Row<'_>) -> Told {
    let cell = row.cell;
    if !above(cell.axes.overcommit) || cell.status != Status::Ok {
        return Told::nothing();
    }
    let Some(one) = row.setting.and_then(|setting| setting.at_one(cell)) else { return Told::nothing() };
    let comparison = compare(row.results, cell, one);
    let told = Told::number(comparison.ratio.map(|ratio| ratio.median), percent);
    match (comparison.ratio, comparison.verdict.reason()) {
        (Some(interval), _) => told.with_note(format!("({})", range(interval, percent))),
        (None, Some(reason)) => told.with_why(reason),
        (None, None) => told,
    }
}
