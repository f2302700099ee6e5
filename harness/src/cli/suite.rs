//! `lockbench suite`: the main job.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use lockbench_reports::derive::reasons::reasons as missing;
use lockbench_reports::derive::run_dir;
use lockbench_reports::judge::{answers, verdicts};
use lockbench_reports::output_file;
use lockbench_reports::record::{Line, Results, Status, Thresholds};
use lockbench_reports::show::{html, reasons, summary};

use super::axes::Axes;
use super::{Done, plan_only, print, thresholds};
use crate::axes::parse_duration;
use crate::plan::Profile;
use crate::suite::{Journal, Run, unmeasured};
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
    #[command(flatten)]
    thresholds: thresholds::Options,
}

pub(super) fn run(args: &Args, registry: &Registry) -> Result<Done, Error> {
    let began = Instant::now();
    let thresholds = args.thresholds.thresholds()?;
    let name = args.config.as_deref().map_or_else(|| args.profile.clone(), config_name);
    let mut profile = Profile::of(args.config.as_deref(), &args.profile, registry)?;
    args.axes.apply(&mut profile, registry)?;
    profile.time = args.time.or(profile.time);
    if args.plan_only {
        return plan_only::run(&profile, args.topology.as_deref(), &args.axes, registry);
    }
    interrupt::install()?;
    let run = Run::set_up(args.axes.asked(&name, &profile, began)?, registry)?;
    // The directory is made before anything is measured: if it cannot be written, no time is lost.
    let mut journal = Journal::create(&args.out, &run.header.run_id)?;
    journal.append(&Line::Header(run.header.clone()))?;
    let opening = run.opening(&format!("{} rounds", profile.rounds), run.plan.estimate);
    print(&format!("lockbench: {opening}\n"))?;
    run.session.tell_limits();
    run.measure(&mut |line| journal.append(line))?;
    finish(&journal, thresholds, &args.axes.named_envs(&profile, args.config.is_some()))
}

fn config_name(path: &std::path::Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// Derives results and report from the journal, prints the answers, and says how it went.
fn finish(journal: &Journal, thresholds: Thresholds, named: &[String]) -> Result<Done, Error> {
    let mut results = run_dir::read(journal.dir())?;
    verdicts::judge(&mut results, thresholds);
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

/// A sentence if the time was up before the plan was done; empty if not.
fn stopped(results: &Results) -> String {
    results.stopped.as_ref().map_or_else(String::new, |stopped| {
        format!("stopped after {} of {} rounds: {}\n", stopped.rounds, results.rounds, stopped.reason)
    })
}

/// Cells that are listed below a reason here; the report lists them all.
const FEW_CELLS: usize = 3;

/// How a run went. A run that measured nothing, or nothing in an environment of `named`, is an error that ends with
/// `where_to_look`; a cell that failed for its own fault is a negative verdict; one that was skipped is neither.
pub(super) fn verdict(results: &Results, named: &[String], where_to_look: &str) -> Result<Done, Error> {
    let failed = |status| matches!(status, Status::Broken | Status::Crashed | Status::Hung);
    if interrupt::requested() {
        Ok(Done::Interrupted)
    } else if let Some(what) = unmeasured(results, named) {
        Err(Error::Nothing(format!("this run {what}{where_to_look}")))
    } else if results.cells.iter().any(|cell| failed(cell.status)) {
        Ok(Done::Negative)
    } else {
        Ok(Done::Well)
    }
}
