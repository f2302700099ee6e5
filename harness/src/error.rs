//! What is told to a user when something could not be done.

use std::fmt;

/// One clear sentence: what was wrong and what to do. Ends the program with exit status 2.
#[derive(Debug)]
pub struct Error(String);

impl Error {
    /// An error that says `sentence`.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// "unknown lock `tickt`; did you mean `ticket`?", with the whole list where nothing is near.
pub(crate) fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Error {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min_by_key(|(distance, _)| *distance);
    let name = name.escape_debug();
    Error::new(match near {
        Some((_, candidate)) => format!("unknown {what} `{name}`; did you mean `{candidate}`?"),
        None => format!("unknown {what} `{name}`; there are: {}", known.join(", ")),
    })
}
