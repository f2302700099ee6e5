//! A history on a PostgreSQL server, for many machines.

use lockbench_reports::format::printable;
use lockbench_reports::judge::history::{Blessing, HistoryLine};
use postgres::Client;

use super::secured::Server;
use super::store::{self, Put, RunRow, Store, TABLES_VERSION};
use crate::Error;

/// Key of the advisory lock under which the tables are made, so that two programs that start at once make them only once.
const MAKING: i64 = 0x6c6b_6268;

/// As text, not jsonb: a name may hold an escaped NUL, which jsonb refuses.
const TABLES: &str = "
CREATE SCHEMA lockbench;
CREATE TABLE lockbench.version (tables INTEGER NOT NULL);
CREATE TABLE lockbench.runs (
    machine TEXT NOT NULL,
    run_id TEXT NOT NULL,
    started_at TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (machine, run_id)
);
CREATE TABLE lockbench.blessings (
    machine TEXT NOT NULL,
    run_id TEXT NOT NULL,
    cells TEXT NOT NULL,
    reason TEXT NOT NULL,
    blessed_at TEXT NOT NULL,
    PRIMARY KEY (machine, run_id, cells)
);
CREATE VIEW lockbench.points AS
    SELECT runs.machine, runs.run_id, runs.started_at, cell ->> 'id' AS cell, cell ->> 'lock' AS lock,
        cell ->> 'env' AS env, measure ->> 'metric' AS metric, (measure ->> 'median')::float8 AS median,
        (measure ->> 'low')::float8 AS low, (measure ->> 'high')::float8 AS high
    FROM lockbench.runs, json_array_elements(record::json -> 'cells') AS cell,
        json_array_elements(cell -> 'measures') AS measure
    WHERE json_array_length(measure -> 'windows') > 0;
";

const RECORD: &str = "SELECT record FROM lockbench.runs WHERE machine = $1 AND run_id = $2";

/// A history on a server.
pub(super) struct Postgres {
    client: Client,
}

impl Postgres {
    /// Connects; makes the tables if told to.
    pub(super) fn open(url: &str, create: bool) -> Result<Self, Error> {
        let mut client = Server::at(url)?.connect(said)?;
        let made: Option<String> = client
            .query_one("SELECT to_regclass('lockbench.version')::text", &[])
            .and_then(|row| row.try_get(0))
            .map_err(|e| said(&e))?;
        if made.is_none() && !create {
            return Err(Error::History(
                "there is no history on that server; `lockbench history add` with the same --history begins one".into(),
            ));
        }
        let mut store = Self { client };
        if made.is_none() {
            store.make().map_err(|e| said(&e))?;
        }
        let version: i32 = store
            .client
            .query_one("SELECT tables FROM lockbench.version", &[])
            .and_then(|row| row.try_get(0))
            .map_err(|e| said(&e))?;
        if version > TABLES_VERSION {
            return Err(Error::History(format!(
                "the history was made by a newer lockbench (tables {version}; this one reads up to {TABLES_VERSION}): update lockbench"
            )));
        }
        Ok(store)
    }

    fn make(&mut self) -> Result<(), postgres::Error> {
        let mut transaction = self.client.transaction()?;
        transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MAKING])?;
        let made: Option<String> =
            transaction.query_one("SELECT to_regclass('lockbench.version')::text", &[])?.try_get(0)?;
        if made.is_none() {
            transaction.batch_execute(TABLES)?;
            transaction.execute("INSERT INTO lockbench.version VALUES ($1)", &[&TABLES_VERSION])?;
        }
        transaction.commit()
    }

    fn put_all(&mut self, entries: &[HistoryLine]) -> Result<Result<Put, Error>, postgres::Error> {
        let mut transaction = self.client.transaction()?;
        let mut put = Put::default();
        for entry in entries {
            let changed = match &entry.clone().without_nul() {
                HistoryLine::Run(digest) => {
                    let text = match store::text(digest) {
                        Ok(text) => text,
                        Err(e) => return Ok(Err(e)),
                    };
                    let machine = digest.machine.key();
                    let changed = transaction.execute(
                        "INSERT INTO lockbench.runs (machine, run_id, started_at, record) VALUES ($1, $2, $3, $4) \
                         ON CONFLICT DO NOTHING",
                        &[&machine, &digest.run_id, &digest.started_at, &text],
                    )?;
                    if changed == 0 {
                        let stored: String =
                            transaction.query_one(RECORD, &[&machine, &digest.run_id])?.try_get(0)?;
                        if let Err(e) = store::same(digest, &stored) {
                            return Ok(Err(e));
                        }
                    }
                    changed
                }
                HistoryLine::Blessing(b) => transaction.execute(
                    "INSERT INTO lockbench.blessings (machine, run_id, cells, reason, blessed_at) \
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                    &[&b.machine, &b.run_id, &b.cells, &b.reason, &b.blessed_at],
                )?,
            };
            put.added += changed as usize;
            put.known += 1 - changed as usize;
        }
        transaction.commit()?;
        Ok(Ok(put))
    }
}

impl Store for Postgres {
    fn put(&mut self, entries: &[HistoryLine]) -> Result<Put, Error> {
        self.put_all(entries).map_err(|e| said(&e))?
    }

    fn rows(&mut self) -> Result<Vec<RunRow>, Error> {
        let sql = "SELECT machine, run_id, started_at FROM lockbench.runs";
        let rows = self.client.query(sql, &[]).map_err(|e| said(&e))?;
        let row = |row: &postgres::Row| -> Result<RunRow, postgres::Error> {
            Ok(RunRow { machine: row.try_get(0)?, run_id: row.try_get(1)?, started_at: row.try_get(2)? })
        };
        rows.iter().map(row).collect::<Result<_, _>>().map_err(|e| said(&e))
    }

    fn record(&mut self, machine: &str, run_id: &str) -> Result<String, Error> {
        let row = self.client.query_one(RECORD, &[&machine, &run_id]);
        row.and_then(|row| row.try_get(0)).map_err(|e| said(&e))
    }

    fn blessings(&mut self, machine: &str) -> Result<Vec<Blessing>, Error> {
        let sql = "SELECT machine, run_id, cells, reason, blessed_at FROM lockbench.blessings WHERE machine = $1 \
                   ORDER BY blessed_at COLLATE \"C\", run_id COLLATE \"C\", cells COLLATE \"C\"";
        let rows = self.client.query(sql, &[&machine]).map_err(|e| said(&e))?;
        let row = |row: &postgres::Row| -> Result<Blessing, postgres::Error> {
            Ok(Blessing {
                machine: row.try_get(0)?,
                run_id: row.try_get(1)?,
                cells: row.try_get(2)?,
                reason: row.try_get(3)?,
                blessed_at: row.try_get(4)?,
            })
        };
        rows.iter().map(row).collect::<Result<_, _>>().map_err(|e| said(&e))
    }
}

/// The server's complaint as a sentence. A URL may hold a password, and is not repeated.
fn said(e: &postgres::Error) -> Error {
    use std::error::Error as _;
    let cause = e.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    Error::History(format!("the history's server: {}", printable(&format!("{e}{cause}"))))
}
