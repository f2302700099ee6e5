//! The schema: `rounds.jsonl` as it is written while measuring, `results.json` as it is derived from it.
//!
//! A run directory holds `rounds.jsonl` (the record, one [`Line`] per line), `results.json` ([`Results`]) and
//! `report.html`. Adding a field does not raise [`SCHEMA_VERSION`]; readers ignore fields that they do not know.

mod axes;
mod case;
mod causes;
mod cell_causes;
mod cell_schedule;
mod disturbance;
pub mod fields;
mod layout;
mod lock;
mod machine;
pub mod params;
mod ping_pong;
mod pools;
mod quota;
mod replay;
mod residence;
mod results;
mod round;
mod schedule;
pub mod schema;
mod verdict;

pub use axes::{Arrivals, CellAxes, Scheduler, Workload};
pub use case::{Answer, Case, USUAL_GUEST_SLICE_NS, USUAL_WEIGHT, Vm, VmMeasured};
pub use causes::{
    Causes, Gaps, Handovers, LockTime, Longest, LongestWait, Trace, TraceEvent, TraceKind, VcpuCauses,
};
pub use cell_causes::{CellCauses, TimeShares, Times, VcpuShare};
pub use cell_schedule::{CellSchedule, LoggedPreemptions};
pub use disturbance::Throttling;
pub use layout::{Layout, Misplaced, NO_POOL};
pub use lock::{Admission, Carried, FIRST_REVISION, KernelBuild, LockDescriptor, SharedObject, of_cells};
pub use machine::{Calibration, CostNs, CpuQuota, Facility, KvmCosts, Machine, Scheduling};
pub use ping_pong::{CLASS_WIDTH, Distance, Pair, PingPong, are_apart};
pub use pools::{Change, Move, Moved, Pool};
pub use quota::QuotaUse;
pub use replay::{CellReplay, Instant, Replay};
pub use residence::{NodePages, Residence};
pub use results::{Acquire, Cell, Dropped, Exclusion, Fairness, Interval, NoiseFloor, Results, Status};
pub use round::{
    FAILED_ACQUISITIONS, Header, Histogram, Line, Measured, Outcome, Purpose, Round, Start, Stopped,
};
pub use schedule::{MOST_DEVIATION, Schedule, Stretch, StretchEnd};
pub use verdict::{CellVerdict, Kept, LawCheck, LawName, Served, Thresholds};

/// Version of the schema that this build writes.
pub const SCHEMA_VERSION: u32 = 1;

/// Whether a count is left out of a record because it is 0.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
pub(crate) fn is_zero(count: &u32) -> bool {
    *count == 0
}
