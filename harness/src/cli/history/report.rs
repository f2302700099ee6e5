//! `lockbench history report`.

use std::path::PathBuf;

use lockbench_reports::show::trend;
use lockbench_reports::statistics::MARGIN;

use super::super::Done;
use super::{Which, gather};
use crate::output::write_named;
use crate::{Error, history};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Where to write the page
    #[arg(short, long, value_name = "FILE", default_value = "lockbench-trend.html")]
    output: PathBuf,
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(location: &str, args: &Args) -> Result<Done, Error> {
    let mut store = history::open(location, false)?;
    let machine = args.which.of(store.as_mut())?;
    let blessings = store.blessings(&machine)?;
    let mut identity = None;
    store.each(&machine, Some(1), &mut |digest| {
        identity = Some(digest.machine);
        Ok(())
    })?;
    let history = gather(store.as_mut(), &machine)?;
    let page = trend::render(&identity.unwrap_or_default(), &history, &blessings, MARGIN)?;
    write_named(&args.output, page.as_bytes())?;
    Ok(Done::Well)
}
