//! Sections of many locks, some of which are hot.

use super::{Locks, PLAIN, Section, Takes};

pub(super) const SECTION: Section = Section {
    name: "many",
    takes: Takes::Locks,
    work_ns: 100.0,
    // The constant of the Yahoo! Cloud Serving Benchmark's Zipfian generator.
    locks: Locks::Many { exponent: 0.99 },
    about: "one of N locks, drawn as YCSB draws records (Zipf, exponent 0.99), and about 100 ns of work: many:64",
    ..PLAIN
};
