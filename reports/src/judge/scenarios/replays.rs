//! What a replay withholds from locks that halt.

use super::{Row, Scenario};
use crate::format::{percent, printable};

/// What waits for its vCPUs to halt leaves over more than this; less is the time that switches take.
const LEFT_OVER: f64 = 0.01;

impl Scenario<'_> {
    /// What the replays of its cases withheld from locks that halt, a sentence for each case that is one.
    pub(super) fn withheld(&self) -> Vec<String> {
        (0..self.cases.len()).filter_map(|at| self.withheld_in(at)).collect()
    }

    fn withheld_in(&self, at: usize) -> Option<String> {
        self.replays(at).next()?;
        let case = printable(&self.cases[at].name);
        let left = self.left_over(at);
        Some(if left.is_empty() {
            format!(
                "The replay in `{case}` withheld nothing: no lock left over more than {} of the time that the log gives to its vCPUs.",
                percent(LEFT_OVER)
            )
        } else {
            format!(
                "The replay in `{case}` gives to nobody what halted vCPUs leave over, which under a live schedule others would use: {} \
                 of the time that the log gives them stayed idle.",
                left.join(", ")
            )
        })
    }

    /// The end of the answer where the case is a replay that withheld something; empty where it is not.
    pub(super) fn withheld_clause(&self, at: usize) -> String {
        match &self.left_over(at)[..] {
            [] => String::new(),
            each => format!("; nobody gets the time that vCPUs halt for, which is {}", each.join(", ")),
        }
    }

    /// `37.5 % of pv-queued (emulated)` for each lock that left something over, the most first.
    fn left_over(&self, at: usize) -> Vec<String> {
        let mut left: Vec<(&Row<'_>, f64)> =
            self.replays(at).filter(|(_, left_over)| *left_over > LEFT_OVER).collect();
        left.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        let told = |(row, left_over): &(&Row<'_>, f64)| {
            format!("{} of {} ({})", percent(*left_over), self.label(row), printable(row.env))
        };
        left.iter().map(told).collect()
    }

    /// The rows whose cells of a case replay a log, and the part of their time that was left over.
    fn replays(&self, at: usize) -> impl Iterator<Item = (&Row<'_>, f64)> {
        self.rows.iter().filter_map(move |row| {
            let cell = row.entries[at].as_ref()?.cell;
            Some((row, cell.schedule.as_ref()?.replay.as_ref()?.left_over_share))
        })
    }
}
