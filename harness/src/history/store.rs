//! The operations that every store of a history has.

use jiff::Timestamp;
use lockbench_reports::date;
use lockbench_reports::derive::digest::Digest;
use lockbench_reports::format::printable;
use lockbench_reports::judge::history::{Blessing, HistoryLine};

use crate::Error;

/// Version of the tables that this build makes and reads.
pub(crate) const TABLES_VERSION: i32 = 1;

/// How many entries were added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Put {
    /// New entries.
    pub(crate) added: usize,
    /// Entries that were there already.
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
    /// Adds all entries or none, in one transaction. Those that are there already are left as they are; a run that is there
    /// with other content is an error. NULs in what is looked up by are replaced, for PostgreSQL refuses them.
    fn put(&mut self, entries: &[HistoryLine]) -> Result<Put, Error>;

    /// All runs that were ever added, in no order.
    fn rows(&mut self) -> Result<Vec<RunRow>, Error>;

    /// The record of one of them, as it was stored.
    fn record(&mut self, machine: &str, run_id: &str) -> Result<String, Error>;

    /// What was accepted on a machine, in the order in which it was.
    fn blessings(&mut self, machine: &str) -> Result<Vec<Blessing>, Error>;
}

impl dyn Store + '_ {
    /// The runs that count, by machine, then oldest first. They are put in order here and not by a database, for texts of
    /// several time zones are not in the order of their moments.
    pub(crate) fn runs(&mut self) -> Result<Vec<RunRow>, Error> {
        let now = Timestamp::now();
        let dated = |row: RunRow| date::night(&row.started_at, now).ok().map(|moment| (row, moment));
        let mut runs: Vec<(RunRow, Timestamp)> = self.rows()?.into_iter().filter_map(dated).collect();
        runs.sort_by(|(a, at), (b, bt)| (&a.machine, at, &a.run_id).cmp(&(&b.machine, bt, &b.run_id)));
        Ok(runs.into_iter().map(|(row, moment)| RunRow { started_at: date::utc(moment), ..row }).collect())
    }

    /// The runs that do not count, for they are dated as none can be, with the reason. Earlier versions took them in.
    pub(crate) fn aside(&mut self) -> Result<Vec<(RunRow, String)>, Error> {
        let now = Timestamp::now();
        let misdated =
            |row: RunRow| date::night(&row.started_at, now).err().map(|why| (row, why.to_string()));
        let mut aside: Vec<(RunRow, String)> = self.rows()?.into_iter().filter_map(misdated).collect();
        aside.sort_by(|(a, _), (b, _)| (&a.machine, &a.run_id).cmp(&(&b.machine, &b.run_id)));
        Ok(aside)
    }

    /// The digest of a run.
    pub(crate) fn digest(&mut self, run: &RunRow) -> Result<Digest, Error> {
        let mut digest = digest(&run.run_id, &self.record(&run.machine, &run.run_id)?)?;
        digest.started_at.clone_from(&run.started_at);
        Ok(digest)
    }

    /// Shows the digests of a machine to `visit`, oldest first, no more than the `latest` ones if so many are given. A night
    /// in which nothing was measured is none. One at a time: years of them need not fit into memory at once.
    pub(crate) fn each(
        &mut self,
        machine: &str,
        latest: Option<usize>,
        visit: &mut dyn FnMut(Digest) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut runs = self.runs()?;
        runs.retain(|run| run.machine == machine);
        let mut first = 0;
        if let Some(mut wanted) = latest {
            first = runs.len();
            while wanted > 0 && first > 0 {
                first -= 1;
                wanted -= usize::from(!self.digest(&runs[first])?.is_empty());
            }
        }
        for run in &runs[first..] {
            let digest = self.digest(run)?;
            if !digest.is_empty() {
                visit(digest)?;
            }
        }
        Ok(())
    }
}

fn digest(run_id: &str, text: &str) -> Result<Digest, Error> {
    serde_json::from_str(text).map_err(|source| {
        let run_id = printable(run_id);
        Error::Json {
            what: format!("the history holds a record of {run_id} that this version cannot read"),
            source,
        }
    })
}

/// An error where a run is there already with another content than this.
pub(super) fn same(new: &Digest, stored: &str) -> Result<(), Error> {
    if digest(&new.run_id, stored)?.agrees_with(new) {
        return Ok(());
    }
    Err(Error::History(format!(
        "the history holds a run {} with other content, which stays as it is: this one was changed since, or that one was added \
         before it was done",
        printable(&new.run_id)
    )))
}

/// The text to be stored of a digest.
pub(super) fn text(digest: &Digest) -> Result<String, Error> {
    Ok(serde_json::to_string(digest)?)
}
