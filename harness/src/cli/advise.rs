//! `lockbench advise`: which lock to take, from what was measured on this machine.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lockbench_reports::derive::digest::{Digest, Identity};
use lockbench_reports::derive::run_dir;
use lockbench_reports::format::{counted, duration, percent, printable, rate, significant};
use lockbench_reports::judge::advice::{Candidate, Evidence, Question, of_nights, of_runs, rank};
use lockbench_reports::judge::verdicts;
use lockbench_reports::record::{Kept, Machine, Results, Served, Thresholds};
use lockbench_reports::show::ending::{Layout, Paint};

use super::shared_locks::SharedLocks;
use super::{Done, ending, print, suite, thresholds};
use crate::axes::{Axis, Workload, parse_duration};
use crate::output::{columns, say, shows_colours};
use crate::plan::{CellGroup, Profile};
use crate::suite::{Asked, Run};
use crate::topology::{self, Source};
use crate::{Error, Registry, interrupt};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Number of vCPUs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    vcpus: u32,
    /// Number of CPUs that they share
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    on: u32,
    /// Length of the critical section: 500ns
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    section: Duration,
    /// A lock to find among the others
    #[arg(long, value_name = "NAME")]
    lock: Option<String>,
    /// Measure first what the answer needs
    #[arg(long)]
    measure: bool,
    /// Directory of runs
    #[arg(long, value_name = "DIR", default_value = "lockbench-out")]
    out: PathBuf,
    /// A history whose nights are evidence beside the runs: a file, or postgres://user@host/database [default: lockbench-history.db,
    /// where it is there]
    #[arg(long, value_name = "PATH|URL")]
    history: Option<String>,
    #[command(flatten)]
    pub(super) shared_locks: SharedLocks,
    #[command(flatten)]
    thresholds: thresholds::Options,
}

/// Runs that are looked at, and nights of a history: the newest ones.
const MOST_RUNS: usize = 30;

impl Args {
    fn question(&self) -> Question {
        Question { vcpus: self.vcpus, pcpus: self.on, section_ns: self.section.as_nanos() as f64 }
    }

    /// `4 vCPUs on 2 CPUs with sections of about 500 ns`.
    fn asked(&self) -> String {
        format!("{} with sections of about {}", self.size(), duration(self.section.as_nanos() as f64))
    }

    /// `4 vCPUs on 2 CPUs`.
    fn size(&self) -> String {
        format!("{} on {}", counted(self.vcpus as usize, "vCPU"), counted(self.on as usize, "CPU"))
    }
}

pub(super) fn run(args: &Args, registry: &Registry) -> Result<Done, Error> {
    let thresholds = args.thresholds.thresholds()?;
    if let Some(lock) = &args.lock {
        registry.lock(lock).ok_or_else(|| {
            Error::usage(format!("this build has no lock `{}`; lockbench list names all", printable(lock)))
        })?;
    }
    let (topology, _) = topology::load(&Source::ThisMachine)?;
    let cpus = topology.pus.len();
    if args.on as usize > cpus {
        return Err(Error::usage(format!("this process may use {cpus} CPUs; give --on 1 to {cpus}")));
    }
    let profile = profile(args, registry)?;
    let done = if args.measure { measure(args, &profile, thresholds, registry)? } else { Done::Well };
    if matches!(done, Done::Interrupted) {
        return Ok(done);
    }
    let runs = runs(&args.out, thresholds)?;
    let machine: Machine = crate::system::describe(&topology);
    let nights = nights(args, &machine)?;
    let mut candidates = of_runs(&runs, &machine, args.question());
    candidates.extend(of_nights(&nights, &machine, args.question(), &thresholds, section_ns));
    let ranked = rank(candidates, args.question());
    if ranked.is_empty() {
        print(&without_evidence(args, &profile, runs.len(), nights.len()))?;
    } else {
        print(&advice(args, &ranked))?;
    }
    Ok(done)
}

