//! `lockbench history import`.

use std::path::Path;

use lockbench_reports::format::printable;
use lockbench_reports::judge::history::parse_lines;
use lockbench_reports::plain;

use super::super::{Ended, print, say};
use crate::{Error, history, input};

#[derive(clap::Args)]
pub(super) struct Args {
    /// What `history export` printed (- for stdin)
    #[arg(value_name = "FILE|-")]
    file: String,
}

/// Larger than any history, smaller than memory.
const LARGEST: u64 = 2 << 30;

pub(super) fn run(location: &str, args: &Args) -> Result<Ended, Error> {
    let shown = if args.file == "-" { "stdin".to_owned() } else { printable(&args.file) };
    let bytes = input::read(Path::new(&args.file), LARGEST)
        .map_err(|e| Error::new(format!("cannot read {shown}: {}", plain::words(&e))))?;
    // A cut inside a character must not cost the lines before it.
    let text = String::from_utf8_lossy(&bytes);
    let lines = parse_lines(&text).map_err(|e| Error::new(format!("{shown}: {e}; nothing was imported")))?;
    let put = history::open(location, true)?.put(&lines.entries)?;
    print(&format!("{shown}: {} new, {} were there already\n", put.added, put.known))?;
    if let Some(line) = lines.cut_off {
        say(format!("line {line} of {shown} was cut off while it was written, and is left out"));
    }
    Ok(Ended::Well)
}
