//! A section that streams through memory.

use super::{PLAIN, Section, Takes};

pub(super) const SECTION: Section = Section {
    name: "memory",
    work_ns: 0.0,
    takes: Takes::Mebibytes,
    about: "writes each cache line of N MiB once: memory:64",
    ..PLAIN
};
