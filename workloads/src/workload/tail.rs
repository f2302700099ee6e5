//! A section whose length has a heavy tail: most are short, and a few are so long that they make up much of the time.

use super::{PLAIN, Section, Takes};

pub(super) const SECTION: Section = Section {
    name: "tail",
    takes: Takes::Length,
    // Pareto's distribution of shape 1. What is drawn from has 256 entries, and the last lies at the quantile 511/512.
    quantile: Some(|u| 1.0 / (1.0 - u)),
    about: "work with a heavy tail and the given mean (Pareto of shape 1, cut at 68 times the mean): tail:1us",
    ..PLAIN
};
