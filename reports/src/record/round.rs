//! What is written while measuring: one line per finished (cell, round).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Causes, CellAxes, Dropped, LockDescriptor, Machine, PingPong, QuotaUse, Residence, Schedule, Throttling,
    VmMeasured,
};

/// The counter of acquisitions that a lock gave up.
pub const FAILED_ACQUISITIONS: &str = "failed_acquisitions";

/// One line of `rounds.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "line", rename_all = "lowercase")]
#[expect(clippy::large_enum_variant, reason = "lines are read and written one at a time")]
pub enum Line {
    /// The first line: what was planned, on which machine.
    Header(Header),
    /// One window of one cell.
    Round(Round),
    /// The last line of a run that was not cut off.
    End {
        /// Whether Ctrl-C or a signal ended the run before its plan did.
        interrupted: bool,
        /// Wall time of the whole run, in seconds.
        wall_seconds: f64,
        /// Fraction of the wall time that was spent in warm-ups, windows and ping-pongs, from 0 to 1.
        measuring_share: f64,
        /// Where the run stopped because its time was up; none if its plan was done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stopped: Option<Stopped>,
    },
}

/// Where and why a run stopped between two rounds because its time was up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Stopped {
    /// Number of rounds that were taken.
    pub rounds: u32,
    /// Why no more rounds were taken.
    pub reason: String,
}

/// The first line of `rounds.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Header {
    /// Version of the schema that the record was written by.
    pub schema_version: u32,
    /// `20261122T031500Z-quick-4f2a`.
    pub run_id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// The command line, as the user typed it.
    pub command: String,
    /// Seed of everything random in the run.
    pub seed: u64,
    /// Name of the profile.
    pub profile: String,
    /// Rounds planned.
    pub rounds: u32,
    /// Rounds of a duel's second stage, which only cells take that were not clear after the first; they are numbered after the
    /// others. 0 without a second stage.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub second_stage: u32,
    /// Length of a window, in nanoseconds.
    pub window_ns: u64,
    /// The machine.
    pub machine: Machine,
    /// The locks of the cells; empty in records from before 0.2.0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<LockDescriptor>,
    /// The cells planned, in plan order.
    pub cells: Vec<CellAxes>,
    /// What did not fit in the time, or cannot run here.
    #[serde(default)]
    pub dropped: Vec<Dropped>,
}

/// Why a window was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// To measure throughput, with counting probes.
    #[default]
    Rate,
    /// As the second run of an A/A pair; the first is the `rate` window of the same cell in the same round. A counting cell runs
    /// a copy of its worker here, which has the same instructions at other addresses.
    Twin,
    /// To take acquire times. Time stamps cost throughput, hence a window of its own.
    Latency,
    /// To trace every acquire, release, halt and kick.
    Trace,
}

/// What state the lock was in when the warm-up began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// The lock was free.
    #[default]
    Free,
    /// All other vCPUs were waiting already for one that held the lock.
    Queued,
}

/// How a window ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "outcome", rename_all = "lowercase")]
#[expect(clippy::large_enum_variant, reason = "nearly every outcome is Measured")]
pub enum Outcome {
    /// It was measured.
    Measured(Measured),
    /// The exclusion check failed; such a window never yields a number.
    Broken {
        /// What did not add up.
        reason: String,
    },
    /// There was no acquisition for a time that should have been enough for many.
    Hung {
        /// How long lockbench waited.
        reason: String,
    },
    /// The cell's process died.
    Crashed {
        /// The signal or fault, in plain words.
        reason: String,
    },
    /// The environment could not run it.
    Skipped {
        /// Why, and what to do.
        reason: String,
        /// Whether the cause may pass (no descriptor, thread or memory was free): then the next round tries the cell again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        passing: bool,
    },
}

/// One window of one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Round {
    /// Id of the cell.
    pub cell: String,
    /// Number of the round, from 0.
    pub round: u32,
    /// Why the window was taken.
    #[serde(default)]
    pub purpose: Purpose,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Round {
    /// What it measured; none if it did not.
    pub fn measured(&self) -> Option<&Measured> {
        match &self.outcome {
            Outcome::Measured(measured) => Some(measured),
            _ => None,
        }
    }
}

