//! `lockbench duel`: two builds in alternating rounds, the strongest test there is.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use lockbench_reports::derive::run_dir;
use lockbench_reports::judge::compare;
use lockbench_reports::output_file;
use lockbench_reports::record::{Header, Line, Outcome, Results, Round, SCHEMA_VERSION};

use super::axes::Axes;
use super::compare::Output;
use super::{Ended, command_line, say};
use crate::axes::parse_duration;
use crate::duel::{Driver, Duel, FEWEST_ROUNDS};
use crate::plan::{self, Profile};
use crate::suite::{Journal, Progress, Session, something_planned, unmeasured};
use crate::{Error, Registry, interrupt};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The build to compare with
    #[arg(value_name = "BIN_A")]
    base: PathBuf,
    /// The build that is judged
    #[arg(value_name = "BIN_B")]
    new: PathBuf,
    /// What to measure: the cells that a suite of this profile would
    #[arg(long, value_name = "NAME", default_value = "quick", conflicts_with = "config")]
    profile: String,
    /// Profile of your own, in TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Wall time that a suite of these cells would be fitted into; a duel takes several times as long
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    time: Option<Duration>,
    /// Directory for the rounds of both
    #[arg(long, value_name = "DIR", default_value = "lockbench-out")]
    out: PathBuf,
    #[command(flatten)]
    axes: Axes,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(args: &Args, registry: &Registry) -> Result<Ended, Error> {
    let began = Instant::now();
    let rounds = args.axes.rounds().unwrap_or(FEWEST_ROUNDS);
    if rounds < FEWEST_ROUNDS {
        return Err(Error::usage(format!(
            "a duel of {rounds} rounds shows nothing; give at least {FEWEST_ROUNDS}"
        )));
    }
    let mut profile = match &args.config {
        Some(path) => Profile::read(path, registry)?,
        None => Profile::built_in(&args.profile, registry)?,
    };
    let suite_rounds = profile.rounds;
    args.axes.apply(&mut profile, registry)?;
    interrupt::install()?;
    let builds = [Driver::open(&args.base)?, Driver::open(&args.new)?];
    let session = Session::open(args.axes.cpu_list()?.as_ref(), &profile.envs())?;
    let timing = session.timing(profile.window.as_nanos() as u64);
    let (cells, refused) = session.cells(&profile, registry);
    let mut fitted = plan::fit(cells, &timing, suite_rounds, args.time.or(profile.time), false);
    fitted.dropped.extend(refused);
    something_planned(&fitted.cells, &fitted.dropped)?;
    let seed = args.axes.seed();
    let started = jiff::Timestamp::now();
    let run_id = format!("{}-duel-{:04x}", started.strftime("%Y%m%dT%H%M%SZ"), fastrand::u16(..));
    let dir = args.out.join(&run_id);
    let mut journals = [Journal::create(&dir, "a")?, Journal::create(&dir, "b")?];
    for ((journal, build), side) in journals.iter_mut().zip(&builds).zip(["a", "b"]) {
        let mut machine = session.machine.clone();
        machine.lockbench = format!("{} ({})", build.version, build.name());
        journal.append(&Line::Header(Header {
            schema_version: SCHEMA_VERSION,
            run_id: format!("{run_id}-{side}"),
            started_at: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            command: command_line(),
            seed,
            profile: "duel".into(),
            rounds,
            window_ns: timing.window_ns,
            machine,
            locks: registry.descriptors(fitted.cells.iter().map(|cell| cell.lock)),
            cells: fitted.cells.iter().map(|cell| cell.axes.record()).collect(),
            dropped: fitted.dropped.clone(),
        }))?;
    }
    let windows = 2 * u64::from(rounds) * plan::round(&fitted.cells, &[], seed, 0).len() as u64;
    let estimate = fitted.estimate * 2 * rounds / suite_rounds + STARTING * windows as u32;
    say(format!(
        "{} cells x {rounds} rounds x 2 builds, about {:.0} s, on CPUs {}; leave the machine alone until it \
         is done.",
        fitted.cells.len(),
        estimate.as_secs_f64().ceil(),
        session.topology.cpus()
    ));
    session.tell_limits();
    let mut progress = Progress::new(windows, estimate);
    let duel = Duel { builds: &builds, plan: &fitted, timing, rounds, seed, session: &session };
    let mut measuring_ns = [0, 0];
    let ran = duel.run(
        &mut |side, line| {
            measuring_ns[side] += measuring(line);
            journals[side].append(line)
        },
        &mut progress,
    );
    progress.finish();
    ran?;
    let [base, new] = &mut journals;
    let (base, new) = (finish(base, began, measuring_ns[0])?, finish(new, began, measuring_ns[1])?);
    let comparison = compare::duel(&base, &new, args.output.margin());
    let markdown = dir.join("duel.md");
    output_file::write(&markdown, compare::markdown(&comparison).as_bytes())?;
    let ended = args.output.print(&comparison)?;
    say(format!("the rounds of both are in {}", dir.display()));
    if interrupt::requested() {
        return Ok(Ended::Interrupted);
    }
    let named = args.axes.named_envs(&profile, args.config.is_some());
    for (build, results) in builds.iter().zip([&base, &new]) {
        if let Some(what) = unmeasured(results, &named) {
            return Err(Error::Nothing(format!("{} {what}", build.name())));
        }
    }
    Ok(ended)
}

/// A build's process comes on top of its window: it looks at the machine once more.
const STARTING: Duration = Duration::from_millis(100);

/// Warm-up and window, as far as the parent of the build's own process can know.
fn measuring(line: &Line) -> u64 {
    match line {
        Line::Round(Round { outcome: Outcome::Measured(measured), .. }) => {
            measured.warmup_ns + measured.window_ns
        }
        _ => 0,
    }
}

fn finish(journal: &mut Journal, began: Instant, measuring_ns: u64) -> Result<Results, Error> {
    let wall = began.elapsed();
    journal.append(&Line::End {
        interrupted: interrupt::requested(),
        wall_seconds: wall.as_secs_f64(),
        measuring_share: measuring_ns as f64 / wall.as_nanos() as f64,
        stopped: None,
    })?;
    let results = run_dir::read(journal.dir())?;
    run_dir::write_results(journal.dir(), &results)?;
    Ok(results)
}
