//! `lockbench report`: pages of runs that were measured before.

use std::path::PathBuf;

use lockbench_reports::{html, run_dir};

use super::{Ended, print};
use crate::Error;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Run directories, or results.json or rounds.jsonl files; unfinished runs too
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Where to write the page [default: report.html in the run's directory, or here for several runs]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Ended, Error> {
    let told = |e: lockbench_reports::Error| Error::new(e.to_string());
    let results =
        args.runs.iter().map(|path| run_dir::read(path)).collect::<Result<Vec<_>, _>>().map_err(told)?;
    let page = html::render(&results).map_err(told)?;
    let path = args.output.clone().unwrap_or_else(|| match args.runs.as_slice() {
        [run] if run.is_dir() => run.join(run_dir::REPORT),
        _ => run_dir::REPORT.into(),
    });
    run_dir::write_aside(&path, page.as_bytes()).map_err(told)?;
    print(&format!("{}\n", path.display()))?;
    Ok(Ended::Well)
}
