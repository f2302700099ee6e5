//! A section long enough that holder preemption becomes likely.

use super::{PLAIN, Section, Takes};

pub(super) const SECTION: Section =
    Section { name: "long", work_ns: 2000.0, takes: Takes::Nothing, about: "about 2 us of work", ..PLAIN };
