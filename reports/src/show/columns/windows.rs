//! Columns of the windows that figures rest on.

use super::{Column, Told, Unit};
use crate::format::percent;
use crate::record::{Purpose, Status};
use crate::statistics::Spans;

pub(super) static TAKEN: Column =
    Column::new("windows", Unit::Count, "windows taken, for whatever purpose", |row| {
        Told::new(Some(row.cell.rounds.len() as u64))
    });

pub(super) static USED: Column =
    Column::new("windows_used", Unit::Count, "windows that the rate was taken from", |row| {
        let cell = row.cell;
        let taken = cell.rounds.iter().filter(|round| round.purpose == Purpose::Rate).count();
        let told = Told::new(Some(u64::from(cell.windows_used)))
            .read_as(format!("{} of {taken}", cell.windows_used));
        let spans = Spans::of_cell(cell).to_string();
        if spans.is_empty() { told } else { told.with_note(spans) }
    })
    .headed("Windows used");

pub(super) static ON_CPU: Column = Column::new(
    "on_cpu_share",
    Unit::Ratio,
    "mean fraction of the windows for which a vCPU was on a pCPU",
    |row| {
        let unknown = row.cell.on_cpu_share.is_none() && row.cell.status == Status::Ok;
        let why = row.results.machine.lacks("thread-times").filter(|_| unknown);
        Told::number(row.cell.on_cpu_share, percent).with_why(why.unwrap_or_default())
    },
)
.headed("On a pCPU");

pub(super) static NEAREST: Column = Column::new(
    "interconnect_low_ns",
    Unit::Nanoseconds,
    "shortest round trip between the first two pCPUs in the windows used",
    |row| Told::new(row.cell.interconnect_ns.map(|span| span[0])),
);

pub(super) static FARTHEST: Column = Column::new(
    "interconnect_high_ns",
    Unit::Nanoseconds,
    "longest round trip between the first two pCPUs in the windows used",
    |row| Told::new(row.cell.interconnect_ns.map(|span| span[1])),
);
