//! The three answers of a report, and a fourth on NUMA, in plain sentences with figures and intervals.

mod cure;
mod native_cost;
mod numa;
mod problem;

use std::fmt;

pub use native_cost::{NativeCost, native_costs};
pub(crate) use native_cost::{ns_per_pair, uncontended};

use crate::format::{printable, printable_words, range, rate};
use crate::judge::comparison::Comparison;
use crate::record::{Cell, Results};
use crate::statistics::Verdict;

/// The three answers and the one on NUMA. What scenarios showed stands elsewhere: in [`scenarios`](super::scenarios).
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    /// What goes wrong with spinlocks when vCPUs are preempted.
    pub problem: Answer,
    /// How well a paravirtual lock cures it.
    pub cure: Answer,
    /// What the paravirtual code costs natively.
    pub native_cost: Answer,
    /// Whether it matters on which NUMA nodes a lock and its vCPUs lie.
    pub numa: Answer,
}

/// One question, and what the run says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The question.
    pub question: &'static str,
    /// Sentences, the most important first; at least one.
    pub statements: Vec<Statement>,
}

/// One sentence, or a few that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Plain text, fit for a terminal.
    pub text: String,
    /// The verdict on the first ratio in the text; none where the text only informs.
    pub verdict: Option<Verdict>,
}

impl Statement {
    fn new(text: impl AsRef<str>, verdict: Option<Verdict>) -> Self {
        // Names in the text may come from a file of unknown origin.
        Self { text: printable_words(text.as_ref()), verdict }
    }

    fn missing(what: impl Into<String>) -> Self {
        Self::new("Nothing can be said.", Some(Verdict::NotEnoughData(what.into())))
    }
}

/// Answers the questions from the results.
pub fn answers(results: &Results) -> Answers {
    Answers {
        problem: answer("What goes wrong when vCPUs are preempted?", problem::statements(results)),
        cure: answer("How well does a paravirtual lock cure it?", cure::statements(results)),
        native_cost: answer("What does carrying the cure cost natively?", native_cost::statements(results)),
        numa: answer("Does placement matter for locks here?", numa::statements(results)),
    }
}

fn answer(question: &'static str, statements: Vec<Statement>) -> Answer {
    Answer { question, statements }
}

impl Answers {
    /// The answers in the order in which they are given.
    pub fn each(&self) -> [(&'static str, &Answer); 4] {
        [
            ("Problem", &self.problem),
            ("Cure", &self.cure),
            ("Native cost", &self.native_cost),
            ("NUMA", &self.numa),
        ]
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, answer)) in self.each().into_iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            writeln!(f, "{}. {name}: {}", index + 1, answer.question)?;
            for statement in &answer.statements {
                writeln!(f, "   {statement}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.verdict {
            Some(verdict) => write!(f, " [{}]", printable(&verdict.to_string())),
            None => Ok(()),
        }
    }
}

/// `450/s against 6.50 M/s`, from the medians of two cells.
fn against(one: &Cell, other: &Cell) -> String {
    let shown = |cell: &Cell| cell.ops_per_second.map_or_else(|| "–".into(), |ops| rate(ops.median));
    format!("{} against {}", shown(one), shown(other))
}

/// A ratio with its interval: `25.1 (20.0 to 31.2)`.
fn with_interval(comparison: &Comparison, show: impl Fn(f64) -> String) -> Option<String> {
    let ratio = comparison.ratio?;
    Some(format!("{} ({})", show(ratio.median), range(ratio, &show)))
}

/// `6 rounds, pCPUs 84 to 97 ns apart`.
fn basis(comparison: &Comparison) -> String {
    let s = if comparison.rounds == 1 { "" } else { "s" };
    let mut basis = format!("{} round{s}", comparison.rounds);
    let spans = comparison.spans.to_string();
    if !spans.is_empty() {
        basis.push_str(&format!(", {spans}"));
    }
    if comparison.spans.wide().is_some() {
        basis.push_str(", in each round at one distance");
    }
    basis
}

/// Overcommit factors, with the one that is told at length in front: 2x, or the smallest above 1.
fn main_factor_first(mut factors: Vec<f64>) -> Vec<f64> {
    if let Some(at) = factors.iter().position(|k| crate::derive::setting::same(*k, 2.0)) {
        let two = factors.remove(at);
        factors.insert(0, two);
    }
    factors
}
