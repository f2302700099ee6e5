//! What is written while measuring: one line per finished (cell, round).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Causes, CellAxes, Dropped, LockDescriptor, Machine, PingPong, Residence, Throttling};

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
        /// Part of it that was spent inside warm-up, windows and ping-pongs, from 0 to 1.
        measuring_share: f64,
        /// That its time was up before its plan was done; none if it was not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stopped: Option<Stopped>,
    },
}

/// That a run stopped between two rounds because its time was up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Stopped {
    /// Rounds that were taken.
    pub rounds: u32,
    /// Why no more were.
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
    /// Length of a window, in nanoseconds.
    pub window_ns: u64,
    /// The machine.
    pub machine: Machine,
    /// The locks of its cells; empty in records of before 0.2.0.
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
    /// Throughput, with counting probes.
    #[default]
    Rate,
    /// The second run of an A/A pair; its first is the same round's `Rate` window of the same cell.
    Twin,
    /// Acquire times: timestamps cost throughput, hence a window of its own.
    Latency,
    /// Traces of every acquire, release, halt and kick.
    Trace,
}

/// How the vCPUs stood when the warm-up began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// The lock was free.
    #[default]
    Free,
    /// Every vCPU was queued already behind one that held the lock.
    Queued,
}

/// How a window ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "outcome", rename_all = "lowercase")]
#[expect(clippy::large_enum_variant, reason = "nearly every outcome is Measured")]
pub enum Outcome {
    /// With a number.
    Measured(Measured),
    /// The exclusion check failed: never a number.
    Broken {
        /// What did not add up.
        reason: String,
    },
    /// No acquisition for as long as should have sufficed for many.
    Hung {
        /// How long was waited.
        reason: String,
    },
    /// The cell's process died.
    Crashed {
        /// Signal or fault, in plain words.
        reason: String,
    },
    /// The environment could not run it.
    Skipped {
        /// Why, and what to do.
        reason: String,
        /// Whether the cause may pass (no descriptor, no thread, no memory was free): then the next round tries again.
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
    /// Why it was taken.
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

/// What a window measured. Durations in nanoseconds, counts over the window, one entry per vCPU in each list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Measured {
    /// How the vCPUs stood at the start.
    pub start: Start,
    /// Warm-up before the window.
    pub warmup_ns: u64,
    /// The window, by the clock read beside the counters.
    pub window_ns: u64,
    /// From the window's end until the cell's process was gone: nothing waits for a lock to drain.
    pub closing_ns: u64,
    /// Acquisitions in the window.
    pub operations: Vec<u64>,
    /// Acquisitions per second in consecutive parts of the window, warm-up discarded.
    pub samples: Vec<f64>,
    /// Whether the halves of the window agree; none where that cannot be told, as of a window
    /// of few acquisitions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steady: Option<bool>,
    /// Round trip between the first two pCPUs just before and just after; none where one pCPU is used.
    pub interconnect_ns: Option<[f64; 2]>,
    /// Every pair of pCPUs that was looked at, the first two pCPUs first; left out where these are the only pair and lie on
    /// one NUMA node.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ping_pongs: Vec<PingPong>,
    /// A pair's two round trips differ by more than 1.5x even after the window was repeated once.
    pub moved: bool,
    /// Part of the window that each vCPU was on a pCPU, from 0 to 1; empty where that is unknown (see the facility
    /// `thread-times`).
    pub on_cpu_share: Vec<f64>,
    /// Mean time that a vCPU kept its pCPU once it had it, in nanoseconds, by the kernel's count of such turns: the timeslice
    /// where nobody gave the pCPU up. None if no turn began in the window.
    pub slice_ns: Option<f64>,
    /// Steal time per vCPU in the window (kvm only).
    pub steal_ns: Vec<u64>,
    /// Counters summed over vCPUs: `preempted_holding`, `preempted_waiting`, `preempted_thinking`, `halt`, `kick`, the
    /// kernel's lock events, `involuntary_switches`, `voluntary_switches`, `minor_faults`, …. A lock event that did not
    /// happen is left out, and so is what the kernel did not tell.
    pub counters: BTreeMap<String, u64>,
    /// Most acquisitions in a row by one vCPU.
    pub longest_run: u64,
    /// Acquire times, in windows that took them.
    pub acquire: Option<Histogram>,
    /// Why the rate is what it is, in windows that traced it.
    pub causes: Option<Causes>,
    /// Whether exclusion was checked in this window (it held, or the outcome would be `Broken`).
    pub exclusion_checked: bool,
    /// pCPU that each vCPU was verified on, where pinned and verified.
    pub placed: Vec<u32>,
    /// NUMA nodes on which the arena's pages were found.
    pub memory_nodes: Vec<u32>,
    /// Where the parts of the arena lay; none where the kernel does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residence: Option<Residence>,
    /// What reached into the window from outside, so that it is not one of its lock alone: pins that were changed, a process
    /// that was stopped, a machine that slept. It was repeated once, and this is the second time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disturbed: Option<String>,
    /// How a CPU quota held the vCPUs up; none where none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttling: Option<Throttling>,
    /// Sentences that say what a reader has to know of this window's placement.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A sparse log-linear histogram of durations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Histogram {
    /// `[upper bound of the bucket in ns, count]`, ascending, empty buckets left out.
    pub buckets: Vec<(u64, u64)>,
    /// Waits unfinished at the window's end, as "at least this long", in ns, ascending.
    pub censored: Vec<u64>,
    /// Longest finished wait, in ns.
    pub max_ns: u64,
}
