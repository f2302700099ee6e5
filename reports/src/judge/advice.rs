//! Which lock to take, from runs that were measured before.

use crate::derive::digest::Identity;
use crate::record::{Arrivals, Cell, CellVerdict, Kept, Machine, Results, Served, Status};

/// Sections up to this factor shorter or longer stand for the one asked for.
const NEAR: f64 = 2.0;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Question {
    /// Number of vCPUs.
    pub vcpus: u32,
    /// Number of pCPUs that they share.
    pub pcpus: u32,
    /// Length of the critical section, in nanoseconds.
    pub section_ns: f64,
}

/// A lock with the cell that speaks for it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The run that the cell is from.
    pub run: &'a Results,
    /// The cell.
    pub cell: &'a Cell,
}

impl<'a> Candidate<'a> {
    /// Its verdict; none where there are no more vCPUs than pCPUs.
    pub fn verdict(&self) -> Option<&'a CellVerdict> {
        self.cell.verdict.as_ref()
    }

    fn rate(&self) -> f64 {
        self.cell.ops_per_second.map_or(0.0, |ops| ops.median)
    }

    /// The lower, the better: what a lock keeps counts first, then whether it starves a vCPU.
    fn place(&self) -> (u8, bool) {
        let Some(verdict) = self.verdict() else { return (0, false) };
        let kept = match verdict.rate {
            Kept::Holds => 0,
            Kept::Degrades => 1,
            Kept::CannotBeTold => 2,
            Kept::Collapses => 3,
        };
        (kept, verdict.service == Served::Starving)
    }
}

/// Locks that a question can be answered for, best first; all in one environment: that of real vCPUs where it has any. The runs must
/// have been judged; those of other machines are left out, and of several runs the newest speaks for a lock.
pub fn rank<'a>(runs: &'a [Results], machine: &Machine, question: Question) -> Vec<Candidate<'a>> {
    let here = Identity::of(machine);
    let mut found: Vec<Candidate<'a>> = Vec::new();
    let mut runs: Vec<&Results> = runs.iter().filter(|run| Identity::of(&run.machine) == here).collect();
    runs.sort_by(|a, b| b.started_at.cmp(&a.started_at));
    for run in runs {
        for cell in run.cells.iter().filter(|cell| answers(cell, question)) {
            let known = |one: &&mut Candidate<'_>| {
                (&one.cell.axes.lock, &one.cell.axes.env) == (&cell.axes.lock, &cell.axes.env)
            };
            let candidate = Candidate { run, cell };
            match found.iter_mut().find(known) {
                // Of one run the cell with the section nearest to the one asked for counts.
                Some(known) if std::ptr::eq(known.run, run) && nearer(cell, known.cell, question) => {
                    *known = candidate;
                }
                Some(_) => {}
                None => found.push(candidate),
            }
        }
    }
    let has = |env: &str| found.iter().any(|one| one.cell.axes.env == env);
    let preferred = if has("kvm") {
        "kvm"
    } else if has("emulated") {
        "emulated"
    } else {
        "native"
    };
    found.retain(|one| one.cell.axes.env == preferred);
    found.sort_by(|a, b| a.place().cmp(&b.place()).then(b.rate().total_cmp(&a.rate())));
    found
}

/// How far a cell's section is from the one asked for, as a factor; 1 is the same.
fn apart(cell: &Cell, question: Question) -> f64 {
    // Sections without work count as one of a nanosecond.
    let ratio = cell.axes.workload.section_ns.max(1.0) / question.section_ns.max(1.0);
    ratio.max(1.0 / ratio)
}

fn nearer(cell: &Cell, than: &Cell, question: Question) -> bool {
    apart(cell, question) < apart(than, question)
}

fn answers(cell: &Cell, question: Question) -> bool {
    let axes = &cell.axes;
    cell.status == Status::Ok
        && cell.ops_per_second.is_some()
        && axes.vcpus == question.vcpus
        && axes.pcpus.len() == question.pcpus as usize
        && axes.params.is_empty()
        && axes.pinning == "pinned"
        && axes.workload.arrivals == Arrivals::Closed
        && apart(cell, question) <= NEAR
}
