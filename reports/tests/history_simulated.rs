//! What `history show` and `compare` together say of nights drawn from twenty made-up runs of one build, and of changes put into
//! them. Every seed is fixed.

use draws::{NIGHTS, called, changed, judged, told};
use lockbench_reports::derive::digest::{Digest, Metric};
use lockbench_reports::judge::history::Judgement;
use world::World;

use crate::{draws, world};

/// Thirty nights drawn from twenty runs of a world of its own.
fn drawn(seed: u64) -> Vec<Digest> {
    let mut world = World::new(900 + seed);
    // Runs differ by what their windows make medians differ by, which most cells of a real machine do.
    world.cells.iter_mut().for_each(|(_, _, between, _)| *between = 0.001);
    draws::drawn(&world.runs(20), seed)
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

/// The nights with all rates multiplied from night 15 on, and each lock a family of its own: two others could not tell the machine's.
fn slower(nights: &[Digest], by: f64) -> Vec<Digest> {
    let mut nights = nights.to_vec();
    nights.iter_mut().flat_map(|night| &mut night.cells).for_each(|cell| cell.family = cell.lock.clone());
    let cells = nights[15..].iter_mut().flat_map(|night| &mut night.cells);
    let measures = cells.flat_map(|cell| &mut cell.measures).filter(|measure| measure.metric == Metric::Rate);
    measures.flat_map(|measure| &mut measure.windows).for_each(|window| window.value *= by);
    nights
}

/// Within the margin noise would carry some cells over it.
#[test]
fn a_machine_that_is_slower_as_a_whole_names_no_lock_within_the_margin_and_all_beyond_it() {
    for seed in 6..9 {
        let nights = drawn(seed);
        assert_eq!(judged(&slower(&nights, 0.965)).changes, [], "seed {seed}");
        let told = judged(&slower(&nights, 0.85)).changes;
        let cells = nights[0].cells.len();
        assert!(told.len() * 10 >= cells * 9, "seed {seed}: {} of {cells} cells", told.len());
        let also = judged(&changed(&slower(&nights, 0.97), "lock3", 15..NIGHTS, 0.85));
        let (own, others) = found(&also);
        assert!(own.len() >= 10 && others == 0, "seed {seed}: {own:?}, {others} of others");
    }
}

#[test]
fn a_lock_that_did_not_follow_the_machine_has_not_changed() {
    for (seed, by) in [(9, 1.045), (10, 0.957), (11, 1.045)] {
        let nights = slower(&drawn(seed), by);
        let judged = judged(&changed(&nights, "lock3", 15..NIGHTS, 1.0 / by));
        assert_eq!(judged.changes, [], "seed {seed}, x {by}");
    }
}
