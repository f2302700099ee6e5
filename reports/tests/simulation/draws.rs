//! Nights drawn from runs of one build between which nothing changed, changes put into them, and what is called there.

use std::ops::Range;

use lockbench_reports::derive::digest::{Digest, Metric};
use lockbench_reports::judge::compare::compare;
use lockbench_reports::judge::history::{ChangePoint, Collector, Judgement};
use lockbench_reports::statistics::{FEWEST_NIGHTS, MARGIN, Random};

pub(crate) const NIGHTS: usize = 30;
/// A change that is told of again within this many nights is the same one.
const SAME: usize = 5;

/// Nights drawn from runs, each run as likely every night, as if they had been taken one after the other.
pub(crate) fn drawn(runs: &[Digest], seed: u64) -> Vec<Digest> {
    let mut random = Random::new(seed);
    let one = |number: usize| {
        let mut night = runs[random.below(runs.len())].clone();
        night.run_id = format!("night-{number}");
        night.started_at = format!("2026-{:02}-{:02}T03:15:00Z", number / 28 + 1, number % 28 + 1);
        night
    };
    (0..NIGHTS).map(one).collect()
}

/// The nights with the rates of a lock's cells multiplied in some of them.
pub(crate) fn changed(nights: &[Digest], lock: &str, which: Range<usize>, by: f64) -> Vec<Digest> {
    let mut nights = nights.to_vec();
    for cell in nights[which].iter_mut().flat_map(|night| &mut night.cells).filter(|cell| cell.lock == lock) {
        let rates = cell.measures.iter_mut().filter(|measure| measure.metric == Metric::Rate);
        for reading in rates.flat_map(|measure| &mut measure.windows) {
            reading.value *= by;
            reading.count = (reading.count as f64 * by) as u64;
        }
    }
    nights
}

pub(crate) fn judged(nights: &[Digest]) -> Judgement {
    let mut collector = Collector::default();
    nights.iter().cloned().for_each(|night| collector.add(night));
    Judgement::of(&collector.finish(), &[], MARGIN)
}

/// The changes that `history show` tells of in the course of the nights, each once.
pub(crate) fn told(nights: &[Digest]) -> Vec<ChangePoint> {
    let mut told: Vec<ChangePoint> = Vec::new();
    for tonight in 2 * FEWEST_NIGHTS..=nights.len() {
        for change in judged(&nights[..tonight]).changes {
            let same = |known: &ChangePoint| {
                known.cell == change.cell
                    && known.metric == change.metric
                    && known.night.abs_diff(change.night) <= SAME
            };
            if !told.iter().any(same) {
                told.push(change);
            }
        }
    }
    told
}

/// The number of nights that `compare` with all nights before calls better or worse in any cell.
pub(crate) fn called(nights: &[Digest]) -> usize {
    let calls = |at: &usize| {
        compare(&nights[..*at], &nights[*at], MARGIN).is_ok_and(|compared| !compared.alerts().0.is_empty())
    };
    (1..nights.len()).filter(calls).count()
}
