//! Made-up histories whose changes are known, for measuring how many a method finds and how often it is wrong.

pub(crate) mod e_divisive;
pub(crate) mod score;
pub(crate) mod series;

use std::collections::BTreeMap;

use lockbench_reports::derive::digest::Metric;
use lockbench_reports::judge::history::{History, Night, Point, Series, change_points};
use lockbench_reports::statistics::{Course, MARGIN, Random};

use series::Made;

/// Places that the tracker gives for each series, all of which are in one history.
pub(crate) fn ours(fleet: &[Made]) -> Vec<Vec<usize>> {
    let mut calls = vec![Vec::new(); fleet.len()];
    for change in change_points(&history(fleet), &[], MARGIN) {
        calls[change.series].push(change.night);
    }
    calls.iter_mut().for_each(|places| places.sort_unstable());
    calls
}

/// Places that the tracker gives for each series if it is the only one of its history.
pub(crate) fn ours_alone(fleet: &[Made]) -> Vec<Vec<usize>> {
    fleet.iter().flat_map(|made| ours(std::slice::from_ref(made))).collect()
}

/// Places that E-divisive gives for each series, with the tracker's margin: a difference too small to matter is no call.
pub(crate) fn e_divisive(fleet: &[Made], level: f64, random: &mut Random) -> Vec<Vec<usize>> {
    let of = |made: &Made| {
        let all = e_divisive::places(&made.values, level, random);
        let Some(course) = Course::new(&made.values, 0.0) else { return Vec::new() };
        let large = |index: &usize| course.step(&all, *index).median.abs() >= MARGIN.ln_1p();
        (0..all.len()).filter(large).map(|index| all[index]).collect()
    };
    fleet.iter().map(of).collect()
}

/// A history of these series.
pub(crate) fn history(fleet: &[Made]) -> History {
    let nights = fleet.iter().map(|made| made.values.len()).max().unwrap_or(0);
    let night = |number: usize| Night {
        run_id: format!("night-{number}"),
        started_at: format!("night {number}"),
        environment: BTreeMap::new(),
        report: None,
    };
    let one = |(number, made): (usize, &Made)| Series {
        cell: format!("made-up-{number}/native/empty/2v:2p"),
        lock: format!("made-up-{number}"),
        family: "made-up".into(),
        place: "native/empty/2v:2p".into(),
        class: made.class.into(),
        env: "native".into(),
        metric: Metric::Rate,
        points: made.values.iter().enumerate().map(point).collect(),
        least: 0.0,
        night_error: 0.0,
        failures: Vec::new(),
    };
    History {
        nights: (0..nights).map(night).collect(),
        series: fleet.iter().enumerate().map(one).collect(),
        skips: Vec::new(),
    }
}

fn point((night, log): (usize, &f64)) -> Point {
    let median = 1e6 * log.exp();
    Point { night, median, low: median, high: median, revision: 1, judged: true }
}

/// How many changes are alerted to in the course of the nights, each counted once however many nights it is told.
pub(crate) fn alerts(fleet: &[Made]) -> usize {
    let nights = fleet.iter().map(|made| made.values.len()).max().unwrap_or(0);
    let mut told: Vec<(usize, usize)> = Vec::new();
    for tonight in 1..=nights {
        let so_far: Vec<Made> = fleet.iter().map(|made| made.until(tonight)).collect();
        for (series, places) in ours(&so_far).into_iter().enumerate() {
            for place in places {
                if !told.iter().any(|&(known, at)| known == series && at.abs_diff(place) <= 5) {
                    told.push((series, place));
                }
            }
        }
    }
    told.len()
}
