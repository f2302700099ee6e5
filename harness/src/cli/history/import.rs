//! `lockbench history import`.

use std::path::Path;

use jiff::Timestamp;
use lockbench_reports::date;
use lockbench_reports::format::printable;
use lockbench_reports::judge::history::{HistoryLine, parse_lines};

use super::super::{Done, print, say};
use crate::{Error, history, input};

#[derive(clap::Args)]
pub(super) struct Args {
    /// File with the output of `history export` (- for stdin)
    #[arg(value_name = "FILE|-")]
    file: String,
}

/// Larger than any history, smaller than memory.
const LARGEST: u64 = 2 << 30;

pub(super) fn run(location: &str, args: &Args) -> Result<Done, Error> {
    let shown = if args.file == "-" { "stdin".to_owned() } else { printable(&args.file) };
    let bytes = input::read(Path::new(&args.file), LARGEST).map_err(|e| Error::file("read", &shown, e))?;
    // A cut inside a character must not cost the lines before it.
    let text = String::from_utf8_lossy(&bytes);
    let nothing = |e: Error| e.inside(format!("nothing was imported from {shown}"));
    let lines = parse_lines(&text).map_err(|e| nothing(e.into()))?;
    let now = Timestamp::now();
    let mut entries = Vec::new();
    for entry in lines.entries {
        if let HistoryLine::Run(digest) = &entry {
            let run = printable(&digest.run_id);
            if digest.is_empty() {
                say(format!("{run} is left out: nothing was measured in it, and an empty night is none"));
                continue;
            }
            date::night(&digest.started_at, now)
                .map_err(|why| nothing(Error::History(format!("{run} cannot be a night: {why}"))))?;
        }
        entries.push(entry);
    }
    let put = history::open(location, true)?.put(&entries)?;
    print(&format!("{shown}: {} new, {} were there already\n", put.added, put.known))?;
    if let Some(line) = lines.cut_off {
        say(format!("line {line} of {shown} was cut off while it was written, and is left out"));
    }
    Ok(Done::Well)
}
