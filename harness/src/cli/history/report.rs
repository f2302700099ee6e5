//! `lockbench history report`.

use std::path::PathBuf;

use lockbench_reports::statistics::MARGIN;
use lockbench_reports::{run_dir, trend};

use super::super::{Ended, print};
use super::{Which, gather};
use crate::{Error, history};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Where to write the page
    #[arg(short, long, value_name = "FILE", default_value = "lockbench-trend.html")]
    output: PathBuf,
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(location: &str, args: &Args) -> Result<Ended, Error> {
    let told = |e: lockbench_reports::Error| Error::new(e.to_string());
    let mut store = history::open(location, false)?;
    let machine = args.which.of(store.as_mut())?;
    let blessings = store.blessings(&machine)?;
    let mut identity = None;
    store.each(&machine, Some(1), &mut |digest| {
        identity = Some(digest.machine);
        Ok(())
    })?;
    let history = gather(store.as_mut(), &machine)?;
    let page = trend::render(&identity.unwrap_or_default(), &history, &blessings, MARGIN).map_err(told)?;
    run_dir::write_aside(&args.output, page.as_bytes()).map_err(told)?;
    print(&format!("{}\n", args.output.display()))?;
    Ok(Ended::Well)
}
