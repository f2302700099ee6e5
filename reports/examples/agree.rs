//! Whether runs of the same plan get the same verdicts: `cargo run -p lockbench-reports --example agree -- RUN RUN...`
//!
//! Every pair of runs is an A/A pair. For each cell above 1x it counts the pairs of which both labels could be told and differ, and
//! those of which one could be told and the other could not. It ends with status 1 where more than 5 % of the pairs that were told
//! differ, in rate or in service.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use lockbench_reports::derive::run_dir;
use lockbench_reports::judge::verdicts::judge;
use lockbench_reports::record::{CellVerdict, Kept, Served, Thresholds};

/// No more than this fraction of pairs may get two different labels.
const ALLOWED: f64 = 0.05;

/// How pairs of labels came out.
#[derive(Default)]
struct Tally {
    alike: u32,
    apart: u32,
    one_untold: u32,
    both_untold: u32,
}

impl Tally {
    fn add<T: PartialEq>(&mut self, one: T, other: T, untold: T) {
        match (one == untold, other == untold) {
            (true, true) => self.both_untold += 1,
            (false, false) if one == other => self.alike += 1,
            (false, false) => self.apart += 1,
            _ => self.one_untold += 1,
        }
    }

    /// The fraction of pairs of two told labels that differ.
    fn share(&self) -> f64 {
        f64::from(self.apart) / f64::from((self.apart + self.alike).max(1))
    }

    fn print(&self, name: &str) {
        let Self { alike, apart, one_untold, both_untold } = self;
        let all = f64::from(alike + apart + one_untold + both_untold).max(1.0);
        println!(
            "{name}: {alike} alike, {apart} different ({:.1} % of those told), {one_untold} told in one run only \
             ({:.1} % of all), {both_untold} told in neither",
            100.0 * self.share(),
            100.0 * f64::from(*one_untold) / all
        );
    }
}

fn main() -> ExitCode {
    let runs: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    assert!(runs.len() > 1, "usage: agree RUN RUN...");
    let mut verdicts: BTreeMap<String, Vec<CellVerdict>> = BTreeMap::new();
    for run in &runs {
        let mut results = run_dir::read(run).expect("a run");
        judge(&mut results, Thresholds::default());
        for cell in results.cells {
            verdicts.entry(cell.axes.id).or_default().extend(cell.verdict);
        }
    }
    let (mut rate, mut service) = (Tally::default(), Tally::default());
    for (cell, of) in &verdicts {
        let before = (rate.apart, service.apart);
        for (index, one) in of.iter().enumerate() {
            for other in &of[index + 1..] {
                rate.add(one.rate, other.rate, Kept::CannotBeTold);
                service.add(one.service, other.service, Served::CannotBeTold);
            }
        }
        if (rate.apart, service.apart) != before {
            let labels = of.iter().map(|one| format!("{} {}", one.rate.word(), one.service.word()));
            println!("{cell}: {}", labels.collect::<Vec<_>>().join(", "));
        }
    }
    rate.print("rate kept");
    service.print("service");
    if rate.share().max(service.share()) > ALLOWED { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
