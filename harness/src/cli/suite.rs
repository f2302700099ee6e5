//! `lockbench suite`: the main job.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use lockbench_reports::derive::reasons::reasons as missing;
use lockbench_reports::derive::run_dir;
use lockbench_reports::judge::answers;
use lockbench_reports::output_file;
use lockbench_reports::record::{Header, Line, Results, SCHEMA_VERSION, Status};
use lockbench_reports::show::{html, reasons, summary};

use super::axes::Axes;
use super::{Ended, command_line, plan_only, print};
use crate::axes::parse_duration;
use crate::plan::{self, Fitted, Profile};
use crate::suite::{Journal, Progress, Session, Suite, something_planned, unmeasured};
use crate::{Error, Registry, interrupt};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Built-in profile: smoke, quick, standard, nightly, published
    #[arg(long, value_name = "NAME", default_value = "standard", conflicts_with = "config")]
    profile: String,
    /// Profile of your own, in TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Wall time to fit the plan into, by dropping cells from its end: 90s
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    time: Option<Duration>,
    /// Only print what would be measured
    #[arg(long)]
    plan_only: bool,
    /// Plan for another machine: an hwloc XML file or a synthetic description; needs --plan-only
    #[arg(long, value_name = "FILE|SYNTHETIC", requires = "plan_only")]
    topology: Option<String>,
    /// Directory for runs
    #[arg(long, value_name = "DIR", default_value = "lockbench-out")]
    out: PathBuf,
    #[command(flatten)]
    axes: Axes,
}

pub(super) fn run(args: &Args, registry: &Registry) -> Result<Ended, Error> {
    let began = Instant::now();
    let (name, mut profile) = match &args.config {
        Some(path) => (config_name(path), Profile::read(path, registry)?),
        None => (args.profile.clone(), Profile::built_in(&args.profile, registry)?),
    };
    args.axes.apply(&mut profile, registry)?;
    profile.time = args.time.or(profile.time);
    if args.plan_only {
        return plan_only::run(&profile, args.topology.as_deref(), &args.axes, registry);
    }
    interrupt::install()?;
    let seed = args.axes.seed();
    let started = jiff::Timestamp::now();
    let run_id = format!("{}-{name}-{:04x}", started.strftime("%Y%m%dT%H%M%SZ"), fastrand::u16(..));
    let session = Session::open(args.axes.cpu_list()?.as_ref(), &profile.envs())?;
    let timing = session.timing(profile.window.as_nanos() as u64);
    let (cells, refused) = session.cells(&profile, registry);
    let mut fitted = plan::fit(cells, &timing, profile.rounds, profile.time, profile.noise_floor);
    fitted.dropped.extend(refused);
    something_planned(&fitted.cells, &fitted.dropped)?;
    // Before anything is measured: a directory that cannot be written would lose it all.
    let mut journal = Journal::create(&args.out, &run_id)?;
    let header = Header {
        schema_version: SCHEMA_VERSION,
        run_id,
        started_at: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        command: command_line(),
        seed,
        profile: name,
        rounds: profile.rounds,
        window_ns: timing.window_ns,
        machine: session.machine.clone(),
        locks: registry.descriptors(fitted.cells.iter().map(|cell| cell.lock)),
        cells: fitted.cells.iter().map(|cell| cell.axes.record()).collect(),
        dropped: fitted.dropped.clone(),
    };
    journal.append(&Line::Header(header))?;
    print(&opening(&fitted, &session, profile.rounds))?;
    session.tell_limits();

    let windows = plan::round(&fitted.cells, &fitted.twins, seed, 0).len() as u64 * u64::from(profile.rounds);
    let mut progress = Progress::new(windows, fitted.estimate);
    let suite = Suite {
        session: &session,
        plan: &fitted,
        timing,
        rounds: profile.rounds,
        seed,
        began,
        time: profile.time,
    };
    let ran = suite.run(&mut |line| journal.append(line), &mut progress);
    progress.finish();
    ran?;
    finish(&journal, &args.axes.named_envs(&profile, args.config.is_some()))
}

fn config_name(path: &std::path::Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// "lockbench: 30 cells x 6 rounds, about 58 s, on CPUs 0-1; leave the machine alone until it is done."
fn opening(fitted: &Fitted, session: &Session, rounds: u32) -> String {
    format!(
        "lockbench: {} cells x {rounds} rounds, about {:.0} s, on CPUs {}; leave the machine alone until it is done.\n",
        fitted.cells.len(),
        fitted.estimate.as_secs_f64().ceil(),
        session.topology.cpus()
    )
}

/// Derives results and report from the journal, prints the answers, and says how it went.
fn finish(journal: &Journal, named: &[String]) -> Result<Ended, Error> {
    let results = run_dir::read(journal.dir())?;
    run_dir::write_results(journal.dir(), &results)?;
    let page = html::render(std::slice::from_ref(&results))?;
    let path = journal.dir().join(run_dir::REPORT);
    output_file::write(&path, page.as_bytes())?;
    let absent = stopped(&results) + &reasons::text(&missing(&results), FEW_CELLS);
    if results.cells.iter().any(|cell| cell.status != Status::Skipped) {
        let (answers, table) = (answers::answers(&results), summary::table(&results));
        print(&format!("\n{answers}\n\n{table}\n{}\n", summary::closing(&results)))?;
    }
    let between = if absent.is_empty() { "" } else { "\n" };
    print(&format!("{absent}{between}{}\n", path.display()))?;
    verdict(&results, named, &format!("; {} names every cell", path.display()))
}

/// That the time was up before the plan was done; nothing if it was not.
fn stopped(results: &Results) -> String {
    results.stopped.as_ref().map_or_else(String::new, |stopped| {
        format!("stopped after {} of {} rounds: {}\n", stopped.rounds, results.rounds, stopped.reason)
    })
}

/// Cells that are listed below a reason here; the report lists them all.
const FEW_CELLS: usize = 3;

/// How a run went. A run that measured nothing, or nothing in an environment of `named`, is an error that ends with
/// `where_to_look`; a cell that failed for its own fault is a negative verdict; one that was skipped is neither.
pub(super) fn verdict(results: &Results, named: &[String], where_to_look: &str) -> Result<Ended, Error> {
    let failed = |status| matches!(status, Status::Broken | Status::Crashed | Status::Hung);
    if interrupt::requested() {
        Ok(Ended::Interrupted)
    } else if let Some(what) = unmeasured(results, named) {
        Err(Error::Nothing(format!("this run {what}{where_to_look}")))
    } else if results.cells.iter().any(|cell| failed(cell.status)) {
        Ok(Ended::Negative)
    } else {
        Ok(Ended::Well)
    }
}
