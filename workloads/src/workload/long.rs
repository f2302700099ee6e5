//! A section long enough that holder preemption becomes likely.

use super::Section;

pub(super) const SECTION: Section =
    Section { name: "long", work_ns: 2000.0, lines: Some(0), about: "about 2 us of work" };
