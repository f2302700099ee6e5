//! Columns of what the emulated hypervisor kept. They are empty where the kernel scheduled the vCPUs.

use super::{Column, Row, Told, Unit};
use crate::format::{duration, percent, ratio};
use crate::record::{CellReplay, CellSchedule};

pub(super) static SLICE: Column = Column::new(
    "slice_ratio",
    Unit::Ratio,
    "timeslice that the emulated hypervisor gave, over the one asked for (a pool's own where the pool has one): median of the windows' medians",
    |row| {
        let Some(kept) = &row.cell.schedule else { return Told::nothing() };
        let told = Told::number(middle(kept.slice_ratio), ratio);
        told.with_note(kept.slice_ratio.map_or_else(String::new, |[_, tail]| format!("p99 {}", ratio(tail))))
    },
)
.headed("Slice : asked");

pub(super) static SLICE_P99: Column = Column::new(
    "slice_ratio_p99",
    Unit::Ratio,
    "the largest of the windows' 99th percentiles of that ratio",
    |row| of(row, |kept| tail(kept.slice_ratio)),
);

pub(super) static PAUSE: Column = Column::new(
    "pause_p50_ns",
    Unit::Nanoseconds,
    "from the hypervisor's wish for a pause to its acknowledgement: median of the windows' medians",
    |row| {
        let Some(kept) = &row.cell.schedule else { return Told::nothing() };
        let told = Told::number(middle(kept.pause_ns), duration);
        told.with_note(kept.pause_ns.map_or_else(String::new, |[_, tail]| format!("p99 {}", duration(tail))))
    },
)
.headed("Pause latency");

pub(super) static PAUSE_P99: Column = Column::new(
    "pause_p99_ns",
    Unit::Nanoseconds,
    "the largest 99th percentile of that latency in any window",
    |row| of(row, |kept| tail(kept.pause_ns)),
);

pub(super) static SWITCH: Column = Column::new(
    "switch_p50_ns",
    Unit::Nanoseconds,
    "from the end of a timeslice to the beginning of the next one on the same pCPU: median of the windows' medians",
    |row| of(row, |kept| middle(kept.switch_ns)),
);

pub(super) static OWN: Column = Column::new(
    "hypervisor_share",
    Unit::Ratio,
    "fraction of the pCPUs' time that the emulated hypervisor itself took",
    |row| of(row, |kept| Some(kept.own_share)),
);

pub(super) static DEVIATION: Column = Column::new(
    "log_deviation",
    Unit::Ratio,
    "largest difference between the schedule's log and the kernel's count of a vCPU's time, as a fraction of the window",
    |row| of(row, |kept| kept.deviation),
);

pub(super) static NOT_KEPT: Column = Column::new(
    "schedules_not_kept",
    Unit::Count,
    "windows whose schedule was not kept; no figure is taken from them",
    |row| {
        let Some(kept) = &row.cell.schedule else { return Told::nothing() };
        let told = Told::new(Some(u64::from(kept.not_kept)));
        let worst = kept.deviation.filter(|_| kept.not_kept > 0);
        told.read_as(format!("{} of {}", kept.not_kept, kept.windows))
            .with_note(worst.map_or_else(String::new, |worst| format!("off by up to {}", percent(worst))))
    },
)
.headed("Schedules not kept");

pub(super) static REPLAY_ERROR: Column = Column::new(
    "replay_error_p50_ns",
    Unit::Nanoseconds,
    "from an instant of a replayed log to the moment at which the change was done: median of all changes",
    |row| of_replay(row, |replay| middle(replay.error_ns)),
);

pub(super) static REPLAY_ERROR_P99: Column =
    Column::new("replay_error_p99_ns", Unit::Nanoseconds, "99th percentile of that error", |row| {
        of_replay(row, |replay| tail(replay.error_ns))
    });

pub(super) static LEFT_OVER: Column = Column::new(
    "replay_left_over",
    Unit::Ratio,
    "fraction of the time that a replayed log gives to vCPUs which they left over because they had halted",
    |row| of_replay(row, |replay| Some(replay.left_over_share)),
);

fn of_replay(row: &Row<'_>, pick: fn(&CellReplay) -> Option<f64>) -> Told {
    let schedule = row.cell.schedule.as_ref();
    Told::new(schedule.and_then(|schedule| pick(schedule.replay.as_ref()?)))
}

fn of(row: &Row<'_>, pick: fn(&CellSchedule) -> Option<f64>) -> Told {
    Told::new(row.cell.schedule.as_ref().and_then(pick))
}

fn middle(of: Option<[f64; 2]>) -> Option<f64> {
    of.map(|[middle, _]| middle)
}

fn tail(of: Option<[f64; 2]>) -> Option<f64> {
    of.map(|[_, tail]| tail)
}
