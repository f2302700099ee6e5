//! The command line: what a user can ask for, and the exit status it ends with.

mod advise;
mod axes;
mod check;
mod compare;
mod doctor;
mod duel;
mod ending;
mod history;
mod instructions;
mod list;
mod new_lock;
mod plan_only;
mod report;
mod run;
mod schema;
mod shared_locks;
mod suite;
mod thresholds;
mod topology;
mod usage;

use std::io;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use shared_locks::SharedLocks;

use crate::output::{complain, shows_colours};
pub(crate) use crate::output::{print, say};
use crate::{Error, Registry};

/// How a command ended; becomes the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// It did what was asked.
    Well,
    /// It did what was asked, and the verdict is negative: something is worse, the machine is unfit, a cell is broken, crashed
    /// or hung.
    Negative,
    /// It could not do what was asked.
    Failed,
    /// It was interrupted; partial results are written.
    Interrupted,
}

impl From<&Error> for Done {
    fn from(error: &Error) -> Self {
        match error {
            Error::Interrupted => Self::Interrupted,
            _ => Self::Failed,
        }
    }
}

impl From<Done> for ExitCode {
    fn from(ended: Done) -> Self {
        match ended {
            Done::Well => Self::SUCCESS,
            Done::Negative => Self::from(1),
            Done::Failed => Self::from(2),
            Done::Interrupted => Self::from(130),
        }
    }
}

/// What do preempted vCPUs do to a lock?
#[derive(Parser)]
#[command(name = "lockbench", version = VERSION, about, after_help = EXIT_STATUS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUS: &str = "Exit status: 0 done; 1 done, with a negative verdict (a cell broken, crashed or hung, \
something worse, a machine unfit to measure on); 2 could not do what was asked: bad usage or input, no permission, a full \
disk, or nothing measured, be it at all or in an environment asked for by name; 130 interrupted, partial results written. \
Where several hold it is the highest.";

/// Version and commit: what `duel` tells two builds apart by.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " ", env!("LOCKBENCH_COMMIT"));

#[derive(Subcommand)]
enum Command {
    /// Measure a whole profile and write the report
    #[command(after_help = EXIT_STATUS)]
    Suite(suite::Args),
    /// Measure some cells and print a table
    #[command(after_help = EXIT_STATUS)]
    Run(run::Args),
    /// Say whether a lock collapses where vCPUs are more than CPUs, in about a minute
    #[command(after_help = check::EXIT_STATUS)]
    Check(check::Args),
    /// Make the report of one run, or of several side by side
    Report(report::Args),
    /// Say which lock to take, from what was measured on this machine
    Advise(advise::Args),
    /// Judge a run against earlier ones of the same machine, cell by cell
    Compare(compare::Args),
    /// Run two builds in alternating rounds and judge the second
    #[command(after_help = EXIT_STATUS)]
    Duel(duel::Args),
    /// Keep the runs of every night, and tell a real change from a noisy one
    History(history::Args),
    /// Show what hwloc sees and where each placement would pin
    Topology(topology::Args),
    /// Say whether this machine is fit to measure on, and what to change
    Doctor(doctor::Args),
    /// List locks, workloads, environments and placements
    List(list::Args),
    /// Write a small crate in which a lock of your own is measured
    NewLock(new_lock::Args),
    /// Print the JSON Schema of results.json, or every field of a run's files
    Schema(schema::Args),
}

/// Parses and runs. Every error ends here: as one sentence on stderr, with the exit status of its kind.
pub(crate) fn main(registry: &Registry) -> ExitCode {
    let ended = match Cli::try_parse() {
        Ok(cli) => run_with_shared_locks(cli.command, registry),
        Err(instead) => told(&instead),
    };
    let told = |e: Error| {
        say(&e);
        Done::from(&e)
    };
    ended.unwrap_or_else(told).into()
}

/// Runs a command with the locks of the shared objects that it names. A suite goes on without an object from which no lock can be
/// taken, for a night is not worth less without it; the last thing that such a suite says, and its exit status, tell that this
/// object was not measured.
fn run_with_shared_locks(command: Command, registry: &Registry) -> Result<Done, Error> {
    let goes_on = matches!(command, Command::Suite(_));
    let mut left_out = Vec::new();
    let registry = with_shared_locks(&command, registry, |why| {
        if !goes_on {
            return Err(why);
        }
        say(format!("{why}; the suite goes on without it"));
        left_out.push(why);
        Ok(())
    })?;
    let done = run(command, &registry)?;
    match left_out.into_iter().next() {
        Some(why) if done != Done::Interrupted => Err(why.inside("not measured")),
        _ => Ok(done),
    }
}

/// All locks that the command can name, none of them with a name that is taken. A shared object without a lock goes to `left_out`.
fn with_shared_locks(
    command: &Command,
    registry: &Registry,
    left_out: impl FnMut(Error) -> Result<(), Error>,
) -> Result<Registry, Error> {
    let shared = match command {
        Command::Suite(args) => &args.shared_locks,
        Command::Check(args) => &args.shared_locks,
        Command::Run(args) => &args.shared_locks,
        Command::Duel(args) => &args.shared_locks,
        Command::Advise(args) => &args.shared_locks,
        Command::List(args) => &args.shared_locks,
        Command::Report(_)
        | Command::Compare(_)
        | Command::History(_)
        | Command::Topology(_)
        | Command::Doctor(_)
        | Command::NewLock(_)
        | Command::Schema(_) => &SharedLocks::default(),
    };
    let registry = shared.beside(registry, left_out)?;
    registry.check().map(|()| registry)
}

fn run(command: Command, registry: &Registry) -> Result<Done, Error> {
    match command {
        Command::Suite(args) => suite::run(&args, registry),
        Command::Run(args) => run::run(&args, registry),
        Command::Check(args) => check::run(&args, registry),
        Command::Report(args) => report::run(&args),
        Command::Advise(args) => advise::run(&args, registry),
        Command::Compare(args) => compare::run(&args, registry),
        Command::Duel(args) => duel::run(&args, registry),
        Command::History(args) => history::run(&args),
        Command::Topology(args) => topology::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::List(args) => list::run(&args, registry),
        Command::NewLock(args) => new_lock::run(&args, registry),
    }
}

/// Prints what clap has to say instead of running anything: a usage error, or help.
fn told(instead: &clap::Error) -> Result<Done, Error> {
    let text = instead.render();
    let text = |colours: bool| if colours { text.ansi().to_string() } else { text.to_string() };
    match instead.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            print(&text(shows_colours(&io::stdout())))?;
            Ok(Done::Well)
        }
        // No command at all: the help is the answer, though not what was asked for.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            complain(&text(shows_colours(&io::stderr())));
            Ok(Done::Failed)
        }
        _ => Err(Error::usage(usage::sentence(&text(false)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duel_that_was_interrupted_before_its_first_window_ends_as_interrupted() {
        assert_eq!(Done::from(&Error::Interrupted), Done::Interrupted);
        assert_eq!(Done::from(&Error::usage("give at least 12 rounds")), Done::Failed);
    }
}
