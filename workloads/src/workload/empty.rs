//! A section without work: only the counter is updated, so the lock itself is what costs.

use super::{PLAIN, Section, Takes};

pub(super) const SECTION: Section = Section {
    name: "empty",
    work_ns: 0.0,
    takes: Takes::Nothing,
    about: "only the counter's update; unrealistic, shows the cost of the lock itself",
    ..PLAIN
};
