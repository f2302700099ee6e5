//! No section at all, as in the loops of lock libraries' own benchmarks.

use super::{PLAIN, Section};

pub(super) const SECTION: Section = Section {
    name: "alone",
    alone: true,
    about: "no section at all: one vCPU acquires and releases, and nothing is checked; to be set beside other benchmarks",
    ..PLAIN
};
