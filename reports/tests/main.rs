//! The tests of this crate as one program: a program for each file would be linked thirty times.

#[path = "simulation/draws.rs"]
mod draws;
mod fixture;
#[path = "fixture/hog.rs"]
mod hog;
#[path = "fixture/many.rs"]
mod many;
#[path = "fixture/nights.rs"]
mod nights;
#[path = "fixture/nodes.rs"]
mod nodes;
#[path = "fixture/peers.rs"]
mod peers;
mod simulation;
#[path = "fixture/standard.rs"]
mod standard;
#[path = "fixture/world.rs"]
mod world;

mod advice;
mod alerts;
mod beside_peers;
mod briefs;
mod causes;
mod change_points;
mod columns;
mod compare;
mod compare_simulated;
mod derive;
mod distances;
mod duel_simulated;
mod ending;
mod first_screen;
mod history_simulated;
mod hostile;
mod laws;
mod numa;
mod numa_page;
mod older;
mod page;
mod plots;
mod revisions;
mod scenario_findings;
mod scenarios;
mod schedules;
mod sentences;
mod shares;
mod trend;
mod verdicts;

/// A file that no `mod` line names would be passed over without a word.
#[test]
fn every_file_of_tests_is_part_of_this_program() {
    let program = include_str!("main.rs");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") {
            assert!(program.contains(&format!("\nmod {module};")), "main.rs has no `mod {module};`");
        }
    }
}
