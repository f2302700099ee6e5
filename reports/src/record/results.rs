//! `results.json`: what is derived from the rounds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    CellAxes, CellCauses, CellSchedule, CellVerdict, Distance, LawCheck, LockDescriptor, Machine, Residence,
    Round, Stopped, Thresholds,
};

/// The whole of `results.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Results {
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
    #[serde(default)]
    pub rounds: u32,
    /// Rounds of a duel's second stage, which only cells take that were not clear after the first; they are numbered after the
    /// others. 0 without a second stage.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub second_stage: u32,
    /// Length of a window, in nanoseconds.
    #[serde(default)]
    pub window_ns: u64,
    /// The machine.
    pub machine: Machine,
    /// How far apart two measurements of the same cell lay, for each noise group.
    #[serde(default)]
    pub noise_floor: Vec<NoiseFloor>,
    /// What did not fit in the time, or cannot run here.
    #[serde(default)]
    pub dropped: Vec<Dropped>,
    /// The locks of the cells.
    #[serde(default)]
    pub locks: Vec<LockDescriptor>,
    /// The thresholds that the cells' verdicts were given by; none where none were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// The cells, in plan order.
    pub cells: Vec<Cell>,
    /// Whether the run ended before its plan did.
    #[serde(default)]
    pub interrupted: bool,
    /// After how many rounds the run stopped because its time was up, and why; none if its plan was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// Wall time, in seconds; none if the run was cut off.
    #[serde(default)]
    pub wall_seconds: Option<f64>,
    /// Fraction of the wall time that was spent in warm-ups, windows and ping-pongs.
    #[serde(default)]
    pub measuring_share: Option<f64>,
    /// Sentences about the record itself: a last line cut off, rounds of cells that were never planned.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl Results {
    /// The descriptor of a lock.
    pub fn lock(&self, name: &str) -> Option<&LockDescriptor> {
        self.locks.iter().find(|lock| lock.name == name)
    }

    /// Whether a lock is the user's own.
    pub fn is_own(&self, name: &str) -> bool {
        self.lock(name).is_some_and(|lock| lock.own)
    }
}

/// A median and its confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Interval {
    /// Median.
    pub median: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// A noise group of cells and the spread of its A/A pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NoiseFloor {
    /// Noise group: `one-vcpu`, `contended`, `overcommitted`.
    pub class: String,
    /// Id of the cell that was run twice.
    pub cell: String,
    /// Rate of the second run over that of the first, over rounds; none where too few rounds were usable.
    pub ratio: Option<Interval>,
    /// The noise floor, which a verdict must clear, as a fraction: 0.05 is 5 %.
    pub floor: Option<f64>,
    /// Number of rounds that the ratio rests on.
    pub rounds: u32,
    /// The rates of each pair, in the order of rounds: `[first, second]`, acquisitions per second.
    pub pairs: Vec<[f64; 2]>,
}

/// What was asked for and not measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Dropped {
    /// Id of the cell, or an axis' value that no cell can have here: `memory=remote`.
    pub cell: String,
    /// Why.
    pub reason: String,
}

/// What became of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It was measured.
    Ok,
    /// Its process died.
    Crashed,
    /// No vCPU got the lock any more.
    Hung,
    /// The lock let two vCPUs in at once.
    Broken,
    /// The environment could not run it, or the run ended before it was measured.
    Skipped,
}

impl Status {
    /// Whether the cell failed for a fault of its lock: it broke, crashed or hung.
    pub fn failed(self) -> bool {
        matches!(self, Self::Broken | Self::Crashed | Self::Hung)
    }

    /// The status in one word, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Crashed => "crashed",
            Self::Hung => "hung",
            Self::Broken => "broken",
            Self::Skipped => "skipped",
        }
    }
}

/// Whether mutual exclusion held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Exclusion {
    /// It was checked in every window, and held.
    Held,
    /// It was violated at least once.
    Violated,
    /// At least one window was not checked, or none got that far.
    Unchecked,
}

/// How evenly the lock served its vCPUs; medians over rounds unless stated otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Fairness {
    /// Jain's index, from 1/n to 1; none below 20 acquisitions a vCPU.
    pub jain: Option<f64>,
    /// Smallest share of any vCPU, as a multiple of the fair share.
    pub min_share: Option<f64>,
    /// Largest share of any vCPU, as a multiple of the fair share.
    pub max_share: Option<f64>,
    /// Most acquisitions in a row by one vCPU, the largest over rounds.
    pub longest_run: Option<u64>,
}

/// Acquire times in nanoseconds over all latency windows. A percentile that unfinished waits reach is a lower bound
/// (its name is then in `at_least`); a percentile with too few samples is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Acquire {
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 99th percentile; needs 1,000 samples.
    pub p99: Option<f64>,
    /// 99.9th percentile; needs 10,000 samples.
    pub p999: Option<f64>,
    /// Longest wait, finished or not.
    pub max: Option<f64>,
    /// Names of the percentiles that are lower bounds.
    pub at_least: Vec<String>,
    /// Number of finished waits.
    pub samples: u64,
    /// Rate in the latency windows, acquisitions per second; taking time stamps lowers it.
    pub ops_per_second: Option<f64>,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Cell {
    /// What identifies it.
    #[serde(flatten)]
    pub axes: CellAxes,
    /// What became of it.
    pub status: Status,
    /// Why the status is what it is; none if it is `ok`.
    #[serde(default)]
    pub reason: Option<String>,
    /// Whether mutual exclusion held.
    pub exclusion: Exclusion,
    /// Acquisitions per second, all vCPUs together.
    pub ops_per_second: Option<Interval>,
    /// How evenly the vCPUs were served.
    #[serde(default)]
    pub fairness: Fairness,
    /// Acquire times.
    #[serde(default)]
    pub acquire_ns: Option<Acquire>,
    /// Causes of the rate, from traced windows; none where there were no such windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causes: Option<CellCauses>,
    /// What the emulated hypervisor was asked for, and what it kept; none where the kernel scheduled the vCPUs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<CellSchedule>,
    /// The verdict on the lock at this step of overcommit; none at 1x.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<CellVerdict>,
    /// What a law predicts for this cell; none where no law speaks of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub law: Option<LawCheck>,
    /// Counters summed over the rounds.
    #[serde(default)]
    pub counters: BTreeMap<String, u64>,
    /// Acquisitions in the windows that `counters` were summed over.
    #[serde(default)]
    pub counted_operations: u64,
    /// Mean fraction of the windows for which a vCPU was on a pCPU.
    #[serde(default)]
    pub on_cpu_share: Option<f64>,
    /// Number of windows that `ops_per_second` was taken from: of one distance class, none that moved.
    #[serde(default)]
    pub windows_used: u32,
    /// Numbers of the rounds in which those windows were taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds_used: Vec<u32>,
    /// Shortest and longest round trip between the first two pCPUs in those windows, in nanoseconds; none where one pCPU is
    /// used.
    #[serde(default)]
    pub interconnect_ns: Option<[f64; 2]>,
    /// Shortest and longest round trip of every pair of pCPUs that was timed; empty where there is one pair on one NUMA node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distances: Vec<Distance>,
    /// Where the arena lay in the cell's last measured window; none where the kernel did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residence: Option<Residence>,
    /// Sentences that qualify the figures: windows left out, not steady, starts that disagree, memory that lay elsewhere
    /// than its policy's name suggests.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The windows. Of their schedules' logs one is kept: that of the traced window with the worst handover, or else that of the
    /// window with the median rate.
    #[serde(default)]
    pub rounds: Vec<Round>,
}
