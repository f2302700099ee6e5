//! Short answers for a reader with ten seconds: one sentence a question, with its figures and intervals in small print. The first
//! screen of the page and the end of a run on the terminal are made of them; [`answers`](super::answers) has the long form.

mod cause;
mod cost;
mod cure;
mod noise;
mod own;
mod peers;
mod placement;
mod trust;

use crate::derive::setting::same;
use crate::format::{overcommit, printable, printable_words};
use crate::judge::scenarios::only_scenarios;
use crate::judge::verdicts::{Step, main_step, steps};
use crate::record::{Cell, Results};

/// A question with its short answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    /// Word that a terminal puts before the answer: `why`.
    pub word: &'static str,
    /// The question, in words of someone who runs a database.
    pub question: &'static str,
    /// The answer: a sentence or two.
    pub said: String,
    /// The answer in few words, for the end of a run on a terminal; none where it is not told there.
    pub short: Option<String>,
    /// What the answer rests on: intervals, rounds, windows; empty where there is nothing.
    pub small: String,
}

impl Brief {
    fn new(
        word: &'static str,
        question: &'static str,
        said: impl AsRef<str>,
        small: impl AsRef<str>,
    ) -> Self {
        let said = printable_words(said.as_ref());
        Self { word, question, short: Some(said.clone()), said, small: printable_words(small.as_ref()) }
    }

    /// With another answer for a terminal; none leaves it out there.
    fn in_short(self, short: Option<String>) -> Self {
        Self { short: short.map(|short| printable_words(&short)), ..self }
    }
}

/// The short answers of a run that was judged, in the order in which they are asked.
pub fn briefs(results: &Results) -> Vec<Brief> {
    let steps = steps(results);
    let step = main_step(&steps);
    let mut briefs = Vec::new();
    // A run of scenarios alone asked nothing of this.
    if only_scenarios(results) {
        return briefs;
    }
    // Without a step above 1x nothing was asked of preemption.
    if let Some(step) = step {
        briefs.extend(own::brief(results, step));
    }
    if step.is_some() {
        briefs.extend([cause::brief(results, step), cure::brief(results, step)]);
    }
    briefs.extend(peers::brief(results));
    briefs.extend([cost::brief(results), trust::brief(results), placement::brief(results)]);
    briefs.push(noise::brief(results));
    briefs
}

/// `kvm, 4 vCPUs on 2 CPUs`.
fn place(cell: &Cell) -> String {
    let axes = &cell.axes;
    let s = if axes.pcpus.len() == 1 { "" } else { "s" };
    format!("{}, {} vCPUs on {} CPU{s}", axes.told_env(), axes.vcpus, axes.pcpus.len())
}

/// Where a cell was run, in brackets: ` (emulated at 3x with lines:8)`; nothing of what the step that the report begins with has too.
fn elsewhere(cell: &Cell, step: Option<&Step<'_>>) -> String {
    let axes = &cell.axes;
    let first = step.and_then(|step| Some((step, &step.verdicts.first()?.cell.axes)));
    let place = format!("{} at {}", axes.told_env(), overcommit(axes.overcommit));
    let with = format!("with {}", printable(&axes.workload.name));
    let Some((step, first)) = first else { return format!(" ({place})") };
    let there = first.told_env() == axes.told_env() && same(step.overcommit, axes.overcommit);
    match (there, first.workload.name == axes.workload.name) {
        (true, true) => String::new(),
        (true, false) => format!(" ({with})"),
        (false, true) => format!(" ({place})"),
        (false, false) => format!(" ({place} {with})"),
    }
}

/// Cells of a step first, then all others above 1x, in plan order.
fn step_first<'a>(results: &'a Results, step: Option<&Step<'a>>) -> Vec<&'a Cell> {
    let of_step = step.into_iter().flat_map(|step| step.verdicts.iter().map(|verdict| verdict.cell));
    let mut cells: Vec<&'a Cell> = of_step.collect();
    let rest = results.cells.iter().filter(|cell| cell.verdict.is_some());
    let rest: Vec<&'a Cell> =
        rest.filter(|cell| !cells.iter().any(|known| std::ptr::eq(*known, *cell))).collect();
    cells.extend(rest);
    cells
}
