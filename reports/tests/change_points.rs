//! How many known changes the tracker finds in made-up histories, and how many of its calls are false.
//!
//! This is a small part of the simulation that `cargo run --release -p lockbench-reports --example recall` runs in full, for the
//! tables of docs/nightly.md.

use lockbench_reports::statistics::{Course, MARGIN, Random};
use simulation::score::Score;
use simulation::series::{Made, Noise, Shape, made, of_every_kind, one_in_300, unchanged_suite};
use simulation::{alerts, e_divisive, ours, ours_alone};

use crate::simulation;

fn every(_: Noise, _: Shape) -> bool {
    true
}

#[test]
fn recall_and_false_alarms() {
    let fleet = of_every_kind(21, 8, 10..=200);
    let score = Score::of(&fleet, &ours_alone(&fleet), every);
    assert!(score.recall() >= 90.0, "{} %", score.recall());
    assert!(score.false_alarms <= fleet.len() / 50, "{} in {}", score.false_alarms, fleet.len());
}

#[test]
fn as_good_as_e_divisive_at_no_more_false_alarms() {
    let fleet = of_every_kind(22, 8, 10..=80);
    let ours = Score::of(&fleet, &ours_alone(&fleet), every);
    let theirs = Score::of(&fleet, &e_divisive(&fleet, 0.01, &mut Random::new(1)), every);
    assert!(ours.found >= theirs.found, "{} of {}, {}", ours.found, ours.changes, theirs.found);
    assert!(ours.false_alarms <= theirs.false_alarms, "{} {}", ours.false_alarms, theirs.false_alarms);
}

/// Forty series of one noise group, the first of which changes as `shift` says.
fn forty(seed: u64, nights: usize, shift: impl Fn(usize) -> f64) -> Vec<Made> {
    let mut random = Random::new(seed);
    let mut one = |_| made(&mut random, (Noise::Normal, 0.025), (Shape::Unchanged, 0.0), nights);
    let mut fleet: Vec<Made> = (0..40).filter_map(&mut one).collect();
    fleet[0].values.iter_mut().enumerate().for_each(|(night, value)| *value += shift(night));
    fleet
}

#[test]
fn one_of_forty_series_half_as_fast_from_night_20_on_is_found_at_any_time() {
    for nights in [30, 39, 45, 52, 60, 90] {
        let calls = ours(&forty(3, nights, |night| if night < 20 { 0.0 } else { 0.5_f64.ln() }));
        assert_eq!(calls[0], [20], "{nights} nights");
        assert!(calls[1..].iter().all(Vec::is_empty), "{nights} nights");
    }
}

#[test]
fn up_and_down_by_20_percent_every_30_nights_is_found() {
    let calls = ours(&forty(4, 150, |night| if night / 30 % 2 == 0 { 0.0 } else { 0.2_f64.ln_1p() }));
    assert_eq!(calls[0], [30, 60, 90, 120]);
}

#[test]
fn one_changed_series_among_300_is_found_in_a_short_history() {
    for (nights, size) in [(30, 0.1), (20, 0.2)] {
        let mut score = Score::default();
        for seed in 0..6 {
            let fleet = one_in_300(&mut Random::new(seed), Noise::Tails, nights, size);
            score += Score::of(&fleet, &ours(&fleet), every);
        }
        assert!(score.found >= 5, "{nights} nights, step of {size}: {} of 6", score.found);
        assert!(score.false_alarms <= 1, "{nights} nights: {} false alarms", score.false_alarms);
    }
}

#[test]
fn thirty_nights_of_ninety_unchanged_series_give_at_most_one_false_alert() {
    for seed in 0..3 {
        let alerts = alerts(&unchanged_suite(&mut Random::new(seed), 30));
        assert!(alerts <= 1, "seed {seed}: {alerts}");
    }
}

/// In how many of forty series of so many nights, to which `shift` is added, exactly these changes are found.
fn found_in_40(nights: usize, shift: impl Fn(usize) -> f64, at: &[usize]) -> usize {
    let found = |seed: &u64| {
        let mut random = Random::new(*seed);
        let values: Vec<f64> = (0..nights).map(|night| 0.02 * random.normal() + shift(night)).collect();
        Course::new(&values, 0.0).unwrap().changes(0.05, MARGIN) == at
    };
    (0..40).filter(found).count()
}

#[test]
fn a_step_near_the_end_of_a_drift_is_not_lost_to_the_drifts_middle() {
    let shift = |night: usize| 0.06 * night as f64 / 172.0 - if night < 167 { 0.0 } else { 0.13 };
    let found = found_in_40(172, shift, &[167]);
    assert!(found >= 36, "{found} of 40");
}

#[test]
fn two_steps_that_leave_five_nights_each_are_not_one_noisy_step() {
    let shift = |night: usize| [0.0, -0.16, -0.35][night / 5];
    let found = found_in_40(15, shift, &[5, 10]);
    assert!(found >= 34, "{found} of 40");
}
