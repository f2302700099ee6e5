//! Plans of scenarios.

use std::time::Duration;

use super::{TIMING, dropped, fitted, ids};

use lockbench_reports::record::Purpose;

use crate::Registry;
use crate::axes::Pinning;
use crate::cell::WindowSpec;
use crate::plan::{Fitted, PlannedCell, Profile, Timing, scenarios};
use crate::topology::tests::{synthetic, zoo};

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
fn scenarios_that_are_measured_together_keep_their_own_windows() {
    let together = plan(&all(), "core:2 pu:1");
    for (name, _) in scenarios::BUILT_IN {
        let apart = plan(&named(name), "core:2 pu:1");
        let own = Timing { window_ns: named(name).window.as_nanos() as u64, ..TIMING };
        let all_of_them = Timing { window_ns: all().window.as_nanos() as u64, ..TIMING };
        for cell in &apart.cells {
            let same = together.cells.iter().find(|other| other.axes.id == cell.axes.id);
            let same = same.unwrap_or_else(|| panic!("{}", cell.axes.id));
            assert_eq!(same.window_ns(&all_of_them), cell.window_ns(&own), "{}", cell.axes.id);
        }
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
fn a_quota_beside_other_machines_is_told_to_hold_for_the_measured_one_alone() {
    let notes = |vms: &str| {
        let text = format!(
            "about = ''\nrounds = 6\nwindow = '100ms'\ntime = '60s'\n[[cells]]\ncase = 'a'\nlocks = ['tas']\nenvs = ['emulated']\n\
             on = [2]\nschedulers = ['quota:0.5']\nvms = [{vms}]\n"
        );
        let plan = plan(&Profile::parse("own", &text, &Registry::new(&[])).unwrap(), "core:2 pu:1");
        plan.cells[0].window(&TIMING, 0, Purpose::Rate, 1, false).notes.concat()
    };
    let one = "{ name = 'guest', vcpus = 2 }";
    assert_eq!(notes(one), "");
    let said = notes(&format!("{one}, {{ name = 'other', vcpus = 2 }}"));
    assert_eq!(said, "the quota holds for guest alone; the other machines run without one");
}

#[test]
fn what_belongs_to_a_case_is_refused_without_one_by_its_keys_line() {
    for (key, value) in [
        ("pools", "[{ name = 'a', pcpus = [0] }]"),
        ("moves", "[{ at = '1ms', vm = 'a', pool = 'b' }]"),
        ("answer", "'shares'"),
        ("answer", "'rates'"),
    ] {
        let text = format!(
            "about = ''\nrounds = 6\nwindow = '100ms'\n[[cells]]\nlocks = ['ticket']\n{key} = {value}\n"
        );
        let error = Profile::parse("a", &text, &Registry::new(&[])).unwrap_err().to_string();
        assert!(error.contains("line 6"), "{error}");
        assert!(error.contains(&format!("`{key}` belongs to a case: give `case` and `vms`")), "{error}");
    }
}

#[test]
fn a_case_with_two_values_of_an_axis_is_refused_for_its_column_has_room_for_one() {
    let text = "about = ''\nrounds = 6\nwindow = '100ms'\n[[cells]]\ncase = 'both'\nslices = ['1ms', '10ms']\n\
                schedulers = ['round-robin']\nvms = [{ name = 'a', vcpus = 2 }]";
    let said = Profile::parse("own", text, &Registry::new(&[])).unwrap_err().to_string();
    assert!(said.starts_with("line 5: ") && said.contains("one value of `slices`"), "{said}");
}

/// Two nodes of two CPUs.
const TWO_NODES: &str = "pack:2 [numa] core:2 pu:1";

/// The cell of a lock of the scenario `numa` in one of its cases.
fn of_case<'p>(plan: &'p Fitted, case: &str) -> &'p PlannedCell {
    let is = |cell: &&PlannedCell| {
        cell.axes.id.starts_with("ticket/emulated/") && cell.axes.case.as_ref().unwrap().name == case
    };
    plan.cells.iter().find(is).unwrap_or_else(|| panic!("{case}: {:?}", dropped(plan)))
}

