//! `lockbench history add`.

use std::path::PathBuf;

use lockbench_reports::derive::digest::Digest;
use lockbench_reports::derive::run_dir;
use lockbench_reports::format::printable;
use lockbench_reports::judge::history::Entry;

use super::super::{Ended, print};
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

pub(super) fn run(location: &str, args: &Args) -> Result<Ended, Error> {
    if args.report.is_some() && args.runs.len() > 1 {
        return Err(Error::new("--report names the report of one run; add several runs one by one"));
    }
    // All are read before any is added: a damaged one leaves the history as it was.
    let mut entries = Vec::new();
    for path in &args.runs {
        let results = run_dir::read(path).map_err(|e| Error::new(e.to_string()))?;
        let mut digest = Digest::of(&results);
        if digest.run_id.is_empty() {
            let path = printable(&path.display().to_string());
            return Err(Error::new(format!("{path} states no run id: it cannot be told from other runs")));
        }
        let page = path.join(run_dir::REPORT);
        // The trend page may stand anywhere: a path is kept whole.
        let here = || std::path::absolute(&page).ok().filter(|page| page.exists());
        digest.report = args.report.clone().or_else(|| here().map(|page| page.display().to_string()));
        entries.push(Entry::Run(digest));
    }
    let mut store = history::open(location, true)?;
    for entry in entries {
        let Entry::Run(digest) = &entry else { continue };
        let (run, cells, machine) = (printable(&digest.run_id), digest.cells.len(), digest.machine.key());
        let on = digest.machine.to_string();
        let known = store.put(std::slice::from_ref(&entry))?.known > 0;
        let said = if known { "was there already, and stays as it is" } else { "added" };
        print(&format!("{run}: {said}; {cells} cells, machine {machine} ({on})\n"))?;
    }
    Ok(Ended::Well)
}
