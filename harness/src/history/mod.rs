//! Where a history is kept: a local file, or a server for many machines.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
mod secured;
mod sqlite;
mod store;

#[cfg(test)]
mod tests;

use std::path::Path;

use crate::Error;

pub(crate) use store::{RunRow, Store};

/// Opens the history at a path or URL. Only commands that write create a missing one.
pub(crate) fn open(location: &str, create: bool) -> Result<Box<dyn Store>, Error> {
    let scheme = location.split_once("://").map(|(scheme, _)| scheme);
    match scheme {
        Some("postgres" | "postgresql") => open_postgres(location, create),
        Some(other) => Err(Error::usage(format!(
            "a history is a file or a postgres:// URL; `{}://` is neither",
            other.escape_debug()
        ))),
        None => Ok(Box::new(sqlite::Sqlite::open(Path::new(location), create)?)),
    }
}

#[cfg(feature = "postgres")]
fn open_postgres(url: &str, create: bool) -> Result<Box<dyn Store>, Error> {
    Ok(Box::new(postgres::Postgres::open(url, create)?))
}

#[cfg(not(feature = "postgres"))]
fn open_postgres(_: &str, _: bool) -> Result<Box<dyn Store>, Error> {
    Err(Error::usage("this build keeps histories in files only; build lockbench with `--features postgres`"))
}
