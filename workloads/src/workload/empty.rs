//! Nothing but the counter: the cost of the lock itself.

use super::{Section, Takes};

pub(super) const SECTION: Section = Section {
    name: "empty",
    work_ns: 0.0,
    takes: Takes::Nothing,
    about: "only the counter's update; unrealistic, shows the cost of the lock itself",
};