#[test]
fn the_numa_scenario_puts_vcpus_lock_and_data_where_its_cases_say() {
    let plan = plan(&named("numa"), TWO_NODES);
    // pCPUs, node of the lock, nodes of data apart from it, nodes of the vCPUs' blocks where these are elsewhere.
    let place = |case: &str| {
        let cell = of_case(&plan, case);
        let lines = cell.data_nodes.clone();
        (cell.axes.pcpus.clone(), cell.memory_nodes.clone(), lines, cell.blocks.nodes.clone())
    };
    assert_eq!(place("one-node"), (vec![0, 1], vec![0], vec![], vec![]));
    assert_eq!(place("other-node"), (vec![0, 1], vec![1], vec![], vec![0, 0]));
    assert_eq!(place("remote-lock"), (vec![0, 1], vec![1], vec![0], vec![0, 0]));
    assert_eq!(place("remote-data"), (vec![0, 1], vec![0], vec![1], vec![]));
    assert_eq!(place("split"), (vec![0, 2], vec![0, 1], vec![], vec![0, 1]));
    assert_eq!(place("moved"), (vec![2, 3], vec![0], vec![], vec![]), "all its memory stays on node 0");
    let moved = of_case(&plan, "moved");
    assert_eq!(moved.moved_from, [0, 1]);
    let window = moved.window(&TIMING, 0, lockbench_reports::record::Purpose::Rate, 0, false);
    window.check().unwrap();
    assert_eq!((window.started_on(), &window.vcpu_nodes[..]), (&[0, 1][..], &[1, 1][..]));
    assert!(window.notes.iter().any(|note| note.contains("from CPU 0-1 to CPU 2-3")), "{:?}", window.notes);
}

#[test]
fn a_machine_is_placed_on_the_node_with_room() {
    let plan = plan(&named("numa"), TWO_NODES);
    let of = |case: &str| {
        let cell = of_case(&plan, case);
        (cell.axes.pcpus.clone(), cell.neighbours[0].axes.pcpus.clone(), cell.axes.overcommit)
    };
    assert_eq!(of("crowded"), (vec![0, 1], vec![0, 1], 2.0));
    assert_eq!(of("automatic"), (vec![2, 3], vec![0, 1], 1.0));
    // With the neighbour on the second node, the first has room.
    let profile = super::parsed(
        "about = ''\nrounds = 6\nwindow = '100ms'\n[[cells]]\ncase = 'both'\nlocks = ['ticket']\nenvs = ['emulated']\non = [2]\n\
         vms = [{ name = 'a', vcpus = 2, placement = 'automatic' }, { name = 'b', vcpus = 1, placement = 'node:1' }]",
    );
    let plan = fitted(&profile, &synthetic(TWO_NODES), None);
    assert_eq!(plan.cells[0].axes.pcpus, [0, 1]);
    assert!(plan.cells[0].axes.id.contains("/node:0/"), "{}", plan.cells[0].axes.id);
}

#[test]
fn on_one_node_nothing_of_the_numa_scenario_is_planned_and_one_line_says_so() {
    let plan = plan(&named("numa"), "core:2 pu:1");
    assert_eq!(ids(&plan), [""; 0]);
    assert_eq!(dropped(&plan), [("NUMA nodes", "NUMA cannot be told here: one node (node 0 with CPUs 0-1)")]);
}

#[test]
fn the_numa_scenario_is_planned_on_any_machine_or_says_why_not() {
    for machine in zoo() {
        let plan = fitted(&named("numa"), &machine, None);
        for cell in &plan.cells {
            cell.window(&TIMING, 0, lockbench_reports::record::Purpose::Rate, 0, false)
                .check()
                .unwrap_or_else(|e| panic!("{} on {}: {e}", cell.axes.id, machine.source));
        }
        assert!(!plan.cells.is_empty() || !plan.dropped.is_empty(), "{}", machine.source);
    }
}

#[test]
fn data_apart_from_the_lock_needs_sections_that_write_data() {
    let plan = super::of_group(
        "locks = ['ticket']\nenvs = ['emulated']\nworkloads = ['empty']\nvcpus = [2]\nmemory = ['remote-data']",
        TWO_NODES,
    );
    assert!(plan.cells.is_empty());
    assert!(dropped(&plan)[0].1.contains("give a workload such as lines:8"), "{:?}", dropped(&plan));
}

/// What `run --spec` and `duel` take is what was planned.
#[test]
fn pools_moves_and_affinities_survive_a_spec() {
    let plan = plan(&named("cpupools"), "core:2 pu:1");
    for cell in &plan.cells {
        let spec = cell.window(&TIMING, 0, Purpose::Rate, 1, false);
        let text = serde_json::to_string(&spec).unwrap();
        let again: WindowSpec = serde_json::from_str(&text).unwrap();
        again.check().unwrap();
        assert_eq!(again.axes.case, cell.axes.case);
        assert!(again.axes.values.pinning == Pinning::Floating && text.contains("a-large"));
    }
    let moved = plan.cells.last().unwrap().axes.case.clone().unwrap();
    assert_eq!((moved.pools.len(), moved.moves.len()), (2, 1));
    let mut spec = plan.cells.last().unwrap().window(&TIMING, 0, Purpose::Rate, 1, false);
    spec.axes.case.as_mut().unwrap().pools[1].pcpus = vec![0];
    assert!(spec.check().unwrap_err().to_string().contains("pCPU 0 is in pool a"));
}
