//! Where a topology comes from.

use std::{fmt, path::PathBuf};

/// Where a topology comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// The machine we run on, as far as this process may use it.
    ThisMachine,
    /// A file in hwloc's XML.
    File(PathBuf),
    /// A synthetic description, such as `pack:2 numa:1 core:4 pu:2`.
    Synthetic(String),
}

impl Source {
    /// The rule for a `--topology` argument: what contains `/` or ends in `.xml` is a file, all else a description.
    pub fn from_argument(argument: &str) -> Self {
        if argument.contains('/') || argument.ends_with(".xml") {
            Self::File(argument.into())
        } else {
            Self::Synthetic(argument.to_owned())
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ThisMachine => f.write_str("this machine"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Synthetic(text) => f.write_str(text),
        }
    }
}
