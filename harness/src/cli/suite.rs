//! `lockbench suite`: the main job.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lockbench_reports::derive::run_dir;
use lockbench_reports::format::{counted, printable};
use lockbench_reports::record::{Line, Results, Thresholds};

use super::axes::Axes;
use super::shared_locks::SharedLocks;
use super::{Done, ending, plan_only, print, thresholds};
use crate::axes::{Lock, parse_duration};
use crate::output::say;
use crate::plan::{CellGroup, Profile, name_of, scenarios};
use crate::suite::{Journal, Run, unmeasured};
use crate::{Error, Registry, interrupt};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Built-in profile: smoke, quick, standard, nightly, published, peers, catalogue
    #[arg(long, value_name = "NAME", default_value = "standard", conflicts_with = "config")]
    profile: String,
    /// Profile of your own, in TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Scenarios instead of a profile: what several virtual machines do to one another. Names that `list` gives, files of your
    /// own in TOML, or all
    #[arg(long, value_name = "NAMES|FILES", value_delimiter = ',', conflicts_with_all = ["config", "profile"])]
    scenario: Vec<String>,
    /// Wall time to fit the plan into, by dropping cells from its end: 90s
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    time: Option<Duration>,
    /// Only print what would be measured
    #[arg(long)]
    plan_only: bool,
    /// Plan for another machine: an hwloc XML file or a synthetic description; needs --plan-only
    #[arg(long, value_name = "FILE|SYNTHETIC", requires = "plan_only")]
    topology: Option<String>,
    /// Print the whole text at the end: the answers in full and every table, as summary.txt has them
    #[arg(long)]
    full: bool,
    /// Directory for runs
    #[arg(long, value_name = "DIR", default_value = "lockbench-out")]
    out: PathBuf,
    #[command(flatten)]
    pub(super) shared_locks: SharedLocks,
    #[command(flatten)]
    axes: Axes,
    #[command(flatten)]
    thresholds: thresholds::Options,
}

impl Args {
    /// What to measure, and the name that the run has for it.
    fn profile(&self, registry: &Registry) -> Result<(String, Profile), Error> {
        if !self.scenario.is_empty() {
            return scenarios::all_of(&self.scenario, registry);
        }
        let name = self.config.as_deref().map_or_else(|| self.profile.clone(), name_of);
        Ok((name, Profile::of(self.config.as_deref(), &self.profile, registry)?))
    }
}

impl Args {
    /// Whether the user wrote what is measured, so that each environment in it is asked for by name.
    fn is_own(&self) -> bool {
        self.config.is_some() || self.scenario.iter().any(|name| scenarios::is_file(name))
    }
}

pub(super) fn run(args: &Args, registry: &Registry) -> Result<Done, Error> {
    let began = Instant::now();
    let thresholds = args.thresholds.thresholds()?;
    let (name, mut profile) = args.profile(registry)?;
    args.axes.apply(&mut profile, registry)?;
    profile.time = args.time.or(profile.time);
    if !args.scenario.is_empty() {
        tell_of_own(&profile, registry);
    }
    if args.plan_only {
        return plan_only::run(&profile, args.topology.as_deref(), &args.axes, registry);
    }
    interrupt::install()?;
    let run = Run::set_up(args.axes.asked(&name, &profile, began)?, registry)?;
    let journal = kept(&run, &args.out, profile.rounds)?;
    finish(&journal, args, thresholds, &args.axes.named_envs(&profile, args.is_own()))
}

/// A sentence if no group of these scenarios has a lock of the user's own: a scenario keeps the locks that its cases were made for.
fn tell_of_own(profile: &Profile, registry: &Registry) {
    let planned = |lock: &Lock| {
        let in_group = |group: &CellGroup| {
            let vms = group.case.iter().flat_map(|case| &case.vms);
            group.locks.as_ref().is_none_or(|locks| locks.contains(lock))
                || vms.into_iter().any(|vm| vm.lock.as_deref() == Some(lock.name()))
        };
        profile.cells.iter().any(in_group)
    };
    let left: Vec<&str> = registry.own_locks().filter(|lock| !planned(lock)).map(Lock::name).collect();
    if !left.is_empty() {
        say(format_args!(
            "scenarios have their own locks, and leave out {}; --locks own,ticket measures yours in them",
            printable(&left.join(", "))
        ));
    }
}

/// Measures a run into a directory of its own below `out`, after one line that says what to expect.
pub(super) fn kept(run: &Run, out: &Path, rounds: u32) -> Result<Journal, Error> {
    // The directory is made before anything is measured: if it cannot be written, no time is lost.
    let mut journal = Journal::create(out, &run.header.run_id)?;
    journal.append(&Line::Header(run.header.clone()))?;
    let opening = run.opening(&counted(rounds as usize, "round"), run.plan.estimate);
    print(&format!("lockbench: {opening}\n"))?;
    run.session.tell_limits();
    run.measure(&mut |line| journal.append(line))?;
    Ok(journal)
}

/// Derives results and report from the journal, prints the verdict, and says how it went.
fn finish(journal: &Journal, args: &Args, thresholds: Thresholds, named: &[String]) -> Result<Done, Error> {
    let results = ending::derive(journal.dir(), thresholds)?;
    ending::tell(&results, journal.dir(), args.full)?;
    kept_verdict(&results, named, journal)
}

/// How a run went that has a directory, whose report tells more: see [`verdict`].
pub(super) fn kept_verdict(results: &Results, named: &[String], journal: &Journal) -> Result<Done, Error> {
    let report = journal.dir().join(run_dir::REPORT);
    verdict(results, named, &format!("; {} names every cell", report.display()))
}

/// How a run went. A run that measured nothing, or nothing in an environment of `named`, is an error that ends with
/// `where_to_look`; a cell that failed for its own fault is a negative verdict; one that was skipped is neither.
pub(super) fn verdict(results: &Results, named: &[String], where_to_look: &str) -> Result<Done, Error> {
    if interrupt::requested() {
        Ok(Done::Interrupted)
    } else if let Some(what) = unmeasured(results, named) {
        Err(Error::Nothing(format!("this run {what}{where_to_look}")))
    } else if results.cells.iter().any(|cell| cell.status.failed()) {
        Ok(Done::Negative)
    } else {
        Ok(Done::Well)
    }
}
