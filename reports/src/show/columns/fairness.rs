//! Columns of fairness.

use super::{Column, Told, Unit};
use crate::format::{count, significant};

pub(super) static JAIN: Column = Column::new(
    "jain",
    Unit::Ratio,
    "Jain's index of the vCPUs' shares, 1 is fair; none below 20 acquisitions a vCPU",
    |row| Told::number(row.cell.fairness.jain, significant),
)
.headed("Jain");

pub(super) static LEAST: Column = Column::new(
    "min_share",
    Unit::Ratio,
    "smallest share of any vCPU, as a multiple of the fair share",
    |row| {
        let fairness = &row.cell.fairness;
        let told = Told::new(fairness.min_share);
        match fairness.min_share.zip(fairness.max_share) {
            Some((least, most)) => told.read_as(format!("{}–{}", significant(least), significant(most))),
            None => told.read_as(String::new()),
        }
    },
)
.headed("Shares, least to most")
.shown_first();

pub(super) static MOST: Column = Column::new(
    "max_share",
    Unit::Ratio,
    "largest share of any vCPU, as a multiple of the fair share",
    |row| Told::new(row.cell.fairness.max_share),
);

pub(super) static RUN: Column =
    Column::new("longest_run", Unit::Count, "most acquisitions in a row by one vCPU", |row| {
        let run = row.cell.fairness.longest_run;
        Told::new(run).read_as(count(run.unwrap_or(0)))
    })
    .headed("Longest run");
