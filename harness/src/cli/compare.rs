//! `lockbench compare`: one run against earlier ones of the same machine.

use std::path::PathBuf;

use lockbench_reports::derive::digest::Digest;
use lockbench_reports::derive::run_dir;
use lockbench_reports::format::printable;
use lockbench_reports::judge::compare::{self, Comparison};
use lockbench_reports::statistics::MARGIN;

use super::{Done, history, print};
use crate::axes::Lock;
use crate::{Error, Registry};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Earlier runs, oldest first, then the run that is judged: run directories, results.json or rounds.jsonl files
    #[arg(required = true, num_args = 1.., value_names = ["BASE", "NEW"])]
    runs: Vec<PathBuf>,
    /// Take the earlier runs from a history, those of NEW's machine: a file, or postgres://user@host/database
    #[arg(long, value_name = "PATH|URL")]
    history: Option<String>,
    /// Tell of these locks only: names, or the groups core, own and all, as in `run --locks`. They are judged as among all
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    locks: Vec<String>,
    #[command(flatten)]
    output: Output,
}

/// How a comparison is judged and printed.
#[derive(clap::Args)]
pub(super) struct Output {
    /// Smallest change, in percent, that matters
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

    /// Prints that a first night has nothing to compare with, which is no failure.
    fn nothing_earlier(&self, new: &Digest) -> Result<Done, Error> {
        let (run, machine) = (printable(&new.run_id), new.machine.key());
        let sentence = format!(
            "There is nothing to compare {run} with yet: the history holds no earlier run of machine {machine}."
        );
        if self.json {
            let json = serde_json::json!({ "kind": "runs", "base": [], "new": new.run_id, "rows": [], "notes": [sentence] });
            print(&format!("{json:#}\n"))?;
        } else {
            print(&format!("{sentence}\n"))?;
        }
        Ok(Done::Well)
    }

    /// Prints the comparison in the form asked for.
    pub(super) fn print(&self, comparison: &Comparison) -> Result<Done, Error> {
        if self.json {
            let json = serde_json::to_string_pretty(comparison)?;
            print(&format!("{json}\n"))?;
        } else if self.markdown {
            print(&compare::markdown(comparison))?;
        } else {
            print(&compare::text(comparison))?;
        }
        Ok(if comparison.worse() { Done::Negative } else { Done::Well })
    }
}

pub(super) fn run(args: &Args, registry: &Registry) -> Result<Done, Error> {
    let digest = |path: &PathBuf| run_dir::read(path).map(|results| Digest::of(&results));
    let mut runs = args.runs.iter().map(digest).collect::<Result<Vec<_>, _>>()?;
    let new = runs.pop().expect("clap asks for one");
    let mut accepted = Vec::new();
    if let Some(location) = &args.history {
        let earlier = history::earlier(location, &new)?;
        runs.splice(..0, earlier.runs).for_each(drop);
        accepted = earlier.accepted;
    }
    let locks = locks(&args.locks, runs.iter().chain([&new]), registry)?;
    if runs.is_empty() {
        return match args.history {
            Some(_) => args.output.nothing_earlier(&new),
            None => Err(Error::usage("give an earlier run to compare with, or a --history of them")),
        };
    }
    let margin = args.output.margin();
    let mut comparison = compare::compare_since(&runs, &new, margin, &accepted)?;
    if !args.locks.is_empty() {
        comparison.retain_locks(&locks);
        if comparison.is_empty() {
            let locks: Vec<String> = args.locks.iter().map(|name| printable(name)).collect();
            return Err(Error::usage(format!(
                "no run that is compared has a cell of {}: there is nothing to compare",
                locks.join(", ")
            )));
        }
    }
    args.output.print(&comparison)
}

/// The locks of these names and groups. A run of another build may have locks that this one does not know.
fn locks<'a>(
    names: &[String],
    runs: impl Iterator<Item = &'a Digest> + Clone,
    registry: &Registry,
) -> Result<Vec<String>, Error> {
    let mut locks: Vec<String> = Vec::new();
    for name in names {
        let named = match Lock::read(std::slice::from_ref(name), registry) {
            Ok(known) => known.iter().map(|lock| lock.name().to_owned()).collect(),
            Err(_) if runs.clone().any(|run| run.cells.iter().any(|cell| cell.lock == *name)) => {
                vec![name.clone()]
            }
            Err(e) => return Err(e),
        };
        locks.extend(named);
    }
    Ok(locks)
}

fn parse_percent(text: &str) -> Result<f64, Error> {
    let number = text.trim_end_matches('%').trim().parse::<f64>().ok();
    number.filter(|percent| (0.0..=1000.0).contains(percent)).ok_or_else(|| {
        Error::usage(format!("`{}` is no percentage; write it like 5 or 5%", text.escape_debug()))
    })
}