/// The newest runs of a directory that can be read, with their verdicts.
fn runs(out: &Path, thresholds: Thresholds) -> Result<Vec<Results>, Error> {
    let entries = match std::fs::read_dir(out) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::file("read the directory of runs", out.display().to_string(), e)),
    };
    // A run's name begins with its date.
    let mut dirs: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    dirs.retain(|dir| [run_dir::ROUNDS, run_dir::RESULTS].iter().any(|name| dir.join(name).is_file()));
    dirs.sort();
    let mut runs = Vec::new();
    for dir in dirs.iter().rev().take(MOST_RUNS) {
        match run_dir::read(dir) {
            Ok(mut results) => {
                verdicts::judge(&mut results, thresholds);
                runs.push(results);
            }
            Err(why) => say(format!("a run is left out: {why}")),
        }
    }
    Ok(runs)
}

/// The newest nights of this machine in the history that is asked for, or in the one that lies here.
fn nights(args: &Args, machine: &Machine) -> Result<Vec<Digest>, Error> {
    let location = match &args.history {
        Some(location) => location.as_str(),
        None if Path::new(super::history::DEFAULT).is_file() => super::history::DEFAULT,
        None => return Ok(Vec::new()),
    };
    let mut nights = Vec::new();
    let key = Identity::of(machine).key();
    crate::history::open(location, false)?.each(&key, Some(MOST_RUNS), &mut |night| {
        nights.push(night);
        Ok(())
    })?;
    Ok(nights)
}

/// Length of the section that a workload's name stands for; none in an open loop or where there are several locks, and none of a name
/// that this build does not know.
fn section_ns(workload: &str) -> Option<f64> {
    let asked = |workload: &Workload| !workload.think.open && workload.locks == 1;
    Workload::parse(workload).ok().filter(asked).map(|workload| workload.section_ns)
}

/// What the answer needs: the core locks and the user's own at 1x and with the vCPUs asked for.
fn profile(args: &Args, registry: &Registry) -> Result<Profile, Error> {
    let text = |texts: &[&str]| toml::Value::Array(texts.iter().map(|&t| t.into()).collect());
    let mut locks = vec!["core", "own", "tas", "virt-spin"];
    locks.extend(args.lock.as_deref());
    let section = format!("work:{}ns", args.section.as_nanos());
    let (vcpus, on) = (args.vcpus.to_string(), args.on.to_string());
    let mut group = CellGroup::default();
    group.set("locks", &text(&locks), registry)?;
    group.set("envs", &text(&["emulated", "kvm"]), registry)?;
    group.set("workloads", &text(&[&section]), registry)?;
    group.set("on", &text(&[&on]), registry)?;
    group.set("vcpus", &text(&[&on, &vcpus]), registry)?;
    group.set("latency", &toml::Value::Boolean(true), registry)?;
    let profile = Profile {
        about: "advise".into(),
        time: None,
        rounds: 6,
        window: Profile::SHORTEST_WINDOW,
        noise_floor: true,
        cells: vec![group],
    };
    profile.check()?;
    Ok(profile)
}

/// Measures what the answer needs. A run that measured nothing is an error, as it is in `suite`.
fn measure(
    args: &Args,
    profile: &Profile,
    thresholds: Thresholds,
    registry: &Registry,
) -> Result<Done, Error> {
    interrupt::install()?;
    let seed = fastrand::u64(..1 << 32);
    let asked = Asked { name: "advise", profile, pcpus: None, seed, began: Instant::now() };
    let journal = suite::kept(&Run::set_up(asked, registry)?, &args.out, profile.rounds)?;
    let results = ending::derive(journal.dir(), thresholds)?;
    suite::kept_verdict(&results, &[], &journal)
}

fn layout() -> Layout {
    Layout { width: columns().unwrap_or(usize::MAX), colours: shows_colours(&io::stdout()) }
}

/// What is said where no run answers the question.
fn without_evidence(args: &Args, profile: &Profile, runs: usize, nights: usize) -> String {
    let layout = layout();
    let out = args.out.display();
    let history = match nights {
        0 => String::new(),
        _ => format!(
            " None of the {nights} newest nights of this machine in the history measured {}.",
            args.asked()
        ),
    };
    let none = match runs {
        0 => format!("{out} holds no run.{history}"),
        _ => format!(
            "None of the {runs} newest runs in {out} is of this machine and measured {}.{history}",
            args.asked()
        ),
    };
    let need = format!(
        "the core locks, tas, virt-spin and your own at 1x and with {}, sections of {}, emulated and in kvm, {} \
         rounds of {} windows; --measure does so now",
        args.size(),
        duration(args.section.as_nanos() as f64),
        profile.rounds,
        duration(profile.window.as_nanos() as f64)
    );
    layout.line("no answer", &none, Paint::Bold) + &layout.line("needs", &format!("{need}."), Paint::Plain)
}

