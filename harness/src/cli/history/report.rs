//! Follows.

use super::super::Ended;
use super::Which;
use crate::Error;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(_location: &str, _args: &Args) -> Result<Ended, Error> {
    Err(Error::new("follows"))
}
