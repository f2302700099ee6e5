//! A section of the length that kernel spinlocks typically guard.

use super::Section;

pub(super) const SECTION: Section =
    Section { name: "short", work_ns: 100.0, lines: Some(0), about: "about 100 ns of work" };
