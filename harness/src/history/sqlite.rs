//! A history in one SQLite file, which `sqlite3` reads too.
//!
//! It uses the rollback journal, not the write-ahead log, so that the one file is the whole history and can be copied or put
//! on a branch. A transaction begins by taking the write lock, so that of two writers one waits. If a writer is killed, the
//! next reader rolls back what was not finished.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lockbench_reports::format::printable;
use lockbench_reports::judge::history::{Blessing, HistoryLine};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::store::{self, Put, RunRow, Store, TABLES_VERSION};
use crate::Error;

/// Marks the file as ours: "lkbh".
const APPLICATION: i32 = 0x6c6b_6268;
/// How long one writer waits for another.
const PATIENCE: Duration = Duration::from_secs(60);

const TABLES: &str = "
CREATE TABLE runs (
    machine TEXT NOT NULL,
    run_id TEXT NOT NULL,
    started_at TEXT NOT NULL,
    record TEXT NOT NULL CHECK (json_valid(record)),
    PRIMARY KEY (machine, run_id)
);
CREATE TABLE blessings (
    machine TEXT NOT NULL,
    run_id TEXT NOT NULL,
    cells TEXT NOT NULL,
    reason TEXT NOT NULL,
    blessed_at TEXT NOT NULL,
    PRIMARY KEY (machine, run_id, cells)
);
CREATE VIEW points AS
    SELECT runs.machine, runs.run_id, runs.started_at, cell.value ->> '$.id' AS cell, cell.value ->> '$.lock' AS lock,
        cell.value ->> '$.env' AS env, measure.value ->> '$.metric' AS metric, measure.value ->> '$.median' AS median,
        measure.value ->> '$.low' AS low, measure.value ->> '$.high' AS high
    FROM runs, json_each(runs.record, '$.cells') AS cell, json_each(cell.value, '$.measures') AS measure
    WHERE json_array_length(measure.value, '$.windows') > 0;
";

const RECORD: &str = "SELECT record FROM runs WHERE machine = ? AND run_id = ?";

/// A history file.
pub(super) struct Sqlite {
    path: PathBuf,
    connection: Connection,
}

impl Sqlite {
    /// Opens the file; makes it if told to.
    pub(super) fn open(path: &Path, create: bool) -> Result<Self, Error> {
        let shown = printable(&path.display().to_string());
        if !create && !path.exists() {
            return Err(Error::History(format!(
                "there is no history at {shown}; `lockbench history add RUN --history {shown}` begins one"
            )));
        }
        // SQLite takes an empty name, or `:memory:`, for a database that is gone afterwards; as a path it is neither.
        let file = std::path::absolute(path).map_err(|source| Error::System {
            what: format!("the history `{shown}` cannot be opened"),
            source,
        })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | if create { OpenFlags::SQLITE_OPEN_CREATE } else { OpenFlags::empty() };
        let connection = Connection::open_with_flags(file, flags).map_err(|e| said(path, &e))?;
        let mut store = Self { path: path.to_owned(), connection };
        store.prepare(create).map_err(|e| said(path, &e))??;
        Ok(store)
    }

    fn prepare(&mut self, create: bool) -> rusqlite::Result<Result<(), Error>> {
        self.connection.busy_timeout(PATIENCE)?;
        if create && self.is_empty()? {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Another writer may have been first.
            let tables: i64 =
                transaction.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
            if tables == 0 {
                transaction.execute_batch(TABLES)?;
                transaction.pragma_update(None, "application_id", APPLICATION)?;
                transaction.pragma_update(None, "user_version", TABLES_VERSION)?;
            }
            transaction.commit()?;
        }
        let read = |name: &str| self.connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let shown = printable(&self.path.display().to_string());
        Ok(match (read("application_id")?, read("user_version")?) {
            (APPLICATION, version) if version > TABLES_VERSION => Err(Error::History(format!(
                "{shown} was made by a newer lockbench (tables {version}; this one reads up to {TABLES_VERSION}): update lockbench"
            ))),
            (APPLICATION, _) => Ok(()),
            _ => Err(Error::History(format!("{shown} is a database, but no history of lockbench"))),
        })
    }

