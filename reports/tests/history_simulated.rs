//! What `history show` and `compare` together say of nights drawn from twenty made-up runs of one build, and of changes put into
//! them. Every seed is fixed.

use std::ops::Range;

use lockbench_reports::derive::digest::Digest;
use lockbench_reports::judge::compare::compare;
use lockbench_reports::judge::history::{Collector, Judgement};
use lockbench_reports::statistics::{FEWEST_NIGHTS, MARGIN, Random};
use world::World;

use crate::world;

const NIGHTS: usize = 30;

/// Thirty nights drawn from the runs of twenty, as if they had been taken one after the other.
fn drawn(seed: u64) -> Vec<Digest> {
    let mut random = Random::new(seed);
    let mut world = World::new(900 + seed);
    // Runs differ by what their windows make medians differ by, which most cells of a real machine do.
    world.cells.iter_mut().for_each(|(_, _, between, _)| *between = 0.001);
    let runs = world.runs(20);
    let one = |number: usize| {
        let mut night = runs[random.below(runs.len())].clone();
        night.run_id = format!("night-{number}");
        night.started_at = format!("2026-{:02}-{:02}T03:15:00Z", number / 28 + 1, number % 28 + 1);
        night
    };
    (0..NIGHTS).map(one).collect()
}

fn judged(nights: &[Digest]) -> Judgement {
    let mut collector = Collector::default();
    nights.iter().cloned().for_each(|night| collector.add(night));
    Judgement::of(&collector.finish(), &[], MARGIN)
}

/// The changes that a history tells of in the course of its nights, each once.
fn told(nights: &[Digest]) -> Vec<(String, usize)> {
    let mut told: Vec<(String, usize)> = Vec::new();
    for tonight in 2 * FEWEST_NIGHTS..=nights.len() {
        for change in judged(&nights[..tonight]).changes {
            let known = |(cell, at): &(String, usize)| *cell == change.cell && at.abs_diff(change.night) <= 5;
            if !told.iter().any(known) {
                told.push((change.cell, change.night));
            }
        }
    }
    told
}

/// The nights that a comparison with all earlier ones calls better or worse.
fn called(nights: &[Digest]) -> usize {
    let calls = |at: &usize| !compare(&nights[..*at], &nights[*at], MARGIN).unwrap().alerts().0.is_empty();
    (1..nights.len()).filter(calls).count()
}

/// A draw repeats nights exactly, and few nights say too little of what nights differ by: the third history told of three changes
/// before the windows of the nights had a say.
#[test]
fn thirty_nights_drawn_from_twenty_quiet_runs_give_at_most_one_alert() {
    for seed in 0..5 {
        let nights = drawn(seed);
        let (told, called) = (told(&nights), called(&nights));
        assert!(told.len() + called <= 1, "seed {seed}: {told:?}, {called} nights called");
    }
}

/// The nights with the rates of a lock's cells multiplied in some of them.
fn changed(nights: &[Digest], lock: &str, which: Range<usize>, by: f64) -> Vec<Digest> {
    let mut nights = nights.to_vec();
    for cell in nights[which].iter_mut().flat_map(|night| &mut night.cells).filter(|cell| cell.lock == lock) {
        for reading in cell.measures.iter_mut().flat_map(|measure| &mut measure.windows) {
            reading.value *= by;
            reading.count = (reading.count as f64 * by) as u64;
        }
    }
    nights
}

/// The nights of the changes that are found of the twelve cells of `lock3`, and the number of those of other families.
fn found(judged: &Judgement) -> (Vec<usize>, usize) {
    let own = judged.changes.iter().filter(|change| change.lock == "lock3");
    let others = judged.changes.iter().filter(|change| !["lock2", "lock3"].contains(&change.lock.as_str()));
    (own.map(|change| change.night).collect(), others.count())
}

#[test]
fn a_lock_that_changes_is_found_and_named() {
    for (seed, by) in [(0, 0.5), (1, 0.8), (2, 1.25)] {
        let judged = judged(&changed(&drawn(seed), "lock3", 15..NIGHTS, by));
        let (own, others) = found(&judged);
        assert!(own.len() >= 10 && own.iter().all(|at| at.abs_diff(15) <= 2), "x {by}: {own:?}");
        assert_eq!(others, 0, "x {by}");
        let headline = judged.headline();
        let word = if by < 1.0 { "Worse: lock3, " } else { "Better: lock3, " };
        assert!(headline.contains(word), "x {by}: {headline}");
    }
}

#[test]
fn a_lock_that_changes_and_returns_is_found_twice_and_stands_as_before() {
    for (seed, by) in [(3, 0.5), (4, 0.8), (5, 1.25)] {
        let judged = judged(&changed(&drawn(seed), "lock3", 10..20, by));
        let (own, others) = found(&judged);
        for at in [10, 20] {
            let near = own.iter().filter(|night| night.abs_diff(at) <= 2).count();
            assert!(near >= 10, "x {by}, night {at}: {own:?}");
        }
        assert_eq!(others, 0, "x {by}");
        // A loss that was mended is none; an improvement that was lost again is one.
        assert_eq!(judged.alerts().negative(), by > 1.0, "x {by}: {}", judged.headline());
    }
}
