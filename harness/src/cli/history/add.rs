//! `lockbench history add`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use lockbench_reports::date;
use lockbench_reports::derive::digest::Digest;
use lockbench_reports::derive::run_dir;
use lockbench_reports::format::{counted, printable};
use lockbench_reports::judge::history::HistoryLine;
use lockbench_reports::show::reasons;

use super::super::{Done, print};
use crate::history::{RunRow, Store};
use crate::output::say;
use crate::{Error, history};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Run directories, or results.json or rounds.jsonl files
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Where that run's report can be found later: a path or a link [default: the run directory's report.html]
    #[arg(long, value_name = "LINK")]
    report: Option<String>,
}

pub(super) fn run(location: &str, args: &Args) -> Result<Done, Error> {
    if args.report.is_some() && args.runs.len() > 1 {
        return Err(Error::usage("--report names the report of one run; add several runs one by one"));
    }
    // All runs are read before any is added: a damaged run leaves the history as it was.
    let now = Timestamp::now();
    let mut entries = Vec::new();
    for path in &args.runs {
        let results = run_dir::read(path)?;
        let mut digest = Digest::of(&results);
        if digest.run_id.is_empty() {
            let path = printable(&path.display().to_string());
            return Err(Error::History(format!(
                "{path} states no run id: it cannot be told from other runs"
            )));
        }
        fit_for_a_history(path, &digest, now)?;
        let page = path.join(run_dir::REPORT);
        // The trend page may stand anywhere: a path is kept whole.
        let here = || std::path::absolute(&page).ok().filter(|page| page.exists());
        digest.report = args.report.clone().or_else(|| here().map(|page| page.display().to_string()));
        entries.push(HistoryLine::Run(digest));
    }
    let mut store = history::open(location, true)?;
    for entry in entries {
        let HistoryLine::Run(digest) = &entry else { continue };
        let (run, cells, machine) = (printable(&digest.run_id), digest.cells.len(), digest.machine.key());
        let on = digest.machine.to_string();
        let known = store.put(std::slice::from_ref(&entry))?.known > 0;
        let said = if known { "was there already, and stays as it is" } else { "added" };
        let skipped: usize = digest.skipped.iter().map(|skipped| skipped.cells.len()).sum();
        let skipped = if skipped > 0 { format!("{skipped} skipped, ") } else { String::new() };
        print(&format!("{run}: {said}; {skipped}{}, machine {machine} ({on})\n", counted(cells, "cell")))?;
        let later = later(store.as_mut(), digest)?;
        if later > 0 && !known {
            say(format!(
                "{run} began before {} already there: the latest night is another",
                counted(later, "run")
            ));
        }
    }
    Ok(Done::Well)
}

/// An error where a run cannot be a night of a history.
fn fit_for_a_history(path: &Path, digest: &Digest, now: Timestamp) -> Result<(), Error> {
    let refused = |why: String| {
        Err(Error::History(format!("{} is not added: {why}", printable(&path.display().to_string()))))
    };
    if digest.is_empty() {
        let reasons = digest.skipped.iter().map(|skipped| (skipped.reason.as_str(), skipped.cells.len()));
        let why = reasons::sentence(reasons);
        let colon = if why.is_empty() { "" } else { ": " };
        return refused(format!("nothing was measured in it, and an empty night is none{colon}{why}"));
    }
    date::night(&digest.started_at, now).map(drop).or_else(|why| refused(why.to_string()))
}

/// How many runs of the same machine began after this one.
fn later(store: &mut dyn Store, digest: &Digest) -> Result<usize, Error> {
    let machine = digest.machine.key();
    let after = |run: &&RunRow| run.machine == machine && run.started_at > digest.started_at;
    Ok(store.runs()?.iter().filter(after).count())
}
