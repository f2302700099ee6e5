//! How a measured run ends: its files are derived, and the verdict is printed.

use std::io;
use std::path::Path;

use lockbench_reports::derive::run_dir;
use lockbench_reports::judge::verdicts::{self, main_step, steps, tells_more};
use lockbench_reports::output_file;
use lockbench_reports::record::{Results, Status, Thresholds};
use lockbench_reports::show::ending::{Layout, Paint, ending, missing};
use lockbench_reports::show::failures::{Failure, failures};
use lockbench_reports::show::{html, summary};

use super::{print, say};
use crate::Error;
use crate::output::{columns, shows_colours};

/// Derives everything that a run's directory holds beside its rounds, and gives the results.
pub(super) fn derive(dir: &Path, thresholds: Thresholds) -> Result<Results, Error> {
    let mut results = run_dir::read(dir)?;
    verdicts::judge(&mut results, thresholds);
    run_dir::write_results(dir, &results)?;
    write_text(dir, &results)?;
    let page = html::render(std::slice::from_ref(&results))?;
    output_file::write(&dir.join(run_dir::REPORT), page.as_bytes())?;
    Ok(results)
}

/// Writes the whole text of a run into its directory: the verdict, then the answers in full and the tables.
pub(super) fn write_text(dir: &Path, results: &Results) -> Result<(), Error> {
    let text = format!("{}\n{}", ending(results, Layout::PLAIN), summary::whole(results));
    output_file::write(&dir.join(run_dir::SUMMARY), text.as_bytes())?;
    Ok(())
}

/// Where the files of a run lie that its end names.
pub(super) struct Files<'a> {
    /// The run as a command takes it: its directory, or a file of it.
    pub(super) run: &'a Path,
    /// Its page.
    pub(super) page: &'a Path,
    /// Its whole text; none where no file holds it.
    pub(super) text: Option<&'a str>,
}

impl<'a> Files<'a> {
    /// Those of a run's own directory.
    fn of(dir: &'a Path, page: &'a Path) -> Self {
        Self { run: dir, page, text: Some(run_dir::SUMMARY) }
    }
}

/// Prints the end of a run whose directory is `dir`; the path of its report comes last.
pub(super) fn tell(results: &Results, dir: &Path, full: bool) -> Result<(), Error> {
    tell_files(results, &Files::of(dir, &dir.join(run_dir::REPORT)), full)
}

/// Prints the end of a run; the path of its page comes last.
pub(super) fn tell_files(results: &Results, files: &Files<'_>, full: bool) -> Result<(), Error> {
    let layout = Layout { width: columns().unwrap_or(usize::MAX), colours: shows_colours(&io::stdout()) };
    let measured = results.cells.iter().any(|cell| cell.status != Status::Skipped);
    let mut text = String::new();
    if full {
        text.push_str(&format!("\n{}\n", summary::whole(results)));
    }
    if measured && !full {
        text.push_str(&format!("\n{}", ending(results, layout)));
    }
    if !full {
        text.push_str(&summary::stopped(results));
        text.push_str(&missing(results, layout, |_| true));
    }
    if measured {
        text.push_str(&layout.line("next", &next(results, files), Paint::Bold));
    }
    print(&format!("{text}{}\n", files.page.display()))
}

/// Says on stderr what killed, hung or broke cells, where stdout is for programs.
pub(super) fn say_failures(results: &Results, of: &str) {
    failures(results).iter().for_each(|Failure { word, said, .. }| say(format!("{of}{word}: {said}")));
}

/// What would tell more of the locks of which it cannot be told whether they hold.
pub(super) fn tells_more_of(results: &Results) -> Option<String> {
    let steps = steps(results);
    main_step(&steps).and_then(|step| tells_more(results, step)).map(|more| more.replace('`', ""))
}

/// What to do next: the step that would tell most of what this run does not.
fn next(results: &Results, files: &Files<'_>) -> String {
    let what = tells_more_of(results).unwrap_or_else(|| {
        let run = files.run.display();
        format!("lockbench history add {run} keeps this run, so that the next night is judged by it.")
    });
    let whole = match files.text {
        Some(name) => format!("More in {name}."),
        None => "More with --full.".into(),
    };
    format!("{what} {whole}")
}