/// What a window measured. Durations are in nanoseconds, counts are over the window, and lists hold one entry per vCPU unless
/// stated otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Measured {
    /// What state the lock was in when the warm-up began.
    pub start: Start,
    /// Length of the warm-up before the window.
    pub warmup_ns: u64,
    /// Length of the window, by the clock that was read beside the counters.
    pub window_ns: u64,
    /// Time from the window's end until the cell's process was gone.
    pub closing_ns: u64,
    /// Acquisitions in the window.
    pub operations: Vec<u64>,
    /// Acquisitions per second, by all vCPUs, in consecutive parts of the window without its warm-up.
    pub samples: Vec<f64>,
    /// Whether the halves of the window agree; none where that cannot be told, as with few acquisitions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steady: Option<bool>,
    /// Round trip between the first two pCPUs just before the window and just after it; none where one pCPU is used.
    pub interconnect_ns: Option<[f64; 2]>,
    /// Every pair of pCPUs that was timed, the first two pCPUs first; left out where these are the only pair and lie on one NUMA
    /// node.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ping_pongs: Vec<PingPong>,
    /// Whether a pair's two round trips differ by more than 1.5x even after the window was repeated once.
    pub moved: bool,
    /// Fraction of the window for which each vCPU was on a pCPU, from 0 to 1; empty where that is unknown (see the facility
    /// `thread-times`).
    pub on_cpu_share: Vec<f64>,
    /// Mean time that a vCPU kept its pCPU once it had it, by the kernel's counts. This is the timeslice if no vCPU gave its pCPU
    /// up. None if no vCPU got a pCPU in the window.
    pub slice_ns: Option<f64>,
    /// What each virtual machine of a case did, the measured one first; empty where there is one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vms: Vec<VmMeasured>,
    /// What the emulated hypervisor did; none where the kernel scheduled the vCPUs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// What the CPU quota that the cell was given did; none where it was given none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaUse>,
    /// Steal time per vCPU in the window (kvm only).
    pub steal_ns: Vec<u64>,
    /// Counters summed over vCPUs: `preempted_holding`, `preempted_waiting`, `preempted_thinking`, `halt`, `kick`, the
    /// kernel's lock events, `failed_acquisitions` where a lock gave up, `involuntary_switches`, `voluntary_switches`, `minor_faults`, …. A lock event that did not
    /// happen is left out, and so is what the kernel did not tell.
    pub counters: BTreeMap<String, u64>,
    /// Most acquisitions in a row by one vCPU.
    pub longest_run: u64,
    /// Acquire times, in windows that took them.
    pub acquire: Option<Histogram>,
    /// Causes of the rate, in windows that traced.
    pub causes: Option<Causes>,
    /// Whether exclusion was checked in this window (it held, or the outcome would be `Broken`).
    pub exclusion_checked: bool,
    /// pCPU that each vCPU was found pinned to; empty where vCPUs float.
    pub placed: Vec<u32>,
    /// NUMA nodes on which the arena's pages were found.
    pub memory_nodes: Vec<u32>,
    /// Where the parts of the arena lay; none where the kernel does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residence: Option<Residence>,
    /// What reached into the window from outside (pins that were changed, a process that was stopped, a machine that was
    /// suspended), even though the window had been repeated once. No figure is taken from such a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disturbed: Option<String>,
    /// How a CPU quota held the vCPUs up; none where no quota did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttling: Option<Throttling>,
    /// Sentences on what a reader must know about this window's placement.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A sparse log-linear histogram of durations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Histogram {
    /// `[upper bound of the bucket in ns, count]`, ascending, empty buckets left out.
    pub buckets: Vec<(u64, u64)>,
    /// How long each wait that was unfinished at the window's end had lasted, in ns, ascending: lower bounds.
    pub censored: Vec<u64>,
    /// Longest finished wait, in ns.
    pub max_ns: u64,
}
