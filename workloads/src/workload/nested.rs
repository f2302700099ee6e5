//! Sections of which some take a second lock.

use super::{Locks, PLAIN, Section};

pub(super) const SECTION: Section = Section {
    name: "nested",
    work_ns: 100.0,
    locks: Locks::Nested,
    about: "half of the requests take a second lock inside the first, the others the second one alone; about 100 ns of work under each",
    ..PLAIN
};
