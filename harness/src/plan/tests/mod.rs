//! Plans over described machines: nothing here is measured.

mod docs;
mod numa;
mod own;
mod refusals;
mod scenarios;
mod seam;
mod spellings;

use std::time::Duration;

use lockbench_reports::record::{Pair, Purpose};

use super::{Fitted, Profile, Resources, Timing, draws, expand, fit, round};
use crate::Registry;
use crate::axes::Env;
use crate::cell::WindowSpec;
use crate::measure::ping_pong;
use crate::topology::Machine;
use crate::topology::tests::synthetic;

const TIMING: Timing = Timing { window_ns: 100_000_000, slice_ns: 4e6, work_ns: 1.0, ticks_per_ns: 1.0 };

fn planned(profile: &str, machine: &str, time: Option<Duration>) -> Fitted {
    fitted(&built_in(profile), &synthetic(machine), time)
}

/// The plan of a profile with one group of cells, whose keys are given.
fn of_group(keys: &str, machine: &str) -> Fitted {
    let text = format!("about = ''\nrounds = 6\nwindow = '100ms'\n[[cells]]\n{keys}");
    fitted(&parsed(&text), &synthetic(machine), None)
}

fn built_in(profile: &str) -> Profile {
    Profile::built_in(profile, &Registry::new(&[])).unwrap()
}

fn parsed(text: &str) -> Profile {
    Profile::parse("own", text, &Registry::new(&[])).unwrap()
}

fn fitted(profile: &Profile, machine: &Machine, time: Option<Duration>) -> Fitted {
    let registry = Registry::new(&[]);
    let on = Resources { registry: &registry, machine, foreign: true };
    let (cells, refused) = expand(profile, &on);
    let timing = Timing { window_ns: profile.window.as_nanos() as u64, ..TIMING };
    let mut fitted = fit(cells, &timing, profile.rounds, time.or(profile.time), profile.noise_floor);
    fitted.dropped.extend(refused);
    fitted
}

/// What is not measured, and why.
fn dropped(plan: &Fitted) -> Vec<(&str, &str)> {
    plan.dropped.iter().map(|dropped| (dropped.cell.as_str(), dropped.reason.as_str())).collect()
}

fn ids(fitted: &Fitted) -> Vec<&str> {
    fitted.cells.iter().map(|cell| cell.axes.id.as_str()).collect()
}

#[test]
fn every_profile_fits_its_time_on_machines_of_any_size() {
    for machine in ["core:1 pu:1", "core:2 pu:1", "pack:2 numa:1 core:8 pu:2", "pack:4 numa:2 core:12 pu:2"] {
        for name in ["smoke", "quick", "standard", "nightly", "published", "peers", "catalogue"] {
            let fitted = planned(name, machine, None);
            let time = built_in(name).time.unwrap();
            assert!(fitted.estimate <= time, "{name} on {machine}: {:?}", fitted.estimate);
            assert!(!fitted.cells.is_empty(), "{name} on {machine} measures nothing");
        }
    }
}

/// A lock that is added later is in it by itself, and on two pCPUs nothing of it is dropped for want of time.
#[test]
fn the_catalogue_has_every_lock_and_fits_whole_on_two_pcpus() {
    let fitted = planned("catalogue", "core:2 pu:1", None);
    let ids = ids(&fitted);
    for lock in Registry::new(&[]).locks() {
        for cell in
            ["emulated/short/2v:2p", "emulated/short/4v:2p", "emulated/short/8v:2p", "native/empty/1v:1p"]
        {
            let cell = format!("{}/{cell}/compact/pinned", lock.name());
            assert!(ids.contains(&cell.as_str()), "{cell}: {:?}", dropped(&fitted));
        }
    }
    assert!(dropped(&fitted).iter().all(|(_, reason)| !reason.contains("time")), "{:?}", dropped(&fitted));
}

#[test]
fn what_does_not_fit_is_dropped_from_the_end_and_listed() {
    let whole = planned("quick", "core:2 pu:1", Some(Duration::from_secs(600)));
    let cut = planned("quick", "core:2 pu:1", Some(Duration::from_secs(30)));
    assert!(cut.cells.len() < whole.cells.len());
    assert_eq!(ids(&cut), ids(&whole)[..cut.cells.len()], "a priority list is cut at one place");
    let dropped: Vec<&str> = cut.dropped.iter().map(|dropped| dropped.cell.as_str()).collect();
    for id in &ids(&whole)[cut.cells.len()..] {
        assert!(dropped.contains(id), "{id} vanished");
    }
}

#[test]
fn native_never_overcommits_and_sizes_count_once() {
    let fitted = planned("nightly", "core:2 pu:1", Some(Duration::from_secs(36_000)));
    let mut seen = std::collections::HashSet::new();
    for cell in &fitted.cells {
        assert!(cell.axes.values.env.name() != "native" || cell.axes.overcommit <= 1.0, "{}", cell.axes.id);
        assert!(seen.insert(cell.axes.id.as_str()), "{} is there twice", cell.axes.id);
    }
}

#[test]
fn a_round_takes_every_window_once_and_depends_on_the_seed_alone() {
    let fitted = planned("quick", "core:2 pu:1", None);
    let order = |seed, number| round(&fitted.cells, &fitted.twins, seed, number);
    assert_eq!(order(7, 0), order(7, 0));
    assert_ne!(order(7, 0), order(8, 0), "the seed shuffles blocks");
    assert_ne!(order(7, 0), order(7, 2), "so does the round");
    let steps = order(7, 1);
    let rates = steps.iter().filter(|step| step.purpose == Purpose::Rate).count();
    assert_eq!(rates, fitted.cells.len());
    assert_eq!(steps.len(), rates + fitted.twins.len());
}

