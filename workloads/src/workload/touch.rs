//! A section that takes a page fault.

use super::{PLAIN, Section, Takes};

pub(super) const SECTION: Section = Section {
    name: "touch",
    takes: Takes::Nothing,
    touches: true,
    about: "writes to a page that is not there yet: a page fault while the lock is held",
    ..PLAIN
};
