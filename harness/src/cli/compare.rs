//! `lockbench compare`: one run against earlier ones of the same machine.

use std::path::PathBuf;

use lockbench_reports::compare::{self, Comparison};
use lockbench_reports::digest::Digest;
use lockbench_reports::run_dir;
use lockbench_reports::statistics::MARGIN;

use super::{Ended, history, print};
use crate::Error;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Earlier runs, oldest first, then the run that is judged: run directories, results.json or rounds.jsonl files
    #[arg(required = true, num_args = 1.., value_names = ["BASE", "NEW"])]
    runs: Vec<PathBuf>,
    /// Take the earlier runs from a history, those of NEW's machine: a file, or postgres://user@host/database
    #[arg(long, value_name = "PATH|URL")]
    history: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// How a comparison is judged and printed.
#[derive(clap::Args)]
pub(super) struct Output {
    /// Change, in percent, below which nothing is of interest
    #[arg(long, value_name = "PERCENT", default_value_t = MARGIN * 100.0, value_parser = parse_percent)]
    margin: f64,
    /// Print JSON
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print Markdown that fits a pull request
    #[arg(long)]
    markdown: bool,
}

impl Output {
    /// As a fraction.
    pub(super) fn margin(&self) -> f64 {
        self.margin / 100.0
    }

    /// Prints it in the form asked for.
    pub(super) fn print(&self, comparison: &Comparison) -> Result<Ended, Error> {
        if self.json {
            let json = serde_json::to_string_pretty(comparison).map_err(|e| Error::new(e.to_string()))?;
            print(&format!("{json}\n"))?;
        } else if self.markdown {
            print(&compare::markdown(comparison))?;
        } else {
            print(&compare::text(comparison))?;
        }
        Ok(if comparison.worse() { Ended::Negative } else { Ended::Well })
    }
}

pub(super) fn run(args: &Args) -> Result<Ended, Error> {
    let digest = |path: &PathBuf| run_dir::read(path).map(|results| Digest::of(&results));
    let mut runs =
        args.runs.iter().map(digest).collect::<Result<Vec<_>, _>>().map_err(|e| Error::new(e.to_string()))?;
    let new = runs.pop().expect("clap asks for one");
    match &args.history {
        Some(location) => runs.splice(..0, earlier(location, &new)?).for_each(drop),
        None if runs.is_empty() => {
            return Err(Error::new("give an earlier run to compare with, or a --history of them"));
        }
        None => {}
    }
    let comparison = compare::compare(&runs, &new, args.output.margin()).map_err(Error::new)?;
    args.output.print(&comparison)
}

/// Runs of the same machine in the history that began before this one.
fn earlier(location: &str, new: &Digest) -> Result<Vec<Digest>, Error> {
    // One more, for the run itself may have been added already.
    let mut runs = history::latest(location, &new.machine.key(), compare::MOST_RUNS + 1)?;
    runs.retain(|run| run.run_id != new.run_id && run.started_at <= new.started_at);
    Ok(runs)
}

fn parse_percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').trim().parse::<f64>().ok();
    number
        .filter(|percent| (0.0..=1000.0).contains(percent))
        .ok_or_else(|| format!("`{}` is no percentage; write it like 5 or 5%", text.escape_debug()))
}
