//! `lockbench history bless`.

use lockbench_reports::format::printable;
use lockbench_reports::judge::history::{Blessing, HistoryLine};

use super::super::{Done, print};
use super::Which;
use crate::{Error, history};

#[derive(clap::Args)]
pub(super) struct Args {
    /// What changed: a lock, the id of a cell, or * for all
    #[arg(value_name = "CELLS")]
    cells: String,
    /// First run after the change: its id, or its date (the first run of that day)
    #[arg(long, value_name = "RUN|DATE")]
    at: String,
    /// Why the change is right
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(location: &str, args: &Args) -> Result<Done, Error> {
    if args.reason.trim().is_empty() {
        return Err(Error::usage("give the reason for accepting the change"));
    }
    let mut store = history::open(location, false)?;
    let machine = args.which.of(store.as_mut())?;
    let runs = store.runs()?;
    let run = runs
        .iter()
        .filter(|run| run.machine == machine)
        .find(|run| run.run_id == args.at || (args.at.len() == 10 && run.started_at.starts_with(&args.at)))
        .ok_or_else(|| {
            let at = args.at.escape_debug();
            Error::usage(format!(
                "the history of {machine} holds no run `{at}`; `lockbench history list` shows them"
            ))
        })?;
    let mut covered = false;
    let blessing = Blessing {
        machine: machine.clone(),
        cells: args.cells.clone(),
        run_id: run.run_id.clone(),
        reason: args.reason.clone(),
        blessed_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    store.each(&machine, None, &mut |digest| {
        covered |= digest.cells.iter().any(|cell| blessing.covers(&cell.id));
        Ok(())
    })?;
    if !covered {
        let cells = args.cells.escape_debug();
        return Err(Error::usage(format!(
            "no cell in the history of {machine} is `{cells}`, or of that lock"
        )));
    }
    let (cells, at) = (printable(&blessing.cells), printable(&blessing.run_id));
    let known = store.put(&[HistoryLine::Blessing(blessing)])?.known > 0;
    let said = if known { "was blessed before, and keeps its reason" } else { "blessed" };
    print(&format!("{cells} at {at}: {said}\n"))?;
    Ok(Done::Well)
}
