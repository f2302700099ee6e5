//! Plans of scenarios.

use std::time::Duration;

use super::{TIMING, dropped, fitted, ids};
use crate::Registry;
use crate::plan::{Fitted, PlannedCell, Profile, scenarios};
use crate::topology::tests::synthetic;

/// The limit for all built-in scenarios together.
const TEN_MINUTES: Duration = Duration::from_secs(600);

fn all() -> Profile {
    scenarios::all_of(&["all".into()], &Registry::new(&[])).unwrap().1
}

fn named(name: &str) -> Profile {
    Profile::scenario(name, &Registry::new(&[])).unwrap()
}

fn plan(profile: &Profile, machine: &str) -> Fitted {
    fitted(profile, &synthetic(machine), None)
}

/// What does not fit into the time.
fn cut(plan: &Fitted) -> Vec<&str> {
    dropped(plan).into_iter().filter(|(_, why)| why.contains("does not fit")).map(|(cell, _)| cell).collect()
}

#[test]
fn all_built_in_scenarios_take_ten_minutes_at_most_and_nothing_is_left_out() {
    for machine in ["core:2 pu:1", "pack:2 numa:1 core:4 pu:2"] {
        let plan = plan(&all(), machine);
        assert!(plan.estimate <= TEN_MINUTES, "{machine}: {:?}", plan.estimate);
        assert_eq!(cut(&plan), [""; 0], "{machine}");
    }
}

#[test]
fn each_built_in_scenario_fits_its_own_time_with_enough_rounds_to_compare() {
    for (name, _) in scenarios::BUILT_IN {
        let profile = named(name);
        let plan = plan(&profile, "core:2 pu:1");
        assert_eq!(cut(&plan), [""; 0], "{name}");
        assert!(plan.estimate <= profile.time.unwrap(), "{name}: {:?}", plan.estimate);
        assert!(profile.rounds as usize > lockbench_reports::statistics::MIN_ROUNDS, "{name}");
    }
}

#[test]
fn kvm_runs_every_scenario_that_emulated_does_or_the_plan_says_why_not() {
    let plan = plan(&all(), "pack:2 numa:1 core:4 pu:2");
    let has = |id: &str| ids(&plan).contains(&id) || dropped(&plan).iter().any(|(cell, _)| *cell == id);
    let emulated: Vec<&str> = ids(&plan).into_iter().filter(|id| id.contains("/emulated/")).collect();
    assert!(!emulated.is_empty());
    for id in emulated {
        assert!(has(&id.replace("/emulated/", "/kvm/")), "{id}");
    }
}

#[test]
fn a_window_under_a_quota_is_at_least_twenty_whole_periods() {
    let plan = plan(&named("half-a-cpu"), "core:2 pu:1");
    let limited = |cell: &&PlannedCell| cell.axes.values.scheduler.quota().is_some();
    assert!(plan.cells.iter().any(|cell| limited(&cell)));
    for cell in plan.cells.iter().filter(limited) {
        let window_ns = cell.window_ns(&TIMING);
        assert!(window_ns >= 2_000_000_000 && window_ns % 100_000_000 == 0, "{window_ns}");
    }
}

#[test]
fn a_case_with_two_values_of_an_axis_is_refused_for_its_column_has_room_for_one() {
    let text = "about = ''\nrounds = 6\nwindow = '100ms'\n[[cells]]\ncase = 'both'\nslices = ['1ms', '10ms']\n\
                schedulers = ['round-robin']\nvms = [{ name = 'a', vcpus = 2 }]";
    let said = Profile::parse("own", text, &Registry::new(&[])).unwrap_err().to_string();
    assert!(said.starts_with("line 5: ") && said.contains("one value of `slices`"), "{said}");
}
