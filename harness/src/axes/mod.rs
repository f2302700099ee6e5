//! The axes of a cell: what can be asked for, each defined once.
//!
//! An axis is one file here and one line in the table below. The file has its name, default and help, how a value is read and
//! shown, and whether ids name it. Profiles, the command line, ids, records, `list` and docs/configuration.md read that
//! table. A value is typed from the place where it is read to its window.

mod arrivals;
mod cpu_limit;
mod duration;
mod early_wait;
mod env;
mod kick_cost;
mod lock;
mod memory;
mod on;
mod pages;
mod pinning;
mod placement;
mod probe;
mod record;
mod replayed;
mod scheduler;
mod size;
mod slice;
mod slice_extension;
mod spin;
mod spin_threshold;
mod table;
#[cfg(test)]
mod tests;
mod workload;

use std::fmt::Debug;

pub use arrivals::Arrivals;
pub use cpu_limit::CpuLimit;
pub(crate) use duration::{parse_duration, show_duration};
pub use env::Env;
pub use kick_cost::KickCost;
pub use lock::Lock;
pub use on::On;
pub use pages::Pages;
pub use pinning::Pinning;
pub use probe::Probe;
pub use record::Axes;
pub use replayed::Replayed;
pub use scheduler::Scheduler;
pub(crate) use size::MOST_VCPUS;
pub use size::Size;
pub use slice::Slice;
pub use slice_extension::SliceExtension;
pub use spin::Spin;
pub use spin_threshold::SpinThreshold;
pub(crate) use table::{flags, or_default};
pub use workload::Workload;

use crate::Error;
use crate::topology::{Memory, Placement};
use lockbench_workloads::locks::EarlyWait;

table::axes! {
    // In the order in which the cells of a group are planned, outermost first.
    around the lock {
        /// Where vCPUs run.
        env: Env,
        /// In which order pCPUs are used.
        placement: Placement,
        /// How many pCPUs.
        on: On,
        /// How many vCPUs.
        size: Size,
        /// Whether a vCPU stays on its pCPU.
        pinning: Pinning,
        /// Where the arena lies.
        memory: Memory,
        /// How large its pages are.
        pages: Pages,
        /// Who decides which vCPU runs.
        scheduler: Scheduler,
        /// The timeslice of the vCPUs.
        slice: Slice,
        /// Whether holders ask for a longer one.
        slice_extension: SliceExtension,
        /// Critical section and think time.
        workload: Workload,
        /// When a vCPU's next request arrives.
        arrivals: Arrivals,
    }
    of the lock {
        /// What the steps of a wait do.
        spin: Spin,
        /// When a waiter halts.
        spin_threshold: SpinThreshold,
        /// What makes a waiter halt before its spin threshold.
        early_wait: EarlyWait,
        /// What halts and kicks cost more than on this machine.
        kick_cost: KickCost,
        /// What is counted in throughput windows.
        probe: Probe,
    }
}

/// An axis; the type that implements this is the type of the axis' values.
pub trait Axis: Clone + Debug + PartialEq {
    /// The options and keys that ask for values: one, except for sizes, which are given as factors or as counts.
    const FLAGS: &'static [Flag];

    /// Reads a value.
    fn parse(text: &str) -> Result<Self, Error>;

    /// The only spelling of the value, which [`Axis::parse`] reads.
    fn show(&self) -> String;

    /// Whether the axis matters to a lock in an environment. Where it does not, cells have the default.
    fn has_use(_lock: Lock, _env: Env) -> bool {
        true
    }

    /// Replaces a profile's values by those of the command line.
    fn replace(list: &mut Vec<Self>, given: Vec<Self>) {
        *list = given;
    }
}

/// How an axis is asked for, and what a user reads of it.
#[derive(Debug)]
pub struct Flag {
    /// Name of the option, also used in ids and records.
    pub name: &'static str,
    /// Key in a profile.
    pub key: &'static str,
    /// Placeholder for the option's values in the help.
    pub takes: &'static str,
    /// Suffix for values that lack it: the unit that the flag's name states.
    pub unit: &'static str,
    /// Default values, separated by commas.
    pub default: &'static str,
    /// What the axis is, and which values there are.
    pub help: &'static str,
    /// Whether ids name its values.
    pub in_id: InId,
    /// Whether release 0.1 knows the axis. If not, a spec for such a build says that the cell needs it.
    pub in_0_1: bool,
    /// Example values, for the docs and tests.
    pub examples: &'static [&'static str],
}

/// How the id of a cell names a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InId {
    /// Always, as a part of the id with a fixed place.
    Part,
    /// As `name=value` at the id's end, unless it is the default.
    Param,
    /// By the numbers of vCPUs and pCPUs that come out: `4v:2p`.
    Counts,
}
