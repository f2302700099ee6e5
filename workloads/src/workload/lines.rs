//! A section that moves data between caches.

use super::Section;

pub(super) const SECTION: Section =
    Section { name: "lines", work_ns: 0.0, lines: None, about: "writes N shared cache lines: lines:8" };
