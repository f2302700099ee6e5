//! `lockbench check`: would this lock collapse when oversubscribed?

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lockbench_reports::derive::run_dir;
use lockbench_reports::judge::check::{Answer, Check, check};
use lockbench_reports::record::{Results, Thresholds};
use lockbench_reports::show::check as shown;
use lockbench_reports::show::ending::{Layout, Paint, missing};
use lockbench_reports::show::summary;
use lockbench_reports::statistics::MIN_ROUNDS;

use super::axes::Axes;
use super::shared_locks::SharedLocks;
use super::{Done, ending, print, suite, thresholds};
use crate::axes::{Axis, Lock, Size, parse_duration};
use crate::output::{columns, shows_colours};
use crate::plan::{self, Profile};
use crate::suite::{Journal, Run};
use crate::{Error, Registry, interrupt};

pub(super) const EXIT_STATUS: &str = "Exit status: 0 the lock does not collapse; 1 it collapses, or it broke exclusion, crashed or \
hung; 2 it cannot be told whether it collapses, or the check could not do what was asked: bad usage or input, no permission, a full \
disk, nothing measured; 130 interrupted, partial results written.";

#[derive(clap::Args)]
pub(super) struct Args {
    /// The lock: one that `list` names, or your own. --locks names those beside it [default: ticket,queued,pv-queued,std-mutex],
    /// --overcommit the steps [default: 1,2,3,4], --envs the environments [default: emulated,kvm]
    #[arg(value_name = "LOCK")]
    lock: String,
    /// Wall time, which is used for as many rounds as fit into it, at least 6: 2m [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    time: Option<Duration>,
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

pub(super) fn run(args: &Args, registry: &Registry) -> Result<Done, Error> {
    let began = Instant::now();
    let thresholds = args.thresholds.thresholds()?;
    let lock = Lock::named(&args.lock, registry, &[])?;
    let profile = profile(args, lock, registry)?;
    interrupt::install()?;
    let mut run = Run::set_up(args.axes.asked("check", &profile, began)?, registry)?;
    too_little_time(&run, lock, profile.time)?;
    if args.axes.rounds().is_none() {
        run.fill();
    }
    let journal = suite::kept(&run, &args.out, run.header.rounds)?;
    finish(&journal, lock, thresholds, &args.axes.named_envs(&profile, false))
}

/// What is measured: the lock at each step of overcommit and at 1x, and others beside it.
fn profile(args: &Args, lock: Lock, registry: &Registry) -> Result<Profile, Error> {
    if args.axes.gives(&Size::FLAGS[1]) {
        return Err(Error::usage("a check goes by vCPUs per pCPU: give --overcommit in place of --vcpus"));
    }
    let mut profile = Profile::of_check(registry)?;
    args.axes.apply(&mut profile, registry)?;
    profile.time = args.time.or(profile.time);
    if let Some(checked) = profile.cells.first_mut() {
        checked.locks = Some(vec![lock]);
    }
    for group in &mut profile.cells {
        // What a lock keeps is told by its rate at 1x.
        let one = Size::Factor(1.0);
        if !group.lists.size.contains(&one) {
            group.lists.size.insert(0, one);
        }
    }
    Ok(profile)
}

/// An error where not all cells of the lock fit into the time: what is left would be another check than was asked for.
fn too_little_time(run: &Run, lock: Lock, time: Option<Duration>) -> Result<(), Error> {
    let (whose, reason) = (format!("{}/", lock.name()), plan::does_not_fit(time));
    let cut = |dropped: &lockbench_reports::record::Dropped| {
        dropped.cell.starts_with(&whose) && dropped.reason == reason
    };
    if run.header.dropped.iter().any(cut) {
        let rounds = run.header.rounds;
        return Err(Error::usage(format!("{rounds} rounds of {} alone: {reason}", lock.name())));
    }
    Ok(())
}

/// Derives the run's files, prints the verdict with what it rests on, and gives it as exit status.
fn finish(journal: &Journal, lock: Lock, thresholds: Thresholds, named: &[String]) -> Result<Done, Error> {
    let results = ending::derive(journal.dir(), thresholds)?;
    let checked = check(&results, lock.name());
    let layout = Layout { width: columns().unwrap_or(usize::MAX), colours: shows_colours(&io::stdout()) };
    print(&text(&results, lock.name(), &checked, layout))?;
    print(&format!("{}\n", journal.dir().join(run_dir::REPORT).display()))?;
    // Other locks that failed say nothing of this one.
    match suite::kept_verdict(&results, named, journal)? {
        Done::Well | Done::Negative => Ok(checked.answer.into()),
        ended => Ok(ended),
    }
}

/// The verdict, the table below it, what is missing, and what would tell more.
fn text(results: &Results, lock: &str, checked: &Check, layout: Layout) -> String {
    let paint = match checked.answer {
        Answer::StaysUp => Paint::Good,
        Answer::Collapses | Answer::Fails => Paint::Bad,
        Answer::CannotBeTold => Paint::Middling,
    };
    let table = shown::table(results, lock);
    let between = if table.is_empty() { "" } else { "\n" };
    let mut text = format!(
        "\n{}{between}{table}{between}{}{}{}",
        layout.line("verdict", &checked.said, paint),
        layout.line("exclusion", &shown::exclusion(results, lock), Paint::Plain),
        summary::stopped(results),
        missing(results, layout, |other| other != lock),
    );
    // Of a run with too few rounds the verdict says so.
    let open = checked.answer == Answer::CannotBeTold && results.rounds as usize >= MIN_ROUNDS;
    if let Some(more) = ending::tells_more_of(results).filter(|_| open) {
        text.push_str(&layout.line("next", &more, Paint::Bold));
    }
    text
}

impl From<Answer> for Done {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::StaysUp => Self::Well,
            Answer::Collapses | Answer::Fails => Self::Negative,
            Answer::CannotBeTold => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_cannot_be_told_is_neither_good_nor_bad() {
        let ended = [Answer::StaysUp, Answer::Collapses, Answer::Fails, Answer::CannotBeTold].map(Done::from);
        assert_eq!(ended, [Done::Well, Done::Negative, Done::Negative, Done::Failed]);
    }
}
