//! What a verdict over nights or runs comes down to: which locks are worse, which failed, which are better.
//!
//! Every headline is made from the alerts, every row that says *worse* is one of them, and the exit status asks them. So no view
//! can say what another does not.

use crate::derive::digest::Metric;
use crate::format::{counted, printable};
use crate::record::Interval;
use crate::size;

/// A headline names this many locks of a kind at most.
const NAMED: usize = 4;

/// What is said of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Id of the cell.
    pub cell: String,
    /// Its lock.
    pub lock: String,
    /// What became of the cell.
    pub what: What,
}

/// What became of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A metric got worse, by this ratio below 1.
    Worse(Metric, Interval),
    /// A metric got better, by this ratio above 1.
    Better(Metric, Interval),
    /// The cell broke, hung or crashed: the word for it.
    Failed(&'static str),
    /// The cell failed before and does no longer.
    Mended,
}

/// All alerts of a view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alerts(pub Vec<Alert>);

impl Alerts {
    /// Whether something is worse or failed. That fails a night and is exit status 1.
    pub fn negative(&self) -> bool {
        self.0.iter().any(|alert| matches!(alert.what, What::Worse(..) | What::Failed(_)))
    }

    /// What happened, with the locks by name, the worst first: `Worse: pv-queued, up to 31 % slower (6 cells). Failed: mcs,
    /// hung (1 cell).` Where nothing is worse and nothing failed, it begins with `unharmed`, a sentence.
    pub fn headline(&self, unharmed: &str) -> String {
        let mut sentences = Vec::new();
        if !self.negative() {
            sentences.push(unharmed.to_owned());
        }
        for heading in ["Worse", "Failed", "Better"] {
            let told = self.told(heading);
            if !told.is_empty() {
                sentences.push(format!("{heading}: {}.", in_a_line(&told)));
            }
        }
        sentences.join(" ")
    }

    /// What is told under a heading, `Worse`, `Failed` or `Better`: of each lock, by its name, the worst first.
    pub fn told(&self, heading: &str) -> Vec<(String, String)> {
        let mut together = self.together(heading);
        together.sort_by(|a, b| b.0.by().total_cmp(&a.0.by()));
        let told = |(most, cells): &(&Alert, usize)| (printable(&most.lock), most.what.in_cells(*cells));
        together.iter().map(told).collect()
    }

    /// What is told of what changed, first for the worse and then for the better.
    pub fn changed(&self) -> Vec<(String, String)> {
        ["Worse", "Better"].into_iter().flat_map(|heading| self.told(heading)).collect()
    }

    /// The alerts under a heading that are told in one breath: of each lock and metric the one that changed most, and in how
    /// many cells there is one.
    fn together(&self, heading: &str) -> Vec<(&Alert, usize)> {
        let mut together: Vec<(&Alert, usize)> = Vec::new();
        for alert in self.0.iter().filter(|alert| alert.what.heading() == heading) {
            let alike =
                |(most, _): &&mut (&Alert, usize)| most.lock == alert.lock && most.what.is_like(&alert.what);
            match together.iter_mut().find(alike) {
                Some((most, cells)) => {
                    *cells += 1;
                    if alert.by() > most.by() {
                        *most = alert;
                    }
                }
                None => together.push((alert, 1)),
            }
        }
        together
    }
}

/// What is told of some locks: `pv-queued, up to 31 % slower (6 cells); mcs, 9 % slower (1 cell); and 3 more`.
pub fn in_a_line(told: &[(String, String)]) -> String {
    let mut parts: Vec<String> =
        told.iter().take(NAMED).map(|(lock, what)| format!("{lock}, {what}")).collect();
    if let Some(more @ 1..) = told.len().checked_sub(NAMED) {
        parts.push(format!("and {more} more"));
    }
    parts.join("; ")
}

impl Alert {
    /// By how much the cell changed: the logarithm, without its sign. A failure is more than any change.
    fn by(&self) -> f64 {
        match self.what {
            What::Worse(_, ratio) | What::Better(_, ratio) => ratio.median.ln().abs(),
            What::Failed(_) | What::Mended => f64::INFINITY,
        }
    }
}

impl What {
    fn heading(&self) -> &'static str {
        match self {
            Self::Worse(..) => "Worse",
            Self::Failed(_) => "Failed",
            Self::Better(..) | Self::Mended => "Better",
        }
    }

    /// In words: `31 % slower`, `hung`.
    pub fn said(&self) -> String {
        match self {
            Self::Worse(metric, ratio) | Self::Better(metric, ratio) => metric.size(*ratio),
            Self::Failed(word) => (*word).into(),
            Self::Mended => "no longer fails".into(),
        }
    }

    /// In words, of so many cells among which this one is farthest: up to its size, if it has one.
    fn in_cells(&self, cells: usize) -> String {
        let (said, cells_said) = (self.said(), counted(cells, "cell"));
        match self {
            Self::Worse(_, ratio) | Self::Better(_, ratio) if cells > 1 => {
                if size::is_certain(*ratio) {
                    format!("up to {said} ({cells_said})")
                } else {
                    format!("{said} (the farthest of {cells_said})")
                }
            }
            _ => format!("{said} ({cells_said})"),
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Worse(a, _), Self::Worse(b, _)) | (Self::Better(a, _), Self::Better(b, _)) => a == b,
            _ => self == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(lock: &str, what: What) -> Alert {
        Alert { cell: format!("{lock}/native"), lock: lock.into(), what }
    }

    fn near(median: f64) -> Interval {
        Interval { median, low: median * 0.98, high: median * 1.02 }
    }

    #[test]
    fn the_headline_names_the_locks_the_worst_first_and_says_the_size_in_words() {
        let worse = |lock: &str, ratio| alert(lock, What::Worse(Metric::Rate, near(ratio)));
        let all = Alerts(vec![
            worse("ticket", 0.9),
            worse("pv-queued", 0.8),
            worse("pv-queued", 0.69),
            alert("pv-queued", What::Worse(Metric::Fairness, near(0.7))),
            alert("mcs", What::Failed("hung")),
            alert("tas", What::Better(Metric::Rate, near(2.4))),
        ]);
        assert!(all.negative());
        assert_eq!(
            all.headline("Nothing is worse."),
            "Worse: pv-queued, up to 31 % slower (2 cells); pv-queued, 30 % less fair (1 cell); ticket, 10 % slower (1 cell). \
             Failed: mcs, hung (1 cell). Better: tas, 2.4 times as fast (1 cell)."
        );
        let many = Alerts((0..9).map(|nth| worse(&format!("lock-{nth}"), 0.9)).collect());
        assert!(many.headline("").ends_with("; and 5 more."));
        let wide = Interval { median: 1.0 / 8000.0, low: 1e-5, high: 0.1 };
        let wide = Alerts(vec![alert("mcs", What::Worse(Metric::Rate, wide)), worse("mcs", 0.9)]);
        let said = wide.headline("");
        assert_eq!(
            said,
            "Worse: mcs, certainly much worse, size uncertain: at least 10 times as slow (the farthest of 2 cells)."
        );
    }

    #[test]
    fn only_what_is_worse_or_failed_is_negative() {
        let good =
            Alerts(vec![alert("tas", What::Better(Metric::Rate, near(2.4))), alert("mcs", What::Mended)]);
        assert!(!good.negative() && !Alerts::default().negative());
        assert!(good.headline("Nothing is worse.").starts_with("Nothing is worse. Better: "));
        assert!(Alerts(vec![alert("mcs", What::Failed("crashed"))]).negative());
    }
}
