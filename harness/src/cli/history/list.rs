//! `lockbench history list`.

use std::collections::BTreeSet;
use std::fmt::Write;

use lockbench_reports::derive::digest::changes;
use lockbench_reports::format::{counted, printable};

use super::super::{Done, print};
use crate::history::RunRow;
use crate::{Error, history};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Print JSON lines: machine, run and start of each run
    #[arg(long)]
    json: bool,
}

pub(super) fn run(location: &str, args: &Args) -> Result<Done, Error> {
    let mut store = history::open(location, false)?;
    let (runs, aside) = (store.runs()?, store.aside()?);
    let mut text = String::new();
    if args.json {
        for run in &runs {
            let _ = writeln!(text, "{}", json(run));
        }
        for (run, why) in &aside {
            let mut line = json(run);
            line["does_not_count"] = why.as_str().into();
            let _ = writeln!(text, "{line}");
        }
        print(&text)?;
        return Ok(Done::Well);
    }
    let machines: BTreeSet<&String> =
        runs.iter().chain(aside.iter().map(|(run, _)| run)).map(|run| &run.machine).collect();
    if machines.is_empty() {
        text.push_str("The history holds no run yet.\n");
    }
    for machine in machines {
        let mut before = None;
        for run in runs.iter().filter(|run| run.machine == *machine) {
            let digest = store.digest(run)?;
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
            if let Some(rounds) = digest.stopped_after {
                let rounds = counted(rounds as usize, "round");
                let _ = write!(said, "  stopped after {rounds}, for its time was up");
            }
            if digest.is_empty() {
                said.push_str("  nothing was measured: it does not count");
            }
            let (started, id) = (printable(&digest.started_at), printable(&digest.run_id));
            let cells = counted(digest.cells.len(), "cell");
            let _ = writeln!(text, "  {started}  {id}  {cells}{said}");
            before = Some(digest.environment);
        }
        for (run, why) in aside.iter().filter(|(run, _)| run.machine == *machine) {
            let _ = writeln!(text, "  {}  does not count: {why}", printable(&run.run_id));
        }
        for blessing in store.blessings(machine)? {
            let [run, cells, reason] =
                [&blessing.run_id, &blessing.cells, &blessing.reason].map(|text| printable(text));
            let _ = writeln!(text, "  blessed {cells} at {run}: {reason}");
        }
    }
    print(&text)?;
    Ok(Done::Well)
}

fn json(run: &RunRow) -> serde_json::Value {
    serde_json::json!({ "machine": run.machine, "run_id": run.run_id, "started_at": run.started_at })
}
