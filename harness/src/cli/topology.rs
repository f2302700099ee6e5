//! `lockbench topology`: the machine as hwloc sees it.

use super::{Done, print};
use crate::Error;
use crate::topology::{self, Source};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Another machine: an hwloc XML file (with a / or ending in .xml) or a synthetic description
    #[arg(long, value_name = "FILE|SYNTHETIC")]
    topology: Option<String>,
    /// How many vCPUs to place
    #[arg(long, value_name = "N", default_value_t = 8)]
    vcpus: usize,
}

pub(super) fn run(args: &Args) -> Result<Done, Error> {
    let source = args.topology.as_deref().map_or(Source::ThisMachine, Source::from_argument);
    let (machine, _) = topology::load(&source)?;
    print(&topology::describe(&machine, args.vcpus))?;
    Ok(Done::Well)
}