#[test]
fn an_a_a_pair_spans_the_larger_part_of_its_block_in_every_environment_and_of_a_lock_that_halts() {
    let fitted = planned("quick", "core:2 pu:1", None);
    for number in 0..2 {
        let steps = round(&fitted.cells, &fitted.twins, 7, number);
        for (at, step) in steps.iter().enumerate().filter(|(_, step)| step.purpose == Purpose::Twin) {
            let first = steps.iter().position(|one| (one.cell, one.purpose) == (step.cell, Purpose::Rate));
            let block = fitted.cells[step.cell].block();
            let windows = steps.iter().filter(|one| fitted.cells[one.cell].block() == block).count();
            let pairs = fitted.twins.iter().filter(|&&twin| fitted.cells[twin].block() == block).count();
            let apart = first.unwrap().abs_diff(at);
            assert!(2 * (apart + pairs) >= windows - pairs, "{apart} of {windows}");
        }
    }
    let twins = || fitted.twins.iter().map(|&twin| &fitted.cells[twin]);
    for env in Env::all() {
        assert!(twins().any(|twin| twin.axes.values.env == env), "{}", env.name());
    }
    assert!(twins().any(|twin| twin.axes.overcommit > 1.0 && twin.lock.halts_in(twin.axes.values.env)));
    let groups: std::collections::HashSet<(bool, bool)> =
        twins().map(|twin| (twin.axes.vcpus == 1, twin.axes.overcommit > 1.0)).collect();
    assert_eq!(groups.len(), 3, "one vCPU, contended, overcommitted");
}

#[test]
fn draws_differ_from_round_to_round_and_from_seed_to_seed() {
    let drawn: std::collections::HashSet<u64> =
        (0..50).flat_map(|seed| (0..50).map(move |number| draws(seed, number))).collect();
    assert_eq!(drawn.len(), 2_500);
    assert_eq!(draws(7, 3), draws(7, 3));
}

#[test]
fn cells_of_a_block_are_back_to_back() {
    let fitted = planned("standard", "core:2 pu:1", None);
    let blocks: Vec<String> =
        round(&fitted.cells, &[], 3, 0).iter().map(|step| fitted.cells[step.cell].block()).collect();
    let mut runs = blocks.clone();
    runs.dedup();
    let mut distinct = runs.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(runs.len(), distinct.len(), "a block was torn apart: {runs:?}");
}

#[test]
fn warm_up_and_window_grow_with_overcommit() {
    let fitted = planned("nightly", "core:2 pu:1", Some(Duration::from_secs(36_000)));
    let at =
        |k: f64| fitted.cells.iter().find(|cell| cell.axes.overcommit == k && cell.axes.vcpus > 1).unwrap();
    assert_eq!(at(1.0).warmup_ns(&TIMING), 30_000_000);
    assert_eq!(at(4.0).warmup_ns(&TIMING), 48_000_000, "three of everybody's slices");
    assert_eq!(at(8.0).window_ns(&TIMING), 100_000_000, "two of everybody's slices are shorter");
}

fn spec_on(machine: &str, vcpus: u32) -> WindowSpec {
    let fitted = planned("nightly", machine, Some(Duration::from_secs(360_000)));
    let cell = fitted.cells.iter().find(|cell| cell.axes.vcpus == vcpus && cell.axes.overcommit == 1.0);
    cell.unwrap().window(&TIMING, 0, Purpose::Rate, 0, false)
}

#[test]
fn a_spec_names_its_ping_pongs_on_more_than_one_node_alone() {
    let one_node = spec_on("core:8 pu:1", 8);
    // Older builds take it too: they know no such field.
    assert!(!serde_json::to_string(&one_node).unwrap().contains("ping_pongs"));
    assert_eq!(one_node.pairs(), [Pair { pcpus: [0, 1], nodes: [0, 0] }]);
    let four_nodes = spec_on("numa:4 core:2 pu:1", 8);
    let again: WindowSpec = serde_json::from_str(&serde_json::to_string(&four_nodes).unwrap()).unwrap();
    assert_eq!(again.pairs(), four_nodes.pairs());
    assert_eq!(four_nodes.pairs().len(), 5);
    assert!(spec_on("numa:4 core:2 pu:1", 1).pairs().is_empty());
}

#[test]
fn a_spec_whose_ping_pongs_are_not_its_own_is_refused() {
    let mut spec = spec_on("numa:4 core:2 pu:1", 8);
    spec.check().unwrap();
    for pcpus in [[3, 3], [0, 8], [9, 0]] {
        spec.ping_pongs[1].pcpus = pcpus;
        let said = spec.check().unwrap_err().to_string();
        assert!(said.contains("are no two of its pCPUs"), "{said}");
    }
}

#[test]
fn the_estimate_follows_the_ping_pongs() {
    let fitted = planned("quick", "numa:4 core:2 pu:1", Some(Duration::from_secs(3600)));
    let windows: usize =
        fitted.cells.iter().map(|cell| ping_pong::waves(&cell.pairs).len() * cell.purposes.len()).sum();
    assert!(windows > fitted.cells.len(), "cells on several nodes take more than one wave");
    let mut blind = fitted.cells.clone();
    blind.iter_mut().for_each(|cell| cell.pairs.clear());
    let estimate = |cells| fit(cells, &TIMING, 1, None, false).estimate;
    let ping_pongs = estimate(fitted.cells) - estimate(blind);
    let each = ping_pongs.as_secs_f64() * 1e3 / windows as f64;
    assert!((6.0..25.0).contains(&each), "{each} ms; two ping-pongs are at least 3 ms each and at most 12");
}
