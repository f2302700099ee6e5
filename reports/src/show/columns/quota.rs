//! Columns of what a CPU quota did. They are empty where a cell was given none.

use super::{Column, Told, Unit};
use crate::format::count;

pub(super) static THROTTLED: Column = Column::new(
    "throttled_periods",
    Unit::Count,
    "periods of the cell's CPU quota in which it ran out, over all windows, as the kernel counted them",
    |row| {
        let Some([throttled, periods]) = row.cell.throttled_periods() else { return Told::nothing() };
        Told::new(Some(throttled)).read_as(format!("{} of {}", count(throttled), count(periods)))
    },
)
.headed("Throttled periods");

pub(super) static PERIODS: Column = Column::new(
    "quota_periods",
    Unit::Count,
    "periods of that quota in which the vCPUs wanted to run, over all windows",
    |row| Told::new(row.cell.throttled_periods().map(|[_, periods]| periods)),
);
