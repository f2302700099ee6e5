//! `lockbench report`: pages of runs that were measured before. Of one run it says what `suite` says at the end.

use std::path::{Path, PathBuf};

use lockbench_reports::derive::run_dir;
use lockbench_reports::judge::verdicts;
use lockbench_reports::record::Results;
use lockbench_reports::show::{html, trace_export};

use super::{Done, ending, print, thresholds};
use crate::Error;
use crate::output::{Written, write_named, write_silently};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Run directories, or results.json or rounds.jsonl files; unfinished runs too
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Where to write the page [default: report.html in the run's directory, or here for several runs]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the traces of one run for ui.perfetto.dev (Chrome trace events) instead of a page
    #[arg(long, value_name = "FILE", conflicts_with = "output")]
    perfetto: Option<PathBuf>,
    /// Print the whole text of one run: the answers in full and every table, as summary.txt has them
    #[arg(long, conflicts_with = "perfetto")]
    full: bool,
    #[command(flatten)]
    thresholds: thresholds::Options,
}

pub(super) fn run(args: &Args) -> Result<Done, Error> {
    let thresholds = args.thresholds.thresholds()?;
    if args.full && args.runs.len() > 1 {
        return Err(Error::usage("--full takes one run: several have no text of their own"));
    }
    let mut results = args.runs.iter().map(|path| run_dir::read(path)).collect::<Result<Vec<_>, _>>()?;
    results.iter_mut().for_each(|results| verdicts::judge(results, thresholds));
    if let Some(path) = &args.perfetto {
        return perfetto(path, &results);
    }
    let page = html::render(&results)?;
    let path = args.output.clone().unwrap_or_else(|| match args.runs.as_slice() {
        [run] if run.is_dir() => run.join(run_dir::REPORT),
        _ => run_dir::REPORT.into(),
    });
    // In a run's own directory everything that is derived from its rounds is made again, as at the end of the run.
    let mut text = None;
    if let ([run], [derived], None) = (args.runs.as_slice(), results.as_slice(), &args.output)
        && run.join(run_dir::ROUNDS).is_file()
    {
        run_dir::write_results(run, derived)?;
        ending::write_text(run, derived)?;
        text = Some(run_dir::SUMMARY);
    }
    let written = write_silently(&path, page.as_bytes())?;
    match (written, args.runs.as_slice(), results.as_slice()) {
        (Written::Stream, ..) => {}
        (Written::File, [run], [results]) => {
            ending::tell_files(results, &ending::Files { run, page: &path, text }, args.full)?;
        }
        (Written::File, ..) => print(&format!("{}\n", path.display()))?,
    }
    Ok(Done::Well)
}

fn perfetto(path: &Path, results: &[Results]) -> Result<Done, Error> {
    let [run] = results else {
        return Err(Error::usage(
            "--perfetto takes one run: times of several would lie on top of each other",
        ));
    };
    let Some(trace) = trace_export::chrome(run) else {
        return Err(Error::usage("this run has no traces: none of its windows was of purpose `trace`"));
    };
    write_named(path, trace.to_string().as_bytes())?;
    Ok(Done::Well)
}
