//! `lockbench run`: some cells, a table.

use std::path::Path;
use std::time::Instant;

use lockbench_reports::derive::{self, reasons::reasons as missing};
use lockbench_reports::record::{Header, Line, Outcome, Round, SCHEMA_VERSION};
use lockbench_reports::show::{reasons, summary};

use super::axes::Axes;
use super::{Ended, command_line, print, suite};
use crate::cell::{self, Bench, WindowSpec};
use crate::plan::{self, CellGroup, Profile};
use crate::suite::{Progress, Session, Suite, something_planned};
use crate::system::proc;
use crate::topology::{self, Source};
use crate::{Error, Placer, Quotas, Refusal, Registry, input, interrupt, scheduling};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    axes: Axes,
    /// Print results.json instead of a table
    #[arg(long)]
    json: bool,
    /// Take one window exactly as this file (- for stdin) specifies, and print its round as JSON
    #[arg(long, value_name = "FILE|-", requires = "json")]
    spec: Option<String>,
}

pub(super) fn run(args: &Args, registry: &Registry) -> Result<Ended, Error> {
    let began = Instant::now();
    interrupt::install()?;
    if let Some(spec) = &args.spec {
        if let Some(option) = args.axes.first() {
            return Err(Error::usage(format!("a spec says all that there is to say; leave out --{option}")));
        }
        return run_spec(spec, registry);
    }
    let profile = profile(&args.axes, registry)?;
    let session = Session::open(args.axes.cpu_list()?.as_ref(), &profile.envs())?;
    let timing = session.timing(profile.window.as_nanos() as u64);
    let (cells, refused) = session.cells(&profile, registry);
    something_planned(&cells, &refused)?;
    session.tell_limits();
    let fitted = plan::fit(cells, &timing, profile.rounds, None, profile.noise_floor);
    let seed = args.axes.seed();
    let started = jiff::Timestamp::now();
    let mut lines = vec![Line::Header(Header {
        schema_version: SCHEMA_VERSION,
        run_id: format!("{}-run-{:04x}", started.strftime("%Y%m%dT%H%M%SZ"), fastrand::u16(..)),
        started_at: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        command: command_line(),
        seed,
        profile: "run".into(),
        rounds: profile.rounds,
        window_ns: timing.window_ns,
        machine: session.machine.clone(),
        locks: registry.descriptors(fitted.cells.iter().map(|cell| cell.lock)),
        cells: fitted.cells.iter().map(|cell| cell.axes.record()).collect(),
        dropped: refused,
    })];
    let windows = plan::round(&fitted.cells, &fitted.twins, seed, 0).len() as u64 * u64::from(profile.rounds);
    let mut progress = Progress::new(windows, fitted.estimate);
    let suite =
        Suite { session: &session, plan: &fitted, timing, rounds: profile.rounds, seed, began, time: None };
    suite.run(
        &mut |line| {
            lines.push(line.clone());
            Ok(())
        },
        &mut progress,
    )?;
    progress.finish();
    let results = derive::derive(lines.into_iter());
    if args.json {
        let json = serde_json::to_string_pretty(&results)?;
        print(&format!("{json}\n"))?;
    } else {
        let absent = reasons::text(&missing(&results), MANY_CELLS);
        let between = if absent.is_empty() { "" } else { "\n" };
        print(&format!("{}{between}{absent}", summary::table(&results)))?;
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

/// One window, as specified to the last detail: how `duel` drives two builds.
fn run_spec(path: &str, registry: &Registry) -> Result<Ended, Error> {
    let text = input::read_text(Path::new(path), input::WRITTEN_BY_HAND)
        .map_err(|e| Error::file("read the spec", path, e))?;
    let spec: WindowSpec = serde_json::from_str(&text)
        .map_err(|source| Error::Json { what: format!("the spec {path} is no window's spec"), source })?;
    let place = || format!("the spec {path}");
    spec.check().map_err(|e| e.inside(place()))?;
    let lock = registry.lock(&spec.axes.lock).ok_or_else(|| {
        Error::usage(format!("this build has no lock `{}`", spec.axes.lock)).inside(place())
    })?;
    proc::check()?;
    scheduling::settle()?;
    let (_, binder) = topology::load(&Source::ThisMachine)?;
    let placer = Placer::new(binder);
    let quotas = Quotas::of_this_process();
    let Ok(taken) = cell::measure(&spec, &Bench { placer: &placer, lock, quotas: &quotas }) else {
        return Ok(Ended::Interrupted);
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
        _ => Ok(Ended::Well),
    }
}
