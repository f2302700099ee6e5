//! A section of any length, for sweeps over it.

use super::{PLAIN, Section, Takes};

pub(super) const SECTION: Section = Section {
    name: "work",
    work_ns: 0.0,
    takes: Takes::Length,
    about: "work of the given length: work:500ns",
    ..PLAIN
};
