//! What the tracker makes of quiet runs of one build: `cargo run --release -p lockbench-reports --example nights -- 40 RUN RUN...`
//!
//! Nothing changed between these runs. Thirty of them are drawn at random, as if they were nights, as often as the first argument
//! says; all that is called there is called falsely. Then each lock in turn is made slower or faster in a draw, which should be
//! found: for good in night 5, 10 or 15, and from night 10 to 20. The seeds are fixed. Two minutes for twenty runs of `quick`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;

use lockbench_reports::derive::digest::{Digest, Metric};
use lockbench_reports::derive::run_dir;
use lockbench_reports::judge::compare::compare;
use lockbench_reports::judge::history::{ChangePoint, Collector, Judgement};
use lockbench_reports::statistics::{FEWEST_NIGHTS, MARGIN, Random};

const NIGHTS: usize = 30;
/// A call within this many nights of a change is about it.
const NEAR: usize = 3;
/// A change that is told of again within this many nights is the same one.
const SAME: usize = 5;

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
    let usage = "give a number of draws and two runs or more: nights 40 RUN RUN...";
    let (draws, paths) = arguments.split_first().ok_or(usage)?;
    let draws: u64 = draws.parse().map_err(|_| usage)?;
    if paths.len() < 2 {
        return Err(usage.into());
    }
    let digest =
        |path: &String| Ok(Digest::of(&run_dir::read(Path::new(path)).map_err(|e| format!("{path}: {e}"))?));
    let mut runs = paths.iter().map(digest).collect::<Result<Vec<Digest>, String>>()?;
    runs.sort_by(|one, other| one.started_at.cmp(&other.started_at));
    unchanged(&runs, draws);
    changed(&runs);
    Ok(())
}

/// Nights drawn from runs, each run as likely every night.
fn drawn(runs: &[Digest], seed: u64) -> Vec<Digest> {
    let mut random = Random::new(seed);
    let one = |number: usize| {
        let mut night = runs[random.below(runs.len())].clone();
        night.run_id = format!("night-{number}");
        night.started_at = format!("2026-{:02}-{:02}T03:15:00Z", number / 28 + 1, number % 28 + 1);
        night
    };
    (0..NIGHTS).map(one).collect()
}

fn changes(nights: &[Digest]) -> Vec<ChangePoint> {
    let mut collector = Collector::default();
    nights.iter().cloned().for_each(|night| collector.add(night));
    Judgement::of(&collector.finish(), &[], MARGIN).changes
}

/// The changes that `history show` tells of in the course of the nights, each once.
fn told(nights: &[Digest]) -> Vec<ChangePoint> {
    let mut told: Vec<ChangePoint> = Vec::new();
    for tonight in 2 * FEWEST_NIGHTS..=nights.len() {
        for change in changes(&nights[..tonight]) {
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

/// The nights that `compare` with all nights before calls better or worse in any cell.
fn called(nights: &[Digest]) -> usize {
    let calls = |at: &usize| {
        compare(&nights[..*at], &nights[*at], MARGIN).is_ok_and(|compared| !compared.alerts().0.is_empty())
    };
    (1..nights.len()).filter(calls).count()
}

fn unchanged(runs: &[Digest], draws: u64) {
    let (mut of_history, mut of_compare) = (BTreeMap::new(), BTreeMap::new());
    for seed in 0..draws {
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
    println!("\nThirty unchanged nights, {draws} times: draws by the number of false calls\n");
    println!("| calls | `history show`: changes | `compare`: nights |\n|--:|--:|--:|");
    let most = of_history.keys().chain(of_compare.keys()).max().copied().unwrap_or(0);
    let count = |of: &BTreeMap<usize, u64>, calls| of.get(&calls).copied().unwrap_or(0);
    for calls in (0..=most).filter(|calls| count(&of_history, *calls) + count(&of_compare, *calls) > 0) {
        println!("| {calls} | {} | {} |", count(&of_history, calls), count(&of_compare, calls));
    }
}

/// The nights with the rates of a lock's cells multiplied in some of them.
fn with(nights: &[Digest], lock: &str, which: Range<usize>, by: f64) -> Vec<Digest> {
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
        let changes = changes(nights);
        let near = |change: &ChangePoint, night: usize| change.night.abs_diff(night) <= NEAR;
        let own = |change: &ChangePoint| change.lock == lock && change.metric == Metric::Rate;
        let found = |cell: &str| {
            at.iter().all(|&night| changes.iter().any(|c| own(c) && c.cell == cell && near(c, night)))
        };
        let cells: std::collections::BTreeSet<&str> = nights
            .iter()
            .flat_map(|night| &night.cells)
            .filter(|cell| cell.lock == lock)
            .map(|c| &*c.id)
            .collect();
        let cells_found = cells.iter().filter(|cell| found(cell)).count();
        self.locks += 1;
        self.locks_found += usize::from(cells_found > 0);
        self.cells += cells.len();
        self.cells_found += cells_found;
        self.wrong += changes.iter().filter(|c| !own(c) || !at.iter().any(|night| near(c, *night))).count();
    }
}

fn changed(runs: &[Digest]) {
    const DRAWS: u64 = 4;
    let locks: std::collections::BTreeSet<String> =
        runs.iter().flat_map(|run| &run.cells).map(|cell| cell.lock.clone()).collect();
    println!("\nOne lock changes, each lock in {DRAWS} draws of thirty nights\n");
    println!(
        "| rate | from night | until | locks found | cells found | calls of others |\n|--:|--:|--:|--:|--:|--:|"
    );
    for by in [0.5, 0.8, 1.25] {
        for (from, until) in [(5, NIGHTS), (10, NIGHTS), (15, NIGHTS), (10, 20)] {
            let at: Vec<usize> = [from, until].into_iter().filter(|night| *night < NIGHTS).collect();
            let mut found = Found::default();
            for seed in 0..DRAWS {
                let nights = drawn(runs, seed);
                locks.iter().for_each(|lock| found.add(&with(&nights, lock, from..until, by), lock, &at));
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
