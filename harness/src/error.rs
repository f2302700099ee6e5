//! The errors that end a command, by kind of fault.

use std::io;
use std::path::{Path, PathBuf};

use lockbench_reports::format::printable;

use crate::refusal::{Refusal, words};
use crate::topology;

/// Why a command could not do what was asked. `Display` is one sentence with its cause: what was wrong, and what to do. The
/// command line prints it and ends with the exit status of its kind.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for makes no sense or cannot be had: a value, a combination of options, something that is not there.
    #[error("{0}")]
    Usage(String),
    /// A name that does not exist.
    #[error("unknown {what} `{}`{}", .name.escape_debug(), instead(.name, .known))]
    Unknown {
        /// The kind of thing that was named: a lock, a key, ….
        what: &'static str,
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A fault in something that was read.
    #[error("{place}: {source}")]
    Inside {
        /// Where: a file, a line of it.
        place: String,
        /// The fault.
        source: Box<Error>,
    },
    /// A text that is not the expected JSON, or a value that cannot be written as JSON.
    #[error("{what}: {source}")]
    Json {
        /// What could not be done because of it.
        what: String,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// A file that cannot be read or written, or a program that cannot be run.
    #[error("cannot {doing} {}: {}{advice}", printable(&.path.display().to_string()), words(.source))]
    File {
        /// What was to be done with it: `read`, `write`, `run`.
        doing: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
        /// The end of the sentence, from its semicolon on; may be empty.
        advice: String,
    },
    /// Something else that the system did not do.
    #[error("{what}: {}", words(.source))]
    System {
        /// What could not be done.
        what: String,
        /// What the system says.
        source: io::Error,
    },
    /// What this machine, or this process on it, cannot do.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The machine's topology, or a placement over it.
    #[error(transparent)]
    Topology(#[from] topology::Error),
    /// A record that cannot be read or compared, or a report that cannot be made.
    #[error(transparent)]
    Reports(#[from] lockbench_reports::Error),
    /// A shared object from which no lock can be taken.
    #[error("{0}")]
    Object(String),
    /// A history, or the database that it is kept in.
    #[error("{0}")]
    History(String),
    /// Another build of lockbench that does not do its part of a duel.
    #[error("{0}")]
    Build(String),
    /// The journal of this run, which another program changed while the run went on.
    #[error("{0}")]
    Journal(String),
    /// A run that measured nothing of what it was to measure.
    #[error("{0}")]
    Nothing(String),
    /// A signal that came before there was anything to keep.
    #[error("interrupted before anything was measured")]
    Interrupted,
}

impl Error {
    /// What was asked for makes no sense or cannot be had.
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self::Usage(sentence.into())
    }

    /// The same fault, with the place where it lies.
    pub(crate) fn inside(self, place: impl Into<String>) -> Self {
        Self::Inside { place: place.into(), source: Box::new(self) }
    }

    /// A file that cannot be read or written, or a program that cannot be run.
    pub(crate) fn file(doing: &'static str, path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::File { doing, path: path.as_ref().to_owned(), source, advice: String::new() }
    }
}

/// A value that cannot be written as JSON.
impl From<serde_json::Error> for Error {
    fn from(source: serde_json::Error) -> Self {
        Self::Json { what: "the result cannot be written as JSON".into(), source }
    }
}

/// A name that does not exist, with the names that do.
pub(crate) fn unknown(
    what: &'static str,
    name: &str,
    known: impl IntoIterator<Item = impl Into<String>>,
) -> Error {
    Error::Unknown { what, name: name.to_owned(), known: known.into_iter().map(Into::into).collect() }
}

/// "; did you mean `ticket`?", or the whole list where no name is similar.
fn instead(name: &str, known: &[String]) -> String {
    let near = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min_by_key(|(distance, _)| *distance);
    match near {
        Some((_, candidate)) => format!("; did you mean `{candidate}`?"),
        None => format!("; there are: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn an_error_tells_in_one_sentence_what_lies_behind_it_and_keeps_it_as_its_source() {
        let gone = || io::Error::from_raw_os_error(libc::ENOENT);
        let error = Error::file("read the spec", "spec\u{1b}.json", gone()).inside("round 3");
        let said = error.to_string();
        assert_eq!(said, "round 3: cannot read the spec spec�.json: there is no such file or directory");
        let file = error.source().unwrap();
        assert_eq!(file.source().unwrap().downcast_ref::<io::Error>().unwrap().kind(), gone().kind());
        let advice = "; give another place with --out".to_owned();
        let full = Error::File { doing: "write", path: "out".into(), source: gone(), advice };
        assert!(full.to_string().ends_with("no such file or directory; give another place with --out"));
        let refused =
            Error::from(Refusal::of("cannot catch signal 2", io::Error::from_raw_os_error(libc::EINVAL)));
        assert_eq!(refused.to_string(), "cannot catch signal 2: the kernel does not accept that");
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest_or_with_all() {
        let of = |name| unknown("lock", name, ["ticket", "mcs"]).to_string();
        assert_eq!(of("tickt"), "unknown lock `tickt`; did you mean `ticket`?");
        assert_eq!(of("queued"), "unknown lock `queued`; there are: ticket, mcs");
    }
}
