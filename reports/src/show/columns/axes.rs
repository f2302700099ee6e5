//! Columns of the axes that identify a cell.

use super::{Column, Told, Unit};
use crate::format::overcommit;

pub(super) static RUN: Column =
    Column::new("run_id", Unit::Text, "the run", |row| Told::new(row.results.run_id.as_str()));

pub(super) static CELL: Column = Column::new("cell", Unit::Text, "id of the cell, made of its axes", |row| {
    Told::new(row.cell.axes.id.as_str())
});

pub(super) static LOCK: Column =
    Column::new("lock", Unit::Text, "name of the lock", |row| Told::new(row.cell.axes.lock.as_str()))
        .headed("Lock")
        .shown_first();

pub(super) static BASELINE: Column =
    Column::new("baseline", Unit::Text, "the lock that this one is compared with", |row| {
        Told::new(row.cell.axes.baseline.as_deref().unwrap_or_default())
    });

pub(super) static ENV: Column =
    Column::new("env", Unit::Text, "environment: `native`, `emulated` or `kvm`", |row| {
        Told::new(row.cell.axes.env.as_str())
    })
    .headed("Environment")
    .shown_first();

pub(super) static WORKLOAD: Column = Column::new("workload", Unit::Text, "section and think time", |row| {
    let axes = &row.cell.axes;
    let mut parts = vec![axes.placement.clone(), axes.pinning.clone()];
    parts.extend(axes.told_params());
    Told::new(axes.workload.name.as_str()).with_note(parts.join(", "))
})
.headed("Workload")
.shown_first();

pub(super) static SECTION: Column =
    Column::new("section_ns", Unit::Nanoseconds, "nominal length of the critical section", |row| {
        Told::new(Some(row.cell.axes.workload.section_ns))
    });

pub(super) static LINES: Column =
    Column::new("lines", Unit::Count, "shared cache lines that the section writes", |row| {
        Told::new(Some(u64::from(row.cell.axes.workload.lines)))
    });

pub(super) static THINK: Column =
    Column::new("think", Unit::Text, "kind of think time: `none`, `fixed`, `exp` or `open`", |row| {
        Told::new(row.cell.axes.workload.think.as_str())
    });

pub(super) static THINK_TIME: Column = Column::new(
    "think_ns",
    Unit::Nanoseconds,
    "mean think time; in an open loop the mean time between arrivals on a vCPU",
    |row| Told::new(Some(row.cell.axes.workload.think_ns)),
);

pub(super) static PLACEMENT: Column = Column::new("placement", Unit::Text, "how pCPUs were chosen", |row| {
    Told::new(row.cell.axes.placement.as_str())
});

pub(super) static PINNING: Column = Column::new("pinning", Unit::Text, "`pinned` or `floating`", |row| {
    Told::new(row.cell.axes.pinning.as_str())
});

pub(super) static VCPUS: Column = Column::new("vcpus", Unit::Count, "number of vCPUs", |row| {
    let axes = &row.cell.axes;
    Told::new(Some(u64::from(axes.vcpus))).read_as(format!("{} : {}", axes.vcpus, axes.pcpus.len()))
})
.headed("vCPUs : pCPUs");

pub(super) static PCPUS: Column =
    Column::new("pcpus", Unit::Text, "the pCPUs, by the operating system's numbers", |row| {
        let pcpus: Vec<String> = row.cell.axes.pcpus.iter().map(u32::to_string).collect();
        Told::new(pcpus.join(" ").as_str())
    });

pub(super) static OVERCOMMIT: Column = Column::new("overcommit", Unit::Ratio, "vCPUs per pCPU", |row| {
    let axes = &row.cell.axes;
    let told = Told::number(Some(axes.overcommit), overcommit);
    told.with_note(format!("{}v : {}p", axes.vcpus, axes.pcpus.len()))
})
.headed("Overcommit")
.shown_first();

pub(super) static PARAMS: Column =
    Column::new("params", Unit::Text, "every other axis that is not at its default", |row| {
        let params = row.cell.axes.params.iter().map(|(name, value)| format!("{name}={value}"));
        Told::new(params.collect::<Vec<_>>().join(" ").as_str())
    });
