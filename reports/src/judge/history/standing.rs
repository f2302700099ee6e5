//! How a series stands: the one rule by which it is called worse, in every view of a history.

use serde::Serialize;

use super::{ChangePoint, History, Series};
use crate::derive::digest::Metric;
use crate::judge::alerts::{Alert, What};
use crate::record::Interval;

/// How a series stands now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// In a word.
    #[serde(rename = "standing")]
    pub state: State,
    /// Index of the series.
    pub series: usize,
    /// Id of the cell.
    pub cell: String,
    /// Its lock.
    pub lock: String,
    /// Which metric.
    pub metric: Metric,
    /// Ratio of the level now to the level that it is measured by, above 1 is better.
    pub ratio: Interval,
    /// Date of the first night after the latest change; none if there was none.
    pub since: Option<String>,
    /// What the level now is measured by.
    pub against: Against,
}

/// How a series stands, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Worse than the best level that it has had since a level was accepted, by more than the margin.
    Worse,
    /// At its best level, and better than the accepted level by more than the margin.
    Better,
    /// Neither.
    AsAccepted,
}

/// A level of a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "level", content = "from", rename_all = "kebab-case")]
pub enum Against {
    /// The level of the first nights.
    First,
    /// The level after the change of this date, which was accepted.
    Accepted(String),
    /// The best level since, which began at this date. Nobody accepted it, and losing it again is a loss all the same.
    Best(String),
}

const ONE: Interval = Interval { median: 1.0, low: 1.0, high: 1.0 };

/// A level, as the product of the changes that led to it.
#[derive(Clone)]
struct Level {
    ratio: Interval,
    against: Against,
}

impl Standing {
    /// How a series stands after its changes, oldest first; none if it is no longer measured. Steps add up: several small ones
    /// are one large one, and a step that was mended is none. The level is measured by the best one since a level was accepted,
    /// so an improvement that is lost again is a loss, though the series is no worse than it was at first.
    pub(super) fn of(index: usize, history: &History, changes: &[ChangePoint], margin: f64) -> Option<Self> {
        let series = &history.series[index];
        if !series.is_still_measured(history) {
            return None;
        }
        let own =
            changes.iter().filter(|change| change.series == index && is_of_this_revision(series, change));
        // Since the accepted level, and since the best one.
        let mut accepted = Level { ratio: ONE, against: Against::First };
        let mut best = accepted.clone();
        let mut since = None;
        for change in own {
            since = Some(change.date.clone());
            if change.blessed.is_some() {
                accepted = Level { ratio: ONE, against: Against::Accepted(change.date.clone()) };
                best = accepted.clone();
                continue;
            }
            accepted.ratio = product(accepted.ratio, change.ratio);
            best.ratio = product(best.ratio, change.ratio);
            if best.ratio.median > 1.0 {
                best = Level { ratio: ONE, against: Against::Best(change.date.clone()) };
            }
        }
        let (state, level) = if best.ratio.median < 1.0 / (1.0 + margin) {
            (State::Worse, best)
        } else if accepted.ratio.median > 1.0 + margin {
            (State::Better, accepted)
        } else {
            (State::AsAccepted, accepted)
        };
        Some(Self {
            state,
            series: index,
            cell: series.cell.clone(),
            lock: series.lock.clone(),
            metric: series.metric,
            ratio: level.ratio,
            since,
            against: level.against,
        })
    }

    /// What headlines tell of it, unless it is as accepted.
    pub fn alert(&self) -> Option<Alert> {
        let what = match self.state {
            State::Worse => What::Worse(self.metric, self.ratio),
            State::Better => What::Better(self.metric, self.ratio),
            State::AsAccepted => return None,
        };
        Some(Alert { cell: self.cell.clone(), lock: self.lock.clone(), what })
    }

    /// By what the level is measured, behind *than*: `at first`, `was accepted on 2026-11-27`.
    pub fn than(&self) -> String {
        match &self.against {
            Against::First => "at first".into(),
            Against::Accepted(date) => format!("from {date} on, which was accepted"),
            Against::Best(date) => format!("from {date} on"),
        }
    }
}

/// Whether a change is one of the lock's present machine code: nothing is judged across revisions.
fn is_of_this_revision(series: &Series, change: &ChangePoint) -> bool {
    let at = series.points.iter().find(|point| point.night == change.night);
    at.zip(series.points.last()).is_some_and(|(at, last)| at.revision == last.revision)
}

/// The ratio of two successive changes. The ends are multiplied, so the interval is at least as wide as it need be.
fn product(one: Interval, other: Interval) -> Interval {
    Interval { median: one.median * other.median, low: one.low * other.low, high: one.high * other.high }
}
