//! The critical sections and think times that can be asked for by name. A new one is a file here and a line below.

mod alone;
mod empty;
mod exponential;
mod fixed;
mod lines;
mod long;
mod many;
mod memory;
mod nested;
mod none;
mod open;
mod short;
mod sleep;
mod tail;
mod touch;
mod work;

/// A critical section.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Name on the command line.
    pub name: &'static str,
    /// What the user gives behind the name.
    pub takes: Takes,
    /// Work in the section besides the counter's update, in nanoseconds; 0 where the length is given behind the name.
    pub work_ns: f64,
    /// Where lengths are drawn: the length at quantile `u` in (0, 1), in any unit, for the mean is given behind the name.
    pub quantile: Option<fn(u: f64) -> f64>,
    /// Whether it writes to a page that is not there yet.
    pub touches: bool,
    /// Whether there is no section at all, not even the counter's update. It needs a single vCPU, for nothing is checked.
    pub alone: bool,
    /// The locks that requests take.
    pub locks: Locks,
    /// One line for `list`.
    pub about: &'static str,
}

/// A section that does nothing particular.
const PLAIN: Section = Section {
    name: "",
    takes: Takes::Nothing,
    work_ns: 0.0,
    quantile: None,
    touches: false,
    alone: false,
    locks: Locks::One,
    about: "",
};

/// The locks that requests take, all of one kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Locks {
    /// All of them the same one.
    One,
    /// Half of them an outer lock and then, inside its section, an inner one; the others the inner one alone. If all took the
    /// outer one first, nobody would ever wait for the inner one.
    Nested,
    /// Each of them one of many, by Zipf's law: the lock at place r of the order of hotness is drawn in proportion to 1/r^exponent.
    Many {
        /// The exponent; 0 would make all locks alike.
        exponent: f64,
    },
}

/// What the user gives behind a section's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// How many shared cache lines it writes: `lines:8`.
    Lines,
    /// How long it lasts: `work:500ns`.
    Length,
    /// How many MiB of shared cache lines it writes: `memory:64`.
    Mebibytes,
    /// How many locks there are: `many:64`.
    Locks,
}

/// How the time between a release and the next acquire is distributed.
#[derive(Clone, Copy, Debug)]
pub struct Think {
    /// Name on the command line. All but `none` take a mean: `exp:500ns`.
    pub name: &'static str,
    /// Mean in nanoseconds where the user gives none.
    pub default_ns: f64,
    /// The think time at quantile `u` in (0, 1), as a multiple of the mean. `ln` is the natural logarithm, which
    /// `core` lacks.
    pub quantile: fn(u: f64, ln: fn(f64) -> f64) -> f64,
    /// Whether the loop is open: the time counts from when the last request was due, not from its end.
    pub open: bool,
    /// Whether the vCPU sleeps for that time instead of working: it halts, and a timer wakes it.
    pub sleeps: bool,
    /// One line for `list`.
    pub about: &'static str,
}

/// Every section.
pub static SECTIONS: &[Section] = &[
    alone::SECTION,
    empty::SECTION,
    short::SECTION,
    long::SECTION,
    work::SECTION,
    lines::SECTION,
    memory::SECTION,
    tail::SECTION,
    touch::SECTION,
    nested::SECTION,
    many::SECTION,
];

/// Every distribution of think time.
pub static THINKS: &[Think] = &[none::THINK, fixed::THINK, exponential::THINK, open::THINK, sleep::THINK];
