//! A section of the length that kernel spinlocks typically guard.

use super::{PLAIN, Section, Takes};

pub(super) const SECTION: Section =
    Section { name: "short", work_ns: 100.0, takes: Takes::Nothing, about: "about 100 ns of work", ..PLAIN };
