//! Prints how many changes of made-up series are found, and how many calls are false, as the tables of docs/nightly.md:
//! `cargo run --release -p lockbench-reports --example recall`. The seeds are fixed; it takes about two minutes. A number behind it
//! takes other seeds: `recall 3`, for what was chosen with one choice in view has to be judged with another.

#[path = "../tests/simulation/mod.rs"]
mod simulation;

use std::process::ExitCode;

use lockbench_reports::statistics::Random;
use simulation::score::Score;
use simulation::series::{Made, NOISES, Noise, Shape, made, of_every_kind, one_in_300, unchanged_suite};
use simulation::{e_divisive, ours, ours_alone};

/// Choices of seeds lie this far apart.
const APART: u64 = 1_000_000;

fn main() -> ExitCode {
    let choice = std::env::args().nth(1).map_or(Ok(0), |choice| choice.parse::<u64>());
    let Some(from) = choice.ok().and_then(|choice| choice.checked_mul(APART)) else {
        eprintln!("recall: give no argument, or the number of another choice of seeds: recall 3");
        return ExitCode::from(2);
    };
    against_e_divisive(from);
    among_300(from);
    unchanged_nights(from);
    ExitCode::SUCCESS
}

fn against_e_divisive(from: u64) {
    let fleet = of_every_kind(from + 11, 200, 10..=200);
    table("Each series alone, 10 to 200 nights: lockbench", &fleet, &ours_alone(&fleet));
    for level in [0.01, 0.05] {
        let calls = e_divisive(&fleet, level, &mut Random::new(from + 1));
        table(&format!("The same series: E-divisive, p at most {level}"), &fleet, &calls);
    }
    let fleets = fleets(from);
    let calls: Vec<Vec<usize>> = fleets.iter().flat_map(|fleet| ours(fleet)).collect();
    let all: Vec<Made> = fleets.into_iter().flatten().collect();
    table("Histories of 72 series, 10 to 200 nights, half of the series changed: lockbench", &all, &calls);
    for level in [0.01, 0.05] {
        let calls = e_divisive(&all, level, &mut Random::new(from + 2));
        table(&format!("The same series: E-divisive, p at most {level}"), &all, &calls);
    }
}

/// Histories each of one random number of nights, with two unchanged series in every noise for each that changed.
fn fleets(from: u64) -> Vec<Vec<Made>> {
    let mut random = Random::new(from + 12);
    let mut one = || {
        let nights = 10 + random.below(191);
        let mut fleet = Vec::new();
        for noise in NOISES {
            for shape in [Shape::Single, Shape::Double, Shape::Returning] {
                for (shape, size) in
                    [(shape, 0.1), (shape, 0.2), (Shape::Unchanged, 0.0), (Shape::Unchanged, 0.0)]
                {
                    let sigma = 0.02 + 0.01 * random.unit();
                    fleet.extend(made(&mut random, (noise, sigma), (shape, size), nights));
                }
            }
        }
        fleet
    };
    (0..40).map(|_| one()).collect()
}

fn table(title: &str, fleet: &[Made], calls: &[Vec<usize>]) {
    println!("\n{title}\n");
    println!("| noise | single | double | returning | false alarms |\n|---|--:|--:|--:|--:|");
    for noise in NOISES {
        row(&format!("{noise:?}"), |wanted, of| wanted == noise && of, fleet, calls);
    }
    row("all", |_, of| of, fleet, calls);
}

fn row(name: &str, wanted: impl Fn(Noise, bool) -> bool, fleet: &[Made], calls: &[Vec<usize>]) {
    let of = |shape: Option<Shape>| {
        Score::of(fleet, calls, |noise, own| wanted(noise, shape.is_none_or(|shape| shape == own)))
    };
    let found = |shape| format!("{:.0} %", of(Some(shape)).recall());
    let all = of(None);
    println!(
        "| {name} | {} | {} | {} | {} in {} |",
        found(Shape::Single),
        found(Shape::Double),
        found(Shape::Returning),
        all.false_alarms,
        all.series
    );
}

fn among_300(from: u64) {
    const HISTORIES: u64 = 60;
    println!(
        "\nOne of 300 series changed once: found in {HISTORIES} histories; histories with a false alarm\n"
    );
    println!(
        "| noise | step | 20 nights | 30 | 40 | 45 | 52 | 60 | false alarms |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    );
    for (noise, size) in
        [Noise::Normal, Noise::Tails, Noise::Lasting].map(|noise| [(noise, 0.1), (noise, 0.2)]).concat()
    {
        let (mut cells, mut wrong) = (Vec::new(), 0);
        for nights in [20, 30, 40, 45, 52, 60] {
            let mut found = 0;
            for seed in 0..HISTORIES {
                let fleet =
                    one_in_300(&mut Random::new(from + 1000 * nights as u64 + seed), noise, nights, size);
                let score = Score::of(&fleet, &ours(&fleet), |_, _| true);
                found += score.found;
                wrong += usize::from(score.false_alarms > 0);
            }
            cells.push(format!("{:.0} %", 100.0 * found as f64 / HISTORIES as f64));
        }
        println!(
            "| {noise:?} | {:.0} % | {} | {wrong} of {} |",
            100.0 * size,
            cells.join(" | "),
            6 * HISTORIES
        );
    }
}

/// The method was chosen with the first suites in view, and not with the others.
fn unchanged_nights(from: u64) {
    for suites in [0..50, 50..250] {
        let alert = |seed| simulation::alerts(&unchanged_suite(&mut Random::new(from + seed), 30));
        let alerts: Vec<usize> = suites.clone().map(alert).collect();
        let wrong = alerts.iter().filter(|&&alerts| alerts > 0).count();
        let worst = alerts.iter().max().copied().unwrap_or(0);
        println!(
            "\nThirty nights of ninety unchanged series, suites {} to {}: {wrong} with a false alert, at most {worst} in one",
            suites.start + 1,
            suites.end
        );
    }
}
