//! What the tracker makes of quiet runs of one build: `cargo run --release -p lockbench-reports --example nights -- 40 RUN RUN...`
//!
//! Nothing changed between these runs. Thirty of them are drawn at random, as if they were nights, as often as the first argument
//! says; all that is called there is called falsely. Then each lock in turn is made slower or faster in a draw, which should be
//! found: for good from night 6, 11 or 16 on, and in nights 11 to 20. The number of a draw is its seed: `240..480` takes other draws
//! than `240`. Two minutes for twenty runs of `quick`.

#[path = "../tests/simulation/draws.rs"]
mod draws;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;

use draws::{NIGHTS, called, drawn, judged, told};
use lockbench_reports::derive::digest::{Digest, Metric};
use lockbench_reports::derive::run_dir;
use lockbench_reports::judge::history::ChangePoint;

/// A call within this many nights of a change is about it.
const NEAR: usize = 3;

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("nights: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Vec<String>) -> Result<(), String> {
    let usage = "give a number of draws, or a range of them, and two runs or more: nights 40 RUN RUN..., nights 240..480 RUN RUN...";
    let (draws, paths) = arguments.split_first().ok_or(usage)?;
    let (from, until) = draws.split_once("..").unwrap_or(("0", draws));
    let number = |text: &str| text.parse::<u64>().map_err(|_| usage);
    let draws = number(from)?..number(until)?;
    if paths.len() < 2 {
        return Err(usage.into());
    }
    let digest =
        |path: &String| Ok(Digest::of(&run_dir::read(Path::new(path)).map_err(|e| format!("{path}: {e}"))?));
    let mut runs = paths.iter().map(digest).collect::<Result<Vec<Digest>, String>>()?;
    runs.sort_by(|one, other| one.started_at.cmp(&other.started_at));
    unchanged(&runs, draws.clone());
    changed(&runs, draws.start);
    Ok(())
}

fn unchanged(runs: &[Digest], draws: Range<u64>) {
    let (mut of_history, mut of_compare) = (BTreeMap::new(), BTreeMap::new());
    for seed in draws.clone() {
        let nights = drawn(runs, seed);
        let told = told(&nights);
        for change in &told {
            let ratio = change.ratio;
            println!(
                "draw {seed}: {} {} in night {}: {:.2} ({:.2} to {:.2})",
                change.cell,
                change.metric.name(),
                change.night + 1,
                ratio.median,
                ratio.low,
                ratio.high
            );
        }
        *of_history.entry(told.len()).or_insert(0) += 1;
        *of_compare.entry(called(&nights)).or_insert(0) += 1;
    }
    let times = draws.count();
    println!("\nThirty unchanged nights, {times} times: draws by the number of false calls\n");
    println!("| calls | `history show`: changes | `compare`: nights |\n|--:|--:|--:|");
    let most = of_history.keys().chain(of_compare.keys()).max().copied().unwrap_or(0);
    let count = |of: &BTreeMap<usize, u64>, calls| of.get(&calls).copied().unwrap_or(0);
    for calls in (0..=most).filter(|calls| count(&of_history, *calls) + count(&of_compare, *calls) > 0) {
        println!("| {calls} | {} | {} |", count(&of_history, calls), count(&of_compare, calls));
    }
}

/// What was found of the changes that were put in.
#[derive(Default)]
struct Found {
    locks: usize,
    locks_found: usize,
    cells: usize,
    cells_found: usize,
    wrong: usize,
}

impl Found {
    /// Adds what is called of a lock that changed in these nights; a cell counts if all of them are found.
    fn add(&mut self, nights: &[Digest], lock: &str, at: &[usize]) {
        let changes = judged(nights).changes;
        let near = |change: &ChangePoint, night: usize| change.night.abs_diff(night) <= NEAR;
        let own = |change: &ChangePoint| change.lock == lock && change.metric == Metric::Rate;
        let found = |cell: &str| {
            at.iter().all(|&night| changes.iter().any(|c| own(c) && c.cell == cell && near(c, night)))
        };
        let cells: BTreeSet<&str> = nights
            .iter()
            .flat_map(|night| &night.cells)
            .filter(|cell| cell.lock == lock)
            .map(|cell| &*cell.id)
            .collect();
        let cells_found = cells.iter().filter(|cell| found(cell)).count();
        self.locks += 1;
        self.locks_found += usize::from(cells_found > 0);
        self.cells += cells.len();
        self.cells_found += cells_found;
        self.wrong += changes.iter().filter(|c| !own(c) || !at.iter().any(|night| near(c, *night))).count();
    }
}

fn changed(runs: &[Digest], first: u64) {
    const DRAWS: u64 = 4;
    let locks: BTreeSet<String> =
        runs.iter().flat_map(|run| &run.cells).map(|cell| cell.lock.clone()).collect();
    println!("\nOne lock changes, each lock in {DRAWS} draws of thirty nights\n");
    println!(
        "| rate | from night | until | locks found | cells found | calls of others |\n|--:|--:|--:|--:|--:|--:|"
    );
    for by in [0.5, 0.8, 1.25] {
        for (from, until) in [(5, NIGHTS), (10, NIGHTS), (15, NIGHTS), (10, 20)] {
            let at: Vec<usize> = [from, until].into_iter().filter(|night| *night < NIGHTS).collect();
            let mut found = Found::default();
            for seed in first..first + DRAWS {
                let nights = drawn(runs, seed);
                locks
                    .iter()
                    .for_each(|lock| found.add(&draws::changed(&nights, lock, from..until, by), lock, &at));
            }
            let until = if until < NIGHTS { (until + 1).to_string() } else { "for good".into() };
            println!(
                "| x {by} | {} | {until} | {} of {} | {} of {} | {} |",
                from + 1,
                found.locks_found,
                found.locks,
                found.cells_found,
                found.cells,
                found.wrong
            );
        }
    }
}
