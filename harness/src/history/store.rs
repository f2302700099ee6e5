//! What every keeper of a history can do.

use lockbench_reports::derive::digest::Digest;
use lockbench_reports::judge::history::{Blessing, Entry};

use crate::Error;

/// Version of the tables that this build makes and reads.
pub(crate) const TABLES_VERSION: i32 = 1;

/// What became of entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Put {
    /// New ones.
    pub(crate) added: usize,
    /// Those that were there already.
    pub(crate) known: usize,
}

/// A run without its cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunRow {
    pub(crate) machine: String,
    pub(crate) run_id: String,
    pub(crate) started_at: String,
}

/// A history: runs and blessings, appended and never changed.
pub(crate) trait Store {
    /// Adds all entries or none, in one transaction. Those that are there already are left as they are. NULs in what is
    /// looked up by are replaced, for PostgreSQL refuses them.
    fn put(&mut self, entries: &[Entry]) -> Result<Put, Error>;

    /// All runs, by machine, then oldest first.
    fn runs(&mut self) -> Result<Vec<RunRow>, Error>;

    /// Shows the digests of a machine to `visit`, oldest first, no more than the `latest` ones if so many are given.
    fn each(
        &mut self,
        machine: &str,
        latest: Option<usize>,
        visit: &mut dyn FnMut(Digest) -> Result<(), Error>,
    ) -> Result<(), Error>;

    /// What was accepted on a machine, in the order in which it was.
    fn blessings(&mut self, machine: &str) -> Result<Vec<Blessing>, Error>;
}

/// A digest from its stored text.
pub(super) fn digest(run_id: &str, text: &str) -> Result<Digest, Error> {
    serde_json::from_str(text).map_err(|e| {
        let run_id = lockbench_reports::format::printable(run_id);
        Error::new(format!("the history holds a record of {run_id} that this version cannot read: {e}"))
    })
}

/// The text to be stored of a digest.
pub(super) fn text(digest: &Digest) -> Result<String, Error> {
    serde_json::to_string(digest).map_err(|e| Error::new(e.to_string()))
}
