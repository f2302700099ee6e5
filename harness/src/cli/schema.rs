//! `lockbench schema`: the JSON Schema of results.json.

use super::{Ended, print};
use crate::Error;

pub(super) fn run() -> Result<Ended, Error> {
    print(&format!("{}\n", lockbench_reports::record::schema::schema()))?;
    Ok(Ended::Well)
}