    fn is_empty(&self) -> rusqlite::Result<bool> {
        let count: i64 =
            self.connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
        Ok(count == 0)
    }

    fn put_all(&mut self, entries: &[HistoryLine]) -> rusqlite::Result<Result<Put, Error>> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut put = Put::default();
        for entry in entries {
            let changed = match &entry.clone().without_nul() {
                HistoryLine::Run(digest) => {
                    let text = match store::text(digest) {
                        Ok(text) => text,
                        Err(e) => return Ok(Err(e)),
                    };
                    let changed = transaction.execute(
                        "INSERT OR IGNORE INTO runs (machine, run_id, started_at, record) VALUES (?, ?, ?, ?)",
                        (digest.machine.key(), &digest.run_id, &digest.started_at, text),
                    )?;
                    if changed == 0 {
                        let stored: String =
                            transaction.query_row(RECORD, (digest.machine.key(), &digest.run_id), |row| row.get(0))?;
                        if let Err(e) = store::same(digest, &stored) {
                            return Ok(Err(e));
                        }
                    }
                    changed
                }
                HistoryLine::Blessing(b) => transaction.execute(
                    "INSERT OR IGNORE INTO blessings (machine, run_id, cells, reason, blessed_at) VALUES (?, ?, ?, ?, ?)",
                    (&b.machine, &b.run_id, &b.cells, &b.reason, &b.blessed_at),
                )?,
            };
            put.added += changed;
            put.known += 1 - changed;
        }
        transaction.commit()?;
        Ok(Ok(put))
    }
}

impl Store for Sqlite {
    fn put(&mut self, entries: &[HistoryLine]) -> Result<Put, Error> {
        let put = self.put_all(entries);
        put.map_err(|e| said(&self.path, &e))?
    }

    fn rows(&mut self) -> Result<Vec<RunRow>, Error> {
        let rows = || -> rusqlite::Result<Vec<RunRow>> {
            let mut statement = self.connection.prepare("SELECT machine, run_id, started_at FROM runs")?;
            let row = |row: &rusqlite::Row<'_>| {
                Ok(RunRow { machine: row.get(0)?, run_id: row.get(1)?, started_at: row.get(2)? })
            };
            statement.query_map([], row)?.collect()
        };
        rows().map_err(|e| said(&self.path, &e))
    }

    fn record(&mut self, machine: &str, run_id: &str) -> Result<String, Error> {
        let record = || self.connection.query_row(RECORD, (machine, run_id), |row| row.get(0));
        record().map_err(|e| said(&self.path, &e))
    }

    fn blessings(&mut self, machine: &str) -> Result<Vec<Blessing>, Error> {
        let rows = || -> rusqlite::Result<Vec<Blessing>> {
            let mut statement = self.connection.prepare(
                "SELECT machine, run_id, cells, reason, blessed_at FROM blessings WHERE machine = ? \
                 ORDER BY blessed_at, run_id, cells",
            )?;
            let row = |row: &rusqlite::Row<'_>| {
                Ok(Blessing {
                    machine: row.get(0)?,
                    run_id: row.get(1)?,
                    cells: row.get(2)?,
                    reason: row.get(3)?,
                    blessed_at: row.get(4)?,
                })
            };
            statement.query_map([machine], row)?.collect()
        };
        rows().map_err(|e| said(&self.path, &e))
    }
}

/// The database's complaint as a sentence that says what to do.
fn said(path: &Path, e: &rusqlite::Error) -> Error {
    let shown = printable(&path.display().to_string());
    let what = match e.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "is no history: it is not an SQLite database".to_owned(),
        Some(ErrorCode::DatabaseCorrupt) => {
            "is damaged; `sqlite3 FILE .recover` saves what can be read".to_owned()
        }
        Some(ErrorCode::DiskFull) => {
            "cannot be written: the disk is full; what was in it before is unharmed".to_owned()
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!("is held by another program for over {} s; try again", PATIENCE.as_secs())
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "cannot be written by this user".to_owned()
        }
        Some(ErrorCode::CannotOpen) => "cannot be opened; is its directory there and writable?".to_owned(),
        _ => format!("cannot be used: {}", printable(&e.to_string())),
    };
    Error::History(format!("the history {shown} {what}"))
}
