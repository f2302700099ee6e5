//! A section that moves data between caches.

use super::{PLAIN, Section, Takes};

pub(super) const SECTION: Section = Section {
    name: "lines",
    work_ns: 0.0,
    takes: Takes::Lines,
    about: "writes N shared cache lines: lines:8",
    ..PLAIN
};
