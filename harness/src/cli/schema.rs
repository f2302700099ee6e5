//! `lockbench schema`: the JSON Schema of results.json, or every field as a page.

use lockbench_reports::record::{fields, schema};

use super::{Done, print};
use crate::Error;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Print every field of rounds.jsonl and results.json, with its type and meaning, in Markdown
    #[arg(long)]
    fields: bool,
}

pub(super) fn run(args: &Args) -> Result<Done, Error> {
    let text = if args.fields { fields::page() } else { schema::schema() + "\n" };
    print(&text)?;
    Ok(Done::Well)
}
