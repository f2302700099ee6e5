//! `lockbench history`: the nights of a machine, kept.

mod add;
mod bless;
mod export;
mod import;
mod list;
mod report;
mod show;

use lockbench_reports::derive::digest::Digest;
use lockbench_reports::judge::compare::{Accepted, MOST_RUNS};
use lockbench_reports::judge::history::{Collector, History};

use super::Done;
use crate::Error;
use crate::history::{self, RunRow, Store};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Where the history is: a file, or postgres://user@host/database
    #[arg(long, value_name = "PATH|URL", default_value = DEFAULT, global = true)]
    history: String,
    #[command(subcommand)]
    command: Command,
}

/// Where a history is unless said otherwise.
pub(super) const DEFAULT: &str = "lockbench-history.db";

#[derive(clap::Subcommand)]
enum Command {
    /// Add finished or unfinished runs
    Add(add::Args),
    /// List machines and their runs
    List(list::Args),
    /// Show each series' level and its changes; exit status 1 if one is worse and was not accepted
    Show(show::Args),
    /// Write the trend report, one self-contained page for a machine
    Report(report::Args),
    /// Accept a change, with the reason
    Bless(bless::Args),
    /// Print the history as JSON lines, CSV or OpenMetrics
    Export(export::Args),
    /// Add the runs of an exported history
    Import(import::Args),
}

pub(super) fn run(args: &Args) -> Result<Done, Error> {
    let location = &args.history;
    match &args.command {
        Command::Add(args) => add::run(location, args),
        Command::List(args) => list::run(location, args),
        Command::Show(args) => show::run(location, args),
        Command::Report(args) => report::run(location, args),
        Command::Bless(args) => bless::run(location, args),
        Command::Export(args) => export::run(location, args),
        Command::Import(args) => import::run(location, args),
    }
}

/// Which machine's history.
#[derive(clap::Args)]
struct Which {
    /// Key of the machine, or its beginning, as `history list` shows it [default: the only one]
    #[arg(long, value_name = "KEY")]
    machine: Option<String>,
}

impl Which {
    /// The machine that is asked for; an error if there are several.
    fn of(&self, store: &mut dyn Store) -> Result<String, Error> {
        let mut machines: Vec<String> = store.runs()?.into_iter().map(|run| run.machine).collect();
        machines.dedup();
        let wanted = self.machine.as_deref().unwrap_or_default();
        let fits: Vec<&String> = machines.iter().filter(|key| key.starts_with(wanted)).collect();
        match fits.as_slice() {
            [only] => Ok((*only).clone()),
            [] if machines.is_empty() => Err(Error::History("the history holds no run yet".into())),
            [] => Err(Error::usage(format!(
                "the history holds no machine `{}`; it holds {}",
                wanted.escape_debug(),
                machines.join(", ")
            ))),
            _ => Err(Error::usage(format!(
                "the history holds several machines, which are never mixed; give --machine, one of {}",
                machines.join(", ")
            ))),
        }
    }
}

/// Everything that the history holds of a machine, as series.
fn gather(store: &mut dyn Store, machine: &str) -> Result<History, Error> {
    let mut collector = Collector::default();
    store.each(machine, None, &mut |digest| {
        collector.add(digest);
        Ok(())
    })?;
    Ok(collector.finish())
}

/// What a run is compared with.
pub(super) struct Earlier {
    /// Runs before it, oldest first.
    pub(super) runs: Vec<Digest>,
    /// Changes that were accepted on its machine.
    pub(super) accepted: Vec<Accepted>,
}

/// The latest runs of the same machine that began before `new`, which may be an old one itself.
pub(super) fn earlier(location: &str, new: &Digest) -> Result<Earlier, Error> {
    let mut store = history::open(location, false)?;
    let machine = new.machine.key();
    let mut known = store.runs()?;
    known.retain(|run| run.machine == machine);
    // All are in UTC, so that their texts are in order.
    let before = |run: &&RunRow| run.run_id != new.run_id && run.started_at <= new.started_at;
    let mut runs = Vec::new();
    for run in known.iter().filter(before).rev() {
        if runs.len() == MOST_RUNS {
            break;
        }
        let digest = store.digest(run)?;
        if !digest.is_empty() {
            runs.push(digest);
        }
    }
    runs.reverse();
    let accepted = store.blessings(&machine)?.into_iter().filter_map(|blessing| {
        let run = known.iter().find(|run| run.run_id == blessing.run_id)?;
        Some(Accepted { blessing, started_at: run.started_at.clone() })
    });
    Ok(Earlier { runs, accepted: accepted.collect() })
}
