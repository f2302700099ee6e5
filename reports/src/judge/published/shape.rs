//! One published shape, and whether it shows in a run.

use std::fmt;

use crate::format::counted;
use crate::judge::comparison::Comparison;
use crate::record::Interval;
use crate::statistics::MIN_ROUNDS;

/// Whether a published shape shows in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It shows here too.
    Reproduced,
    /// It does not show; the text says what shows instead.
    NotReproduced(String),
    /// This run, or this machine, cannot tell; the text says why.
    CannotBeTold(String),
}

/// One thing measured that bears on a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The figure with its interval, and where it was taken.
    pub measured: String,
    /// The outcome by this finding alone.
    pub outcome: Outcome,
    /// The half of the claim that the finding bears on; none where the claim is a single statement.
    pub half: Option<&'static str>,
}

/// A published shape, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// `S1` to `S13`.
    pub id: &'static str,
    /// The shape in a few words.
    pub claim: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// What was published.
    pub published: &'static str,
    /// When it counts as reproduced.
    pub rule: String,
    /// Halves of a claim that makes two statements: each must show somewhere. Empty where the claim is a single statement.
    pub halves: &'static [&'static str],
    /// What was measured here; empty where the cells needed were not run.
    pub findings: Vec<Finding>,
    /// Which cells are needed; told where there are no findings.
    pub needs: String,
}

impl Outcome {
    /// `reproduced`, `not reproduced` or `cannot be told on this machine`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::NotReproduced(_) => "not reproduced",
            Self::CannotBeTold(_) => "cannot be told on this machine",
        }
    }

    /// The reason, unless reproduced.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Reproduced => None,
            Self::NotReproduced(reason) | Self::CannotBeTold(reason) => Some(reason),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        let reason = self.reason().map(crate::format::printable);
        reason.map_or(Ok(()), |reason| write!(f, " ({reason})"))
    }
}

impl Finding {
    /// A finding on the whole claim.
    pub(super) fn new(measured: String, outcome: Outcome) -> Self {
        Self { measured, outcome, half: None }
    }

    /// A finding on one half of the claim.
    pub(super) fn of(half: &'static str, measured: String, outcome: Outcome) -> Self {
        Self { measured, outcome, half: Some(half) }
    }
}

impl Shape {
    /// The outcome of all findings together. One finding against the shape refutes it; otherwise one finding that shows it is
    /// enough, or one for each half where the claim has halves.
    pub fn outcome(&self) -> Outcome {
        let outcomes = || self.findings.iter().map(|finding| &finding.outcome);
        if let Some(against) = outcomes().find(|outcome| matches!(outcome, Outcome::NotReproduced(_))) {
            return against.clone();
        }
        if self.findings.is_empty() || self.halves.is_empty() {
            return best(outcomes()).unwrap_or_else(|| Outcome::CannotBeTold(self.needs.clone()));
        }
        let missing = self.halves.iter().find_map(|half| {
            let of_half = self.findings.iter().filter(|finding| finding.half == Some(half));
            match best(of_half.map(|finding| &finding.outcome)) {
                Some(Outcome::Reproduced) => None,
                Some(outcome) => Some(format!("{half}: {}", outcome.reason().unwrap_or("unknown"))),
                None => Some(format!("{half}: not measured")),
            }
        });
        missing.map_or(Outcome::Reproduced, Outcome::CannotBeTold)
    }
}

/// An outcome that shows the shape, or else the first.
fn best<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Option<Outcome> {
    let rank = |outcome: &&Outcome| !matches!(outcome, Outcome::Reproduced);
    outcomes.min_by_key(rank).cloned()
}

/// The ratio of a comparison, or why there is none to judge.
pub(super) fn told(comparison: &Comparison) -> Result<Interval, Outcome> {
    let reason = || comparison.verdict.reason().unwrap_or("no ratio could be taken").to_owned();
    let ratio = comparison.ratio.ok_or_else(|| Outcome::CannotBeTold(reason()))?;
    if comparison.rounds < MIN_ROUNDS { Err(too_few(comparison.rounds)) } else { Ok(ratio) }
}

/// What fewer rounds tell than an interval needs: nothing.
pub(super) fn too_few(rounds: usize) -> Outcome {
    Outcome::CannotBeTold(format!("{}; {MIN_ROUNDS} are needed", counted(rounds, "usable round")))
}

/// Judges an interval that must lie at or above `least`.
pub(super) fn at_least(interval: Interval, least: f64, short: &str) -> Outcome {
    if interval.low >= least {
        Outcome::Reproduced
    } else if interval.high < least {
        Outcome::NotReproduced(short.into())
    } else {
        straddles(least)
    }
}

/// Judges an interval that must lie at or below `most`.
pub(super) fn at_most(interval: Interval, most: f64, long: &str) -> Outcome {
    if interval.high <= most {
        Outcome::Reproduced
    } else if interval.low > most {
        Outcome::NotReproduced(long.into())
    } else {
        straddles(most)
    }
}

/// The outcome for an interval that lies on both sides of a threshold.
pub(super) fn straddles(threshold: f64) -> Outcome {
    let threshold = crate::format::significant(threshold);
    Outcome::CannotBeTold(format!("the interval lies on both sides of {threshold}"))
}
