//! `lockbench history list`.

use std::fmt::Write;

use lockbench_reports::derive::digest::changes;
use lockbench_reports::format::printable;

use super::super::{Ended, print};
use crate::{Error, history};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Print JSON lines: machine, run and start of each run
    #[arg(long)]
    json: bool,
}

pub(super) fn run(location: &str, args: &Args) -> Result<Ended, Error> {
    let mut store = history::open(location, false)?;
    let runs = store.runs()?;
    let mut text = String::new();
    if args.json {
        for run in &runs {
            let line = serde_json::json!({
                "machine": run.machine, "run_id": run.run_id, "started_at": run.started_at
            });
            let _ = writeln!(text, "{line}");
        }
        print(&text)?;
        return Ok(Ended::Well);
    }
    let mut machines: Vec<&String> = runs.iter().map(|run| &run.machine).collect();
    machines.dedup();
    if machines.is_empty() {
        text.push_str("The history holds no run yet.\n");
    }
    for machine in machines {
        let mut before = None;
        store.each(machine, None, &mut |digest| {
            if before.is_none() {
                let _ =
                    writeln!(text, "{machine}  {}  {}", digest.machine, printable(&digest.machine.topology));
            }
            let mut said = String::new();
            if let Some(before) = &before {
                for change in changes(before, &digest.environment) {
                    let _ = write!(said, "  {change}");
                }
            }
            if digest.interrupted {
                said.push_str("  cut off before its plan was done");
            }
            let (started, run) = (printable(&digest.started_at), printable(&digest.run_id));
            let _ = writeln!(text, "  {started}  {run}  {} cells{said}", digest.cells.len());
            before = Some(digest.environment);
            Ok(())
        })?;
        for blessing in store.blessings(machine)? {
            let [run, cells, reason] =
                [&blessing.run_id, &blessing.cells, &blessing.reason].map(|text| printable(text));
            let _ = writeln!(text, "  blessed {cells} at {run}: {reason}");
        }
    }
    print(&text)?;
    Ok(Ended::Well)
}
