//! What is said of a lock at a step of overcommit, and by which thresholds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Interval;

/// The thresholds that verdicts were given by. Their defaults and the reasons for them stand in `judge/verdicts/thresholds.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Thresholds {
    /// A lock holds if it keeps at least this fraction of its rate at 1x.
    pub holds: f64,
    /// A lock collapses if it keeps less than this fraction of its rate at 1x.
    pub collapses: f64,
    /// A lock is fair if its worst-served vCPU gets at least this fraction of an equal share.
    pub fair: f64,
    /// A lock starves a vCPU that gets less than this fraction of an equal share.
    pub starving: f64,
    /// A lock is unfair if a vCPU waits longer than this number of turns of the queue.
    pub long_wait: f64,
    /// A lock starves a vCPU that waits longer than this number of turns of the queue.
    pub starving_wait: f64,
    /// By which fraction intervals are widened, on either side, because two runs differ by more than the rounds of one run do.
    pub between_runs: f64,
}

/// How much of its rate a lock keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// Nearly all of it.
    Holds,
    /// A part of it.
    Degrades,
    /// Next to nothing.
    Collapses,
    /// The interval spans a threshold, or there is none.
    CannotBeTold,
}

/// How a lock serves its vCPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Served {
    /// Every vCPU gets its share.
    Fair,
    /// A vCPU gets little, or waits long.
    Unfair,
    /// A vCPU gets next to nothing, or waits very long.
    Starving,
    /// The interval spans a threshold, or there is none.
    CannotBeTold,
}

/// The verdict on a cell with more vCPUs than pCPUs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CellVerdict {
    /// How much of its rate the lock keeps.
    pub rate: Kept,
    /// Why that cannot be told; none where it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_untold: Option<String>,
    /// Rate over the rate at 1x on the same pCPUs, by round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Interval>,
    /// Number of rounds that `kept` rests on.
    pub rounds: u32,
    /// How the lock serves its vCPUs.
    pub service: Served,
    /// Why that cannot be told; none where it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_untold: Option<String>,
    /// Acquisitions of the vCPU that got fewest, over an equal share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst_share: Option<Interval>,
    /// Longest wait of a window in timeslices, over the windows that timed waits; none where no window did. An unfinished wait
    /// leaves its upper end open (1e9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_slices: Option<Interval>,
    /// Longest wait of all windows, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_wait_ns: Option<f64>,
    /// Whether that wait had not ended when its window did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wait_at_least: bool,
}

/// A law: a closed form for the rate of a kind of lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LawName {
    /// A FIFO lock whose waiters spin waits for the scheduler at nearly every handover.
    FifoSpin,
    /// A FIFO lock whose waiters spin for a while and then halt spends one spin threshold of a pCPU for each acquisition.
    FifoHalt,
}

/// What a law predicts for a cell, beside what was measured. Nothing else rests on the prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LawCheck {
    /// The law.
    pub law: LawName,
    /// Predicted rate, in acquisitions per second; its interval comes from what was put in.
    pub predicted: Interval,
    /// Measured rate over the predicted one.
    pub ratio: Interval,
    /// Why the law is known not to hold for this cell; none where it should hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fails: Option<String>,
}
