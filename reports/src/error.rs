//! What can go wrong when records are read and pages written. Each error is one sentence.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::format::printable;
use crate::plain;

/// One clear sentence about what could not be done.
#[derive(Debug)]
pub enum Error {
    /// A file or directory could not be read or written.
    Io {
        /// What was being done: `read`, `write`, ….
        doing: &'static str,
        /// The path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is not a record of lockbench.
    Input {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A file was written by a newer lockbench.
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: u64,
    },
    /// A line of an exported history is damaged.
    Line {
        /// Its number, from 1 on.
        number: usize,
        /// What is wrong with it.
        what: String,
    },
    /// Runs that cannot be set against each other.
    Incomparable(String),
    /// The page could not be made: a fault of lockbench, not of its input.
    Page(String),
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }

    pub(crate) fn input(path: &Path, what: impl Into<String>) -> Self {
        Self::Input { path: path.to_owned(), what: what.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Paths and parser messages may quote the input: nothing in them may drive a terminal.
        let shown = |path: &Path| printable(&path.display().to_string());
        match self {
            Self::Io { doing, path, source } => {
                write!(f, "cannot {doing} {}: {}", shown(path), plain::words(source))
            }
            Self::Input { path, what } => write!(f, "{} {}", shown(path), printable(what)),
            Self::Newer { path, found } => write!(
                f,
                "{} was written by a newer lockbench (schema {found}; this one reads up to {}): update lockbench",
                shown(path),
                crate::record::SCHEMA_VERSION
            ),
            Self::Line { number, what } => write!(f, "line {number} {}", printable(what)),
            Self::Incomparable(why) => f.write_str(why),
            Self::Page(what) => write!(f, "the report page could not be made: {}", printable(what)),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
