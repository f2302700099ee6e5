//! Evidence from a history. It keeps the rates of each window, so that it says what a lock keeps of its rate; shares and waits it
//! does not keep.

use super::{Candidate, Evidence, NEAR, Question, apart};
use crate::derive::digest::{CellDigest, Digest, Identity, Measure, Metric};
use crate::judge::verdicts::judge_kept;
use crate::record::{CellVerdict, Interval, Kept, Machine, Served, Status, Thresholds};

/// What the nights of a history say of the question. `section_ns` gives the length of the section that a workload's name stands for;
/// none where the workload is no closed loop.
pub fn of_nights(
    nights: &[Digest],
    machine: &Machine,
    question: Question,
    thresholds: &Thresholds,
    section_ns: impl Fn(&str) -> Option<f64>,
) -> Vec<Candidate> {
    let here = Identity::of(machine);
    let mut candidates = Vec::new();
    for night in nights.iter().filter(|night| night.machine == here) {
        for cell in night.cells.iter().filter(|cell| cell.status == Status::Ok) {
            let Some(id) = Id::of(&cell.id) else { continue };
            let Some(section_ns) = section_ns(id.workload) else { continue };
            let answers = id.is(question.vcpus, question.pcpus) && apart(section_ns, question) <= NEAR;
            let Some(rate) = rate(cell).filter(|_| answers) else { continue };
            let above = question.vcpus > question.pcpus;
            candidates.push(Candidate {
                from: Evidence::History,
                run_id: night.run_id.clone(),
                started_at: night.started_at.clone(),
                lock: cell.lock.clone(),
                env: cell.env.clone(),
                section_ns,
                rate: rate.median,
                verdict: above.then(|| verdict(night, &id, rate, thresholds)),
            });
        }
    }
    candidates
}

/// The parts of a cell's id, `ticket/kvm/short/4v:2p/compact/pinned`, of a cell with all other axes at their defaults.
struct Id<'a> {
    lock: &'a str,
    env: &'a str,
    workload: &'a str,
    size: &'a str,
    placement: &'a str,
}

impl<'a> Id<'a> {
    /// None where the cell has further axes, or floats.
    fn of(id: &'a str) -> Option<Self> {
        match id.split('/').collect::<Vec<_>>()[..] {
            [lock, env, workload, size, placement, "pinned"] => {
                Some(Self { lock, env, workload, size, placement })
            }
            _ => None,
        }
    }

    fn is(&self, vcpus: u32, pcpus: u32) -> bool {
        self.size == format!("{vcpus}v:{pcpus}p")
    }

    /// The id of the same cell at 1x.
    fn at_one(&self) -> Option<String> {
        let pcpus = self.size.split(':').nth(1)?.strip_suffix('p')?;
        let Self { lock, env, workload, placement, .. } = self;
        Some(format!("{lock}/{env}/{workload}/{pcpus}v:{pcpus}p/{placement}/pinned"))
    }
}

/// The rates of a cell's windows.
fn rate(cell: &CellDigest) -> Option<&Measure> {
    cell.told().find(|measure| measure.metric == Metric::Rate)
}

/// What a lock keeps by the medians of both cells: their intervals give the widest ratio that they allow, for a history does not
/// know which windows were of one round.
fn verdict(night: &Digest, id: &Id<'_>, rate: &Measure, thresholds: &Thresholds) -> CellVerdict {
    let one = id.at_one().and_then(|id| night.cell(&id)).filter(|cell| cell.status == Status::Ok);
    let told = one.and_then(self::rate).map(|one| {
        let ratio = Interval {
            median: rate.median / one.median,
            low: rate.low / one.high,
            high: rate.high / one.low,
        };
        (ratio, rate.windows.len().min(one.windows.len()))
    });
    let (kept, untold, rounds) = match told {
        Some((ratio, rounds)) if ratio.high.is_finite() => {
            let (kept, untold) = judge_kept(ratio, rounds, thresholds);
            (kept, untold, rounds)
        }
        _ => (Kept::CannotBeTold, Some("the lock was not run at 1x on the same pCPUs".into()), 0),
    };
    CellVerdict {
        rate: kept,
        rate_untold: untold,
        kept: told.map(|(ratio, _)| ratio),
        rounds: rounds as u32,
        service: Served::CannotBeTold,
        service_untold: Some("a history keeps neither shares nor waits".into()),
        worst_share: None,
        wait_slices: None,
        longest_wait_ns: None,
        wait_at_least: false,
    }
}
