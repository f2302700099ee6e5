//! `lockbench run`: some cells, a table.

use std::path::{Path, PathBuf};
use std::time::Instant;

use lockbench_reports::derive::{self, reasons::reasons as missing, run_dir};
use lockbench_reports::judge::verdicts;
use lockbench_reports::record::{Line, Outcome, Purpose, Round, Thresholds};
use lockbench_reports::show::{reasons, summary};

use super::axes::Axes;
use super::shared_locks::SharedLocks;
use super::{Done, ending, print, say, suite};
use crate::cell::{self, Bench, WindowSpec};
use crate::plan::{CellGroup, Profile};
use crate::suite::{Journal, Run};
use crate::system::proc;
use crate::topology::{self, Source};
use crate::{Error, Placer, Quotas, Refusal, Registry, input, interrupt, scheduling, shared_object};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) shared_locks: SharedLocks,
    #[command(flatten)]
    axes: Axes,
    /// Directory for the run that --trace keeps
    #[arg(long, value_name = "DIR", default_value = "lockbench-out")]
    out: PathBuf,
    /// Print results.json instead of a table
    #[arg(long)]
    json: bool,
    /// Take one window exactly as this file (- for stdin) specifies, and print its round as JSON
    #[arg(long, value_name = "FILE|-", requires = "json")]
    spec: Option<String>,
}

pub(super) fn run(args: &Args, registry: &Registry) -> Result<Done, Error> {
    let began = Instant::now();
    interrupt::install()?;
    if let Some(spec) = &args.spec {
        let shared = (!args.shared_locks.is_empty()).then_some("lock-so");
        if let Some(option) = args.axes.first().or(shared) {
            return Err(Error::usage(format!("a spec says all that there is to say; leave out --{option}")));
        }
        return run_spec(spec, registry);
    }
    let profile = profile(&args.axes, registry)?;
    let run = Run::set_up(args.axes.asked("run", &profile, began)?, registry)?;
    run.session.tell_limits();
    let mut lines = vec![Line::Header(run.header.clone())];
    // Traces are looked at in the report, so a run that traces keeps one.
    let traces = profile.cells.iter().any(|group| group.purposes().any(|purpose| purpose == Purpose::Trace));
    let mut journal = traces.then(|| Journal::create(&args.out, &run.header.run_id)).transpose()?;
    if let Some(journal) = &mut journal {
        journal.append(&lines[0])?;
    }
    run.measure(&mut |line| {
        lines.push(line.clone());
        journal.as_mut().map_or(Ok(()), |journal| journal.append(line))
    })?;
    let mut results = derive::derive(lines.into_iter());
    verdicts::judge(&mut results, Thresholds::default());
    if args.json {
        let json = serde_json::to_string_pretty(&results)?;
        print(&format!("{json}\n"))?;
        ending::say_failures(&results, "");
    } else {
        let absent = reasons::text(&missing(&results), MANY_CELLS);
        let between = if absent.is_empty() { "" } else { "\n" };
        print(&format!("{}{between}{absent}", summary::table(&results)))?;
    }
    if let Some(journal) = &journal {
        ending::derive(journal.dir(), Thresholds::default())?;
        let report = journal.dir().join(run_dir::REPORT);
        // With --json stdout holds nothing but the results.
        if args.json { say(report.display()) } else { print(&format!("\n{}\n", report.display()))? }
    }
    suite::verdict(&results, &args.axes.named_envs(&profile, false), "")
}

/// Cells that are listed below a reason; `--json` names them all.
const MANY_CELLS: usize = 20;

/// The one group of cells that the options describe.
fn profile(axes: &Axes, registry: &Registry) -> Result<Profile, Error> {
    let mut profile = Profile {
        about: "run".into(),
        time: None,
        rounds: 6,
        window: Profile::SHORTEST_WINDOW,
        noise_floor: false,
        cells: vec![CellGroup::default()],
    };
    axes.apply(&mut profile, registry)?;
    Ok(profile)
}

/// Takes one window that is specified completely. This is how `duel` drives its builds.
fn run_spec(path: &str, registry: &Registry) -> Result<Done, Error> {
    let text = input::read_text(Path::new(path), input::WRITTEN_BY_HAND)
        .map_err(|e| Error::file("read the spec", path, e))?;
    let spec: WindowSpec = serde_json::from_str(&text)
        .map_err(|source| Error::Json { what: format!("the spec {path} is no window's spec"), source })?;
    let place = || format!("the spec {path}");
    spec.check().map_err(|e| e.inside(place()))?;
    let registry = &registry.with(shared_object::of_origins(spec.objects()).map_err(|e| e.inside(place()))?);
    if registry.lock(&spec.axes.lock).is_none() {
        return Err(Error::usage(format!("this build has no lock `{}`", spec.axes.lock)).inside(place()));
    }
    proc::check()?;
    scheduling::settle()?;
    let (_, binder) = topology::load(&Source::ThisMachine)?;
    let placer = Placer::new(binder);
    let quotas = Quotas::of_this_process();
    let Ok(taken) = cell::measure(&spec, &Bench { placer: &placer, registry, quotas: &quotas }) else {
        return Ok(Done::Interrupted);
    };
    let round = Round {
        cell: spec.axes.id.clone(),
        round: spec.round,
        purpose: spec.purpose,
        outcome: taken.outcome,
    };
    let json = serde_json::to_string(&round)?;
    print(&format!("{json}\n"))?;
    match round.outcome {
        Outcome::Skipped { reason, passing } => Err(Refusal { reason, passing }.into()),
        _ => Ok(Done::Well),
    }
}
