//! `lockbench duel`: two builds in alternating rounds, the strongest test there is.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use lockbench_reports::derive::run_dir;
use lockbench_reports::judge::compare;
use lockbench_reports::output_file;
use lockbench_reports::record::{Line, Outcome, Results, Round};

use super::axes::Axes;
use super::compare::Output;
use super::shared_locks::SharedLocks;
use super::{Done, ending, say};
use crate::axes::parse_duration;
use crate::duel::{Driver, Duel, FEWEST_ROUNDS};
use crate::plan::Profile;
use crate::suite::{Journal, Run, unmeasured};
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
    /// Rounds of a second stage, which only the cells take that are not clear after the first, at most a third of them: 0 or at
    /// least 12
    #[arg(long, value_name = "N", default_value_t = FEWEST_ROUNDS)]
    second_stage: u32,
    /// Directory for the rounds of both
    #[arg(long, value_name = "DIR", default_value = "lockbench-out")]
    out: PathBuf,
    #[command(flatten)]
    pub(super) shared_locks: SharedLocks,
    #[command(flatten)]
    axes: Axes,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(args: &Args, registry: &Registry) -> Result<Done, Error> {
    let began = Instant::now();
    let rounds = args.axes.rounds().unwrap_or(FEWEST_ROUNDS);
    if rounds < FEWEST_ROUNDS {
        return Err(Error::usage(format!(
            "a duel of {rounds} rounds shows nothing; give at least {FEWEST_ROUNDS}"
        )));
    }
    let second_stage = args.second_stage;
    if second_stage != 0 && second_stage < FEWEST_ROUNDS {
        return Err(Error::usage(format!(
            "a second stage of {second_stage} rounds shows nothing; give at least {FEWEST_ROUNDS}, or 0 for none"
        )));
    }
    let mut profile = Profile::of(args.config.as_deref(), &args.profile, registry)?;
    let suite_rounds = profile.rounds;
    args.axes.apply(&mut profile, registry)?;
    // The plan is that of a suite; only the number of rounds differs.
    profile.rounds = suite_rounds;
    profile.time = args.time.or(profile.time);
    profile.noise_floor = false;
    interrupt::install()?;
    let builds = [Driver::open(&args.base)?, Driver::open(&args.new)?];
    let mut run = Run::set_up(args.axes.asked("duel", &profile, began)?, registry)?;
    run.header.rounds = rounds;
    run.header.second_stage = second_stage;
    let dir = args.out.join(&run.header.run_id);
    let mut journals = [Journal::create(&dir, "a")?, Journal::create(&dir, "b")?];
    for ((journal, build), side) in journals.iter_mut().zip(&builds).zip(["a", "b"]) {
        let mut header = run.header.clone();
        header.run_id = format!("{}-{side}", header.run_id);
        header.machine.lockbench = format!("{} ({})", build.version, build.name());
        journal.append(&Line::Header(header))?;
    }
    let mut duel = Duel::new(&builds, &run, suite_rounds);
    let first = duel.first();
    say(run.opening(&format!("{rounds} rounds x 2 builds"), duel.estimate(&first)));
    run.session.tell_limits();
    let mut measuring_ns = [0, 0];
    let margin = args.output.margin();
    let mut stage = Some(first);
    while let Some(now) = stage.take() {
        duel.measure(&now, &mut |side, line| {
            measuring_ns[side] += measuring(line);
            journals[side].append(line)
        })?;
        if now.cells.is_none() && second_stage > 0 && !interrupt::requested() {
            let [base, new] = [&journals[0], &journals[1]].map(|journal| run_dir::read(journal.dir()));
            let unclear = compare::unclear(&base?, &new?, margin);
            stage = (!unclear.is_empty()).then(|| duel.second(&unclear));
            if let Some(second) = &stage {
                say(format!(
                    "not clear: {} of {} cells, which take {second_stage} more rounds, about {:.0} s",
                    unclear.len(),
                    run.plan.cells.len(),
                    duel.estimate(second).as_secs_f64().ceil()
                ));
            }
        }
    }
    let [base, new] = &mut journals;
    let (base, new) = (finish(base, began, measuring_ns[0])?, finish(new, began, measuring_ns[1])?);
    let comparison = compare::duel(&base, &new, margin);
    let markdown = dir.join("duel.md");
    output_file::write(&markdown, compare::markdown(&comparison).as_bytes())?;
    let ended = args.output.print(&comparison)?;
    for (build, results) in builds.iter().zip([&base, &new]) {
        ending::say_failures(results, &format!("{}: ", build.name()));
    }
    say(format!("the rounds of both are in {}", dir.display()));
    if interrupt::requested() {
        return Ok(Done::Interrupted);
    }
    let named = args.axes.named_envs(&profile, args.config.is_some());
    for (build, results) in builds.iter().zip([&base, &new]) {
        if let Some(what) = unmeasured(results, &named) {
            return Err(Error::Nothing(format!("{} {what}", build.name())));
        }
    }
    Ok(ended)
}

/// Warm-up and window of a spec, in nanoseconds: the measuring time as far as this process knows it.
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