/// The locks, best first, with what each rests on.
fn advice(args: &Args, ranked: &[Candidate]) -> String {
    let layout = layout();
    let env = printable(&ranked[0].env);
    let mut text = format!("For {} ({env}), best first:\n", args.asked());
    let rows: Vec<[String; 6]> = ranked.iter().enumerate().map(|(place, one)| row(place + 1, one)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    for row in &rows {
        let padded: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(column, text)| format!("{text}{}", " ".repeat(width(column) - text.chars().count())))
            .collect();
        text.push_str(&format!("  {}\n", padded.join("  ").trim_end()));
    }
    text.push_str(&layout.line("answer", &answer(&ranked[0]), Paint::Bold));
    if let Some(lock) = &args.lock {
        let found = ranked.iter().position(|one| one.lock == *lock);
        let told = match found {
            Some(place) => format!("{} is number {} of {}.", printable(lock), place + 1, ranked.len()),
            None => format!("no run here says anything of {}; --measure runs it.", printable(lock)),
        };
        text.push_str(&layout.line("yours", &told, Paint::Bold));
    }
    text + &layout.line("evidence", &evidence(ranked), Paint::Plain)
}

/// What may be said of the first lock of the ranking.
fn answer(best: &Candidate) -> String {
    let lock = printable(&best.lock);
    let Some(verdict) = &best.verdict else {
        return format!(
            "there are no more vCPUs than CPUs, so none is preempted by another; {lock} is fastest."
        );
    };
    let served = match verdict.service {
        Served::Fair => "and is fair",
        Served::Unfair => "and is unfair",
        Served::Starving => "and starves a vCPU",
        Served::CannotBeTold => "and whether it is fair cannot be told",
    };
    match verdict.rate {
        Kept::Holds => format!("{lock} holds here {served}."),
        Kept::Degrades => format!("no lock is known to hold; {lock} degrades {served}."),
        Kept::Collapses => format!("every lock collapses; {lock} is the fastest of them {served}."),
        Kept::CannotBeTold => {
            "of no lock can it be told whether it holds; a quieter machine, or `lockbench run` with more rounds, tells more.".into()
        }
    }
}

fn row(place: usize, one: &Candidate) -> [String; 6] {
    let verdict = one.verdict.as_ref();
    let kept = verdict.map_or_else(String::new, |verdict| {
        let kept = verdict.kept.map_or_else(String::new, |kept| format!(" {}", percent(kept.median)));
        format!("{}{kept}", verdict.rate.word())
    });
    let served = verdict.map_or_else(String::new, |verdict| match verdict.longest_wait_ns {
        Some(ns) => format!("{}, longest wait {}", verdict.service.word(), duration(ns)),
        None => verdict.service.word().into(),
    });
    let ops = rate(one.rate);
    [format!("{place}."), printable(&one.lock), kept, served, ops, date(one)]
}

/// The day on which it was measured.
fn date(one: &Candidate) -> String {
    printable(one.started_at.split('T').next().unwrap_or_default())
}

/// The runs that the ranking rests on, and how its sections differ from the one asked for.
fn evidence(ranked: &[Candidate]) -> String {
    let mut runs: Vec<String> = Vec::new();
    let mut sections: Vec<f64> = Vec::new();
    for one in ranked {
        let from = match one.from {
            Evidence::Run => "",
            Evidence::History => " (history)",
        };
        let run = format!("{} of {}{from}", printable(&one.run_id), date(one));
        if !runs.contains(&run) {
            runs.push(run);
        }
        if !sections.contains(&one.section_ns) {
            sections.push(one.section_ns);
        }
    }
    let by_history = ranked.iter().any(|one| one.from == Evidence::History);
    let sections: Vec<String> = sections.into_iter().map(significant).collect();
    format!(
        "{}; sections of {} ns were run.{} One saturated lock on this machine; another program may ask for it less often.",
        runs.join(", "),
        sections.join(" and "),
        if by_history { " A history keeps neither shares nor waits." } else { "" }
    )
}
