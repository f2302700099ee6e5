//! Which lock to take, from runs and from nights of a history that were measured before.

mod nights;

use crate::derive::digest::Identity;
use crate::record::{Arrivals, Cell, CellVerdict, Kept, Machine, Results, Served, Status};

pub use nights::of_nights;

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

/// Where a candidate's figures are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A run's own directory.
    Run,
    /// A history, which keeps rates but neither shares nor waits.
    History,
}

/// A lock with what speaks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Where its figures are from.
    pub from: Evidence,
    /// The run that they are of.
    pub run_id: String,
    /// When that run began: RFC 3339, UTC.
    pub started_at: String,
    /// The lock.
    pub lock: String,
    /// The environment.
    pub env: String,
    /// Length of the sections that were run, in nanoseconds.
    pub section_ns: f64,
    /// Acquisitions per second.
    pub rate: f64,
    /// The verdict; none where there are no more vCPUs than pCPUs.
    pub verdict: Option<CellVerdict>,
}

impl Candidate {
    /// The lower, the better: what a lock keeps counts first, then whether it starves a vCPU.
    fn place(&self) -> (u8, bool) {
        let Some(verdict) = &self.verdict else { return (0, false) };
        let kept = match verdict.rate {
            Kept::Holds => 0,
            Kept::Degrades => 1,
            Kept::CannotBeTold => 2,
            Kept::Collapses => 3,
        };
        (kept, verdict.service == Served::Starving)
    }

    /// Whether it speaks for its lock rather than another candidate of the same lock: the newer run does; of one run its directory rather than a
    /// history, and the section that is nearer to the one asked for.
    fn speaks_before(&self, other: &Self, question: Question) -> bool {
        let newer = self.started_at.cmp(&other.started_at);
        let fuller = (other.from == Evidence::History).cmp(&(self.from == Evidence::History));
        let nearer = apart(other.section_ns, question).total_cmp(&apart(self.section_ns, question));
        newer.then(fuller).then(nearer).is_gt()
    }
}

/// What runs say of the question: their cells of this machine that answer it. The runs must have been judged.
pub fn of_runs(runs: &[Results], machine: &Machine, question: Question) -> Vec<Candidate> {
    let here = Identity::of(machine);
    let own = runs.iter().filter(|run| Identity::of(&run.machine) == here);
    own.flat_map(|run| run.cells.iter().filter_map(|cell| candidate(run, cell, question))).collect()
}

/// Locks that a question can be answered for, best first; all in one environment: that of real vCPUs where it has any. Of several
/// candidates of a lock the one of the newest run speaks for it.
pub fn rank(candidates: Vec<Candidate>, question: Question) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        let same = |one: &&mut Candidate| (&one.lock, &one.env) == (&candidate.lock, &candidate.env);
        match found.iter_mut().find(same) {
            Some(known) if candidate.speaks_before(known, question) => *known = candidate,
            Some(_) => {}
            None => found.push(candidate),
        }
    }
    let has = |env: &str| found.iter().any(|one| one.env == env);
    let preferred = if has("kvm") {
        "kvm"
    } else if has("emulated") {
        "emulated"
    } else {
        "native"
    };
    found.retain(|one| one.env == preferred);
    found.sort_by(|a, b| a.place().cmp(&b.place()).then(b.rate.total_cmp(&a.rate)));
    found
}

/// How far a section is from the one asked for, as a factor; 1 is the same.
fn apart(section_ns: f64, question: Question) -> f64 {
    // Sections without work count as one of a nanosecond.
    let ratio = section_ns.max(1.0) / question.section_ns.max(1.0);
    ratio.max(1.0 / ratio)
}

fn candidate(run: &Results, cell: &Cell, question: Question) -> Option<Candidate> {
    let axes = &cell.axes;
    let answers = cell.status == Status::Ok
        && axes.vcpus == question.vcpus
        && axes.pcpus.len() == question.pcpus as usize
        && axes.params.is_empty()
        && axes.case.is_none()
        && axes.pinning == "pinned"
        && axes.workload.arrivals == Arrivals::Closed
        && axes.workload.locks == 1
        && apart(axes.workload.section_ns, question) <= NEAR;
    let rate = cell.ops_per_second.filter(|_| answers)?.median;
    Some(Candidate {
        from: Evidence::Run,
        run_id: run.run_id.clone(),
        started_at: run.started_at.clone(),
        lock: axes.lock.clone(),
        env: axes.env.clone(),
        section_ns: axes.workload.section_ns,
        rate,
        verdict: cell.verdict.clone(),
    })
}
