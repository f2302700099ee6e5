//! The axes of a cell: what can be asked for, each defined once.
//!
//! An axis is one file here and one line in the table below: its name, default, help, how a value is read and shown, and
//! whether ids name it. Profiles, the command line, ids, records, `list` and docs/configuration.md walk that table. A
//! value is typed from where it is read to the window that it is for.

mod arrivals;
mod duration;
mod early_wait;
mod env;
mod lock;
mod memory;
mod on;
mod pinning;
mod placement;
mod probe;
mod record;
mod size;
mod slice;
mod spin_threshold;
mod table;
#[cfg(test)]
mod tests;
mod workload;

use std::fmt::Debug;

pub use arrivals::Arrivals;
pub(crate) use duration::{parse_duration, show_duration};
pub use env::Env;
pub use lock::Lock;
pub use on::On;
pub use pinning::Pinning;
pub use probe::Probe;
pub use record::Axes;
pub(crate) use size::MOST_VCPUS;
pub use size::Size;
pub use slice::Slice;
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
        /// How many of them.
        on: On,
        /// How many vCPUs.
        size: Size,
        /// Whether a vCPU stays on its pCPU.
        pinning: Pinning,
        /// Where the arena lies.
        memory: Memory,
        /// The timeslice of the vCPUs' threads.
        slice: Slice,
        /// What each vCPU does in a loop.
        workload: Workload,
        /// What decides when its next turn comes.
        arrivals: Arrivals,
    }
    of the lock {
        /// When a waiter halts.
        spin_threshold: SpinThreshold,
        /// What makes it halt before that.
        early_wait: EarlyWait,
        /// What is watched in throughput windows.
        probe: Probe,
    }
}

/// An axis: the type of its values.
pub trait Axis: Clone + Debug + PartialEq {
    /// The options and keys that ask for it: one, but for sizes, which are given as factors or as counts.
    const FLAGS: &'static [Flag];

    /// Reads a value.
    fn parse(text: &str) -> Result<Self, Error>;

    /// Its one spelling, which [`Axis::parse`] reads.
    fn show(&self) -> String;

    /// Whether a lock has any use for it in an environment. Where not, its cells have the default.
    fn has_use(_lock: Lock, _env: Env) -> bool {
        true
    }

    /// Puts what the command line gives in place of what a profile says.
    fn replace(list: &mut Vec<Self>, given: Vec<Self>) {
        *list = given;
    }
}

/// How an axis is asked for, and what a user reads of it.
#[derive(Debug)]
pub struct Flag {
    /// Name: of the option, in ids and in records.
    pub name: &'static str,
    /// Key in a profile.
    pub key: &'static str,
    /// What the option takes, for its help.
    pub takes: &'static str,
    /// What follows each value if it is not there already: the unit that the flag's name says.
    pub unit: &'static str,
    /// Values where none are asked for, separated by commas.
    pub default: &'static str,
    /// What it is, and the values that there are.
    pub help: &'static str,
    /// Whether ids name its values.
    pub in_id: InId,
    /// Whether release 0.1 knows it: to a build that does not, a spec says that the cell needs it.
    pub in_0_1: bool,
    /// Some values, for the docs and tests.
    pub examples: &'static [&'static str],
}

/// How the id of a cell names a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InId {
    /// Always, at a place of its own.
    Part,
    /// As `name=value` at the id's end, unless it is the default.
    Param,
    /// By the numbers of vCPUs and pCPUs that come out: `4v:2p`.
    Counts,
}
