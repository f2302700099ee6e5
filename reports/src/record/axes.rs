//! What identifies a cell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Case;

/// The axes of a cell. Its `id` is made of these alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CellAxes {
    /// Readable and stable: `ticket/emulated/short+exp/4v:2p/compact/pinned`, then `name=value` for each parameter.
    pub id: String,
    /// Name of the lock variant.
    pub lock: String,
    /// The lock that this one is compared with, if any (may be itself).
    #[serde(default)]
    pub baseline: Option<String>,
    /// `native`, `emulated` or `kvm`.
    pub env: String,
    /// Critical section and think time of each vCPU.
    pub workload: Workload,
    /// Name of the placement: `compact`, `scatter`, ….
    pub placement: String,
    /// `pinned` (each vCPU to one pCPU) or `floating` (all vCPUs in the set of pCPUs).
    pub pinning: String,
    /// Number of vCPUs.
    pub vcpus: u32,
    /// The pCPUs, by operating-system index, in the order in which vCPUs are dealt to them.
    pub pcpus: Vec<u32>,
    /// vCPUs per pCPU: the true ratio, after the number of vCPUs was rounded.
    pub overcommit: f64,
    /// Every other axis that is not at its default, by name.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// Who decides which vCPU runs.
    pub scheduler: Scheduler,
    /// Names of other virtual machines beside this one.
    #[serde(default)]
    pub neighbours: Vec<String>,
    /// The virtual machines that share the pCPUs; none where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<Case>,
}

/// Critical section and think time of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Workload {
    /// The workload's name as on the command line: `short+exp`.
    pub name: String,
    /// Name of the section, where its length and lines do not tell what it does: `alone`, `tail`, `touch`, `nested`, `many`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub section: String,
    /// Nominal length of the critical section, in nanoseconds; the mean where lengths are drawn.
    pub section_ns: f64,
    /// Number of shared cache lines written in the section.
    pub lines: u32,
    /// Number of locks; left out where there is one.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub locks: u32,
    /// `none`, `fixed`, `exp` or `open`.
    pub think: String,
    /// Mean think time, in nanoseconds; in an open loop the mean time between two arrivals on a vCPU.
    pub think_ns: f64,
    /// What decides when a vCPU makes its next request.
    #[serde(default)]
    pub arrivals: Arrivals,
}

impl Workload {
    /// Whether the section does nothing at all: one without a length may yet write lines, or touch a page.
    pub(crate) fn has_empty_section(&self) -> bool {
        self.section_ns <= 0.0 && self.lines == 0 && self.section.is_empty()
    }
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(locks: &u32) -> bool {
    *locks == 1
}

/// What decides when a vCPU makes its next request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Arrivals {
    /// A closed loop: the next request comes some think time after the last one is done. A slow lock is asked less often, and
    /// its waits look shorter than in an open loop.
    #[default]
    Closed,
    /// An open loop: requests arrive at times of their own, whether or not the last one is done. Acquire times count from the
    /// moment at which a request was due.
    Open,
}

/// Who decides which vCPU runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Scheduler {
    /// The operating system's own scheduler.
    Host,
    /// The emulated hypervisor: every runnable vCPU of a pCPU gets the same timeslice, in turn.
    RoundRobin,
    /// The emulated hypervisor: by credits, with a boost for vCPUs that wake.
    Credit,
    /// The emulated hypervisor: the vCPUs of a virtual machine run at the same time.
    Gang,
    /// The emulated hypervisor: a log says who runs, from when to when, whatever the lock does.
    Replay {
        /// The scheduler whose timetable for vCPUs that never halt is replayed, or the hash of a recorded log.
        log: String,
    },
    /// The operating system's own scheduler, with a limit for all vCPUs together.
    Quota {
        /// The limit, in CPUs.
        cpus: f64,
    },
}

/// The timeslice where none is asked for, in nanoseconds.
const USUAL_SLICE_NS: u64 = 10_000_000;
/// That of the credit scheduler.
const CREDIT_SLICE_NS: u64 = 30_000_000;

impl Scheduler {
    /// Its name, without its figure.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::RoundRobin => "round-robin",
            Self::Credit => "credit",
            Self::Gang => "gang",
            Self::Replay { .. } => "replay",
            Self::Quota { .. } => "quota",
        }
    }

    /// The timeslice where none is asked for, in nanoseconds; none where the kernel decides.
    pub fn usual_slice_ns(&self) -> Option<u64> {
        match self {
            Self::Host | Self::Quota { .. } => None,
            Self::RoundRobin | Self::Gang => Some(USUAL_SLICE_NS),
            Self::Credit => Some(CREDIT_SLICE_NS),
            // A recorded log has a slice of its own, which the cell names.
            Self::Replay { log } => Some(if log == "credit" { CREDIT_SLICE_NS } else { USUAL_SLICE_NS }),
        }
    }
}
