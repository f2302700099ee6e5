//! `lockbench history export`.

use std::io::{BufWriter, Write};

use lockbench_reports::format::counted;
use lockbench_reports::judge::history::{HistoryLine, JudgedMachine, Judgement, csv, open_metrics};
use lockbench_reports::statistics::MARGIN;

use super::super::Done;
use super::{Which, gather};
use crate::output::{Stdout, cannot_print, say};
use crate::{Error, history};

#[derive(clap::Args)]
pub(super) struct Args {
    /// jsonl can be imported again; csv is for spreadsheets, openmetrics for dashboards
    #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
    format: Format,
    /// Only this many of the latest runs of each machine; all blessings
    #[arg(long, value_name = "N")]
    latest: Option<usize>,
    #[command(flatten)]
    which: Which,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Jsonl,
    Csv,
    Openmetrics,
}

pub(super) fn run(location: &str, args: &Args) -> Result<Done, Error> {
    let mut store = history::open(location, false)?;
    let mut machines: Vec<String> = store.runs()?.into_iter().map(|run| run.machine).collect();
    machines.dedup();
    if args.which.machine.is_some() {
        machines = vec![args.which.of(store.as_mut())?];
    }
    let mut out = BufWriter::new(Stdout);
    let mut first = true;
    let (mut gathered, mut judged) = (Vec::new(), Vec::new());
    for machine in &machines {
        store.each(machine, args.latest, &mut |digest| {
            match args.format {
                Format::Jsonl => line(&mut out, &HistoryLine::Run(digest))?,
                Format::Csv => write(&mut out, &csv(&digest, std::mem::take(&mut first)))?,
                Format::Openmetrics => gathered.push(digest),
            }
            Ok(())
        })?;
        match args.format {
            Format::Jsonl => {
                for blessing in store.blessings(machine)? {
                    line(&mut out, &HistoryLine::Blessing(blessing))?;
                }
            }
            Format::Openmetrics => {
                // Judged by all nights, however few are exported.
                let blessings = store.blessings(machine)?;
                let history = gather(store.as_mut(), machine)?;
                let judgement = Judgement::of(&history, &blessings, MARGIN);
                judged.push(JudgedMachine { machine: machine.clone(), history, judgement });
            }
            Format::Csv => {}
        }
    }
    let aside = store.aside()?;
    let of_these = aside.iter().filter(|(run, _)| machines.contains(&run.machine)).count();
    if of_these > 0 {
        let runs = counted(of_these, "run");
        say(format!("{runs} left out that cannot count; `lockbench history list` says why"));
    }
    if args.format == Format::Openmetrics {
        write(&mut out, &open_metrics(&gathered, &judged))?;
    }
    out.flush().map_err(cannot_print)?;
    Ok(Done::Well)
}

fn line(out: &mut impl Write, entry: &HistoryLine) -> Result<(), Error> {
    let json = serde_json::to_string(entry)?;
    write(out, &format!("{json}\n"))
}

fn write(out: &mut impl Write, text: &str) -> Result<(), Error> {
    out.write_all(text.as_bytes()).map_err(cannot_print)
}
