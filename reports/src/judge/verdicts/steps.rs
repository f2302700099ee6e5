//! The verdicts of a run by environment and step of overcommit.

use crate::derive::setting::{environments, main_setting, same};
use crate::record::{Cell, CellVerdict, Kept, Results, Status};

/// The locks of one environment at one step of overcommit.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    /// The environment.
    pub env: &'a str,
    /// vCPUs per pCPU.
    pub overcommit: f64,
    /// A verdict for each lock, in plan order; at least one.
    pub verdicts: Vec<Verdict<'a>>,
}

/// A lock's cell with its verdict.
#[derive(Clone, Copy, Debug)]
pub struct Verdict<'a> {
    /// The cell.
    pub cell: &'a Cell,
    /// Its verdict.
    pub of: &'a CellVerdict,
}

impl Step<'_> {
    /// `in round-robin slices of 10 ms`; none where the kernel schedules. All cells of a step have one schedule.
    pub fn schedule(&self) -> Option<String> {
        self.verdicts.first()?.cell.axes.told_schedule()
    }

    /// Number of locks with a label.
    pub fn count(&self, label: Kept) -> usize {
        self.verdicts.iter().filter(|verdict| verdict.of.rate == label).count()
    }
}

/// The steps of each environment's main setting, ascending, environments in plan order; locks that the environment cannot run are
/// left out. The results must have been judged.
pub fn steps(results: &Results) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    for env in environments(results) {
        let Some(setting) = main_setting(results, env) else { continue };
        for overcommit in setting.above_one() {
            let of = |lock: &&str| {
                let cell = setting.at(lock, overcommit).filter(|cell| cell.status != Status::Skipped)?;
                Some(Verdict { cell, of: cell.verdict.as_ref()? })
            };
            let verdicts: Vec<Verdict<'_>> = setting.locks().iter().filter_map(of).collect();
            if !verdicts.is_empty() {
                steps.push(Step { env, overcommit, verdicts });
            }
        }
    }
    steps
}

/// The step that the report begins with: the one at 2x, or else the one nearest to it, for the most locks; of two environments
/// the one with real vCPUs.
pub fn main_step<'s, 'a>(steps: &'s [Step<'a>]) -> Option<&'s Step<'a>> {
    let told = |step: &Step<'_>| step.verdicts.len() - step.count(Kept::CannotBeTold);
    let near = |step: &Step<'_>| (step.overcommit / 2.0).ln().abs();
    steps.iter().min_by(|a, b| {
        near(a)
            .total_cmp(&near(b))
            .then(told(b).cmp(&told(a)))
            .then(b.verdicts.len().cmp(&a.verdicts.len()))
            .then((b.env == "kvm").cmp(&(a.env == "kvm")))
    })
}

/// The verdicts of a step, best first: locks that hold, then those that degrade; those of which nothing can be told stand before
/// those that collapse. Of one label those that keep most come first.
pub fn ranked<'s, 'a>(step: &'s Step<'a>) -> Vec<&'s Verdict<'a>> {
    let place = |verdict: &Verdict<'_>| match verdict.of.rate {
        Kept::Holds => 0,
        Kept::Degrades => 1,
        Kept::CannotBeTold => 2,
        Kept::Collapses => 3,
    };
    let kept = |verdict: &Verdict<'_>| verdict.of.kept.map_or(0.0, |kept| kept.median);
    let mut ranked: Vec<&Verdict<'a>> = step.verdicts.iter().collect();
    ranked.sort_by(|a, b| place(a).cmp(&place(b)).then(kept(b).total_cmp(&kept(a))));
    ranked
}

/// How far a lock's label reaches in an environment: the steps from the first on that have one label, and that label.
pub fn reach(steps: &[Step<'_>], env: &str, lock: &str) -> Option<(Kept, f64, f64)> {
    let of = |step: &Step<'_>| {
        let verdict = step.verdicts.iter().find(|verdict| verdict.cell.axes.lock == lock)?;
        Some((step.overcommit, verdict.of.rate))
    };
    let mut labels = steps.iter().filter(|step| step.env == env).filter_map(of);
    let (first, label) = labels.next()?;
    let last = labels.take_while(|(_, next)| *next == label).last().map_or(first, |(k, _)| k);
    Some((label, first, if same(first, last) { first } else { last }))
}
