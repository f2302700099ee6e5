//! Critical section and think time: `section[:N][+think[:mean]]`.

mod alone;
mod locks;
mod times;

use std::ops::RangeInclusive;
use std::time::Duration;

use lockbench_reports::format::counted;
use lockbench_reports::record::{self, Dropped};
use lockbench_workloads::arena::LINE;
use lockbench_workloads::workload::{Locks, SECTIONS, Section, THINKS, Takes, Think};

use super::{Axis, Flag, InId, parse_duration, show_duration};
use crate::Error;
use crate::error::unknown;

const MOST_LINES: u32 = 4096;
/// Cache lines of a MiB.
const LINES_OF_MIB: u32 = (1 << 20) / LINE as u32;
/// Most memory that a section streams through, in MiB: far more than caches hold, far less than machines have.
const MOST_MIB: u32 = 1024;
const LONGEST_SECTION: Duration = Duration::from_secs(1);
/// What the longest section that is drawn may last, in means: the last entry of a heavy tail's table is below this.
const MOST_MEANS: u32 = 70;
/// Mean think times and times between two arrivals on a vCPU; several times the longest must fit into the arena's table.
const THINK_NS: RangeInclusive<f64> = 1.0..=100e6;

/// A critical section and a think time.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The only spelling of the workload.
    name: String,
    /// The critical section.
    pub section: &'static Section,
    /// Nominal length of the critical section, in nanoseconds: its mean, where lengths are drawn.
    pub section_ns: f64,
    /// Shared cache lines that the section writes.
    pub lines: u32,
    /// Number of locks.
    pub locks: u32,
    /// How the think time is distributed.
    pub think: &'static Think,
    /// Mean think time, in nanoseconds; in an open loop the mean time from one arrival to the next on a vCPU.
    pub think_ns: f64,
}

impl Workload {
    /// The longest section that may be drawn, in nanoseconds.
    pub fn longest_section_ns(&self) -> f64 {
        if self.section.quantile.is_some() {
            f64::from(MOST_MEANS) * self.section_ns
        } else {
            self.section_ns
        }
    }

    /// Whether the section's length and lines do not tell what it does.
    pub fn is_particular(&self) -> bool {
        let Section { quantile, touches, alone, locks, .. } = self.section;
        quantile.is_some() || *touches || *alone || *locks != Locks::One
    }

    /// The same in an open loop of `per_second` arrivals, split evenly over the vCPUs; or why there is none.
    pub fn with_arrivals(&self, per_second: f64, vcpus: u32) -> Result<Self, Dropped> {
        alone::check_arrivals(self)?;
        if self.think_ns > 0.0 {
            return Err(Dropped {
                cell: format!("{} with arrivals", self.name),
                reason: format!(
                    "the workload itself says when a vCPU comes back (`{}`), so no arrivals can be set; leave out the \
                     think time",
                    self.think.name
                ),
            });
        }
        let open = THINKS.iter().find(|think| think.open).unwrap_or(self.think);
        let think_ns = f64::from(vcpus) * 1e9 / per_second;
        if !open.open || !THINK_NS.contains(&think_ns) {
            return Err(Dropped {
                cell: format!("{per_second} arrivals per second on {}", counted(vcpus as usize, "vCPU")),
                reason: "each vCPU can take 10 to 1e9 arrivals per second".into(),
            });
        }
        Ok(Self { think: open, think_ns, ..self.clone() })
    }

    /// As records have it.
    pub fn record(&self) -> record::Workload {
        record::Workload {
            name: self.name.clone(),
            section: if self.is_particular() { self.section.name.into() } else { String::new() },
            section_ns: self.section_ns,
            lines: self.lines,
            locks: self.locks,
            think: self.think.name.into(),
            think_ns: self.think_ns,
            arrivals: if self.think.open { record::Arrivals::Open } else { record::Arrivals::Closed },
        }
    }

    /// As a record has it: its figures count, whatever its name.
    pub fn of_record(record: &record::Workload) -> Result<Self, Error> {
        if record.lines > MOST_MIB * LINES_OF_MIB {
            return Err(Error::usage(format!("{} shared lines are too many", record.lines)));
        }
        let section = match record.section.as_str() {
            "" => section_named("work")?,
            name => section_named(name)?,
        };
        locks::check(section, record.locks)?;
        alone::check(section, record)?;
        Ok(Self {
            name: record.name.clone(),
            section,
            section_ns: record.section_ns,
            lines: record.lines,
            locks: record.locks,
            think: think_named(&record.think)?,
            think_ns: record.think_ns,
        })
    }
}

impl Axis for Workload {
    const FLAGS: &'static [Flag] = &[Flag {
        name: "workloads",
        key: "workloads",
        takes: "NAMES",
        unit: "",
        default: "short",
        help: "Sections, or sections and think times: short, lines:8+exp:500ns",
        in_id: InId::Part,
        in_0_1: true,
        examples: &[
            "short",
            "empty",
            "alone",
            "work:1us",
            "work:1000ns",
            "lines:8",
            "lines:08",
            "short+exp",
            "short+exp:500ns",
            "lines:16+fixed:2us",
            "long+open:20us",
            "work:200us+sleep:2ms",
            "memory:64",
            "tail:2us",
            "touch",
            "nested",
            "nested+exp",
            "many:64",
            "many:016+exp:1us",
            "short+none",
        ],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        let refused = |why: String| Error::usage(format!("`{}`: {why}", text.escape_debug()));
        let (section_text, think_text) = text.split_once('+').unwrap_or((text, "none"));
        let section = section_named(split_argument(section_text).0)?;
        let size = size(section, split_argument(section_text).1, refused)?;
        let (think, think_ns) = think(think_text, refused)?;
        alone::check_think(section, think_ns).map_err(refused)?;
        let name = match think_ns {
            0.0 => size.name,
            _ => format!("{}+{}:{}", size.name, think.name, show_duration(think_ns as u64)),
        };
        Ok(Self {
            name,
            section,
            section_ns: size.section_ns,
            lines: size.lines,
            locks: size.locks,
            think,
            think_ns,
        })
    }

    fn show(&self) -> String {
        self.name.clone()
    }
}

impl PartialEq for Workload {
    fn eq(&self, other: &Self) -> bool {
        self.record() == other.record()
    }
}

/// What a section's name says with what was given behind it.
struct SectionSize {
    /// Its only spelling.
    name: String,
    section_ns: f64,
    lines: u32,
    locks: u32,
}

fn size(
    section: &Section,
    argument: Option<&str>,
    refused: impl Fn(String) -> Error,
) -> Result<SectionSize, Error> {
    let name = section.name;
    let locks = if section.locks == Locks::Nested { 2 } else { 1 };
    let plain = SectionSize { name: name.to_owned(), section_ns: section.work_ns, lines: 0, locks };
    let number = |range: RangeInclusive<u32>, what: &str, example: u32| {
        let given = argument.and_then(|number| number.parse().ok()).filter(|number| range.contains(number));
        let (least, most) = range.into_inner();
        given.ok_or_else(|| refused(format!("give {least} to {most} {what}, like {name}:{example}")))
    };
    match (section.takes, argument) {
        (Takes::Nothing, None) => Ok(plain),
        (Takes::Nothing, Some(_)) => Err(refused(format!("the section `{name}` takes no number"))),
        (Takes::Lines, _) => {
            let lines = number(1..=MOST_LINES, "lines", 8)?;
            Ok(SectionSize { name: format!("{name}:{lines}"), lines, ..plain })
        }
        (Takes::Mebibytes, _) => {
            let mib = number(1..=MOST_MIB, "MiB", 64)?;
            Ok(SectionSize { name: format!("{name}:{mib}"), lines: mib * LINES_OF_MIB, ..plain })
        }
        (Takes::Locks, _) => {
            let locks = number(locks::MANY, "locks", 64)?;
            Ok(SectionSize { name: format!("{name}:{locks}"), locks, ..plain })
        }
        (Takes::Length, Some(length)) if !length.is_empty() => {
            let length = parse_duration(length)?;
            if section.quantile.is_some() {
                let longest = LONGEST_SECTION / MOST_MEANS;
                if length.is_zero() || length > longest {
                    return Err(refused(format!(
                        "give a mean of 1 ns to {} ms, for a section may last 1 s at most, and the longest of these last \
                         about {MOST_MEANS} means",
                        longest.as_millis()
                    )));
                }
            } else if length > LONGEST_SECTION {
                return Err(refused("a section may last 1 s at most".into()));
            }
            let ns = length.as_nanos() as u64;
            Ok(SectionSize { name: format!("{name}:{}", show_duration(ns)), section_ns: ns as f64, ..plain })
        }
        (Takes::Length, _) => Err(refused(format!("say how long, like {name}:500ns"))),
    }
}

/// How a vCPU thinks, and its mean in nanoseconds.
fn think(text: &str, refused: impl Fn(String) -> Error) -> Result<(&'static Think, f64), Error> {
    let (name, mean) = split_argument(text);
    let think = think_named(name)?;
    let ns = match mean {
        None => think.default_ns,
        Some(_) if think.default_ns == 0.0 => {
            return Err(refused(format!("the think time `{name}` takes no length")));
        }
        Some(mean) => parse_duration(mean)?.as_nanos() as f64,
    };
    if think.default_ns > 0.0 && !THINK_NS.contains(&ns) {
        return Err(refused("give a mean of 1 ns to 100 ms; without think time leave it out".into()));
    }
    Ok((think, ns))
}

fn think_named(name: &str) -> Result<&'static Think, Error> {
    let found = THINKS.iter().find(|think| think.name == name);
    found.ok_or_else(|| unknown("think time", name, THINKS.iter().map(|think| think.name)))
}

fn section_named(name: &str) -> Result<&'static Section, Error> {
    let found = SECTIONS.iter().find(|section| section.name == name);
    found.ok_or_else(|| unknown("workload", name, SECTIONS.iter().map(|section| section.name)))
}

fn split_argument(text: &str) -> (&str, Option<&str>) {
    text.split_once(':').map_or((text, None), |(name, argument)| (name, Some(argument)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_their_figures() {
        let workload = Workload::parse("lines:8+exp:250ns").unwrap();
        assert_eq!((workload.lines, workload.think_ns), (8, 250.0));
        assert_eq!(workload.name, "lines:8+exp:250ns");
        assert_eq!(Workload::parse("short").unwrap().section_ns, 100.0);
        assert_eq!(Workload::parse("work:250us").unwrap().section_ns, 250e3);
        assert_eq!(Workload::parse("memory:2").unwrap().lines, 32_768);
        assert!(Workload::parse("empty+sleep:2ms").unwrap().think.sleeps);
        let tail = Workload::parse("tail:2us").unwrap();
        assert_eq!((tail.section_ns, tail.longest_section_ns()), (2e3, 140e3));
        let open = Workload::parse("short+open:20us").unwrap();
        assert_eq!((open.think.open, open.think_ns), (true, 20e3));
        assert_eq!(Workload::parse("short+none").unwrap().name, "short");
        for bad in [
            "lines",
            "lines:0",
            "lines:x",
            "short:3",
            "shrt",
            "short+ex",
            "short+none:3ns",
            "short+exp:3",
            "work",
            "work:5",
            "work:2s",
            "short+open:1s",
            "short+exp:1s",
            "short+exp:0ns",
            "memory",
            "memory:0",
            "memory:1025",
            "memory:4KiB",
            "short+sleep:1s",
            "tail",
            "touch:4",
            "alone:4",
            "alone+exp",
            "nested:2",
            "many",
            "many:1",
            "many:65",
            "work:",
            "",
        ] {
            assert!(Workload::parse(bad).is_err(), "{bad} was taken");
        }
        let short = Workload::parse("short").unwrap();
        let open = short.with_arrivals(1e6, 4).unwrap();
        assert_eq!((open.name.as_str(), open.think.name, open.think_ns), ("short", "open", 4000.0));
        for bad in [0.0, -1.0, 1.0, f64::NAN, f64::INFINITY] {
            assert!(short.with_arrivals(bad, 4).is_err(), "{bad} was taken");
        }
        assert!(Workload::parse("short+exp").unwrap().with_arrivals(1e6, 4).is_err());
        let odd = Workload::parse("shrt\u{1b}[31m").unwrap_err().to_string();
        assert!(!odd.contains('\u{1b}'), "{odd}");
        assert!(Workload::parse("shrt").unwrap_err().to_string().contains("did you mean `short`"));
    }

    #[test]
    fn the_longest_section_of_a_heavy_tail_is_no_longer_than_any_other_may_be() {
        for bad in ["tail:0", "tail:0ns", "tail:1s", "tail:15ms"] {
            let said = Workload::parse(bad).unwrap_err().to_string();
            assert!(said.contains(bad) && said.contains("give a mean of 1 ns to 14 ms"), "{said}");
        }
        let longest = Workload::parse("tail:14ms").unwrap();
        assert!(longest.longest_section_ns() <= LONGEST_SECTION.as_nanos() as f64);
        assert!(Workload::parse("tail:").unwrap_err().to_string().contains("say how long, like tail:500ns"));
    }

    /// A section is not only its length and its lines: a record says so, and earlier builds refuse what they would take for another.
    #[test]
    fn a_particular_section_comes_back_from_its_record() {
        for text in [
            "tail:2us",
            "touch",
            "alone",
            "touch+exp:1us",
            "work:2us",
            "memory:2",
            "nested",
            "many:16+exp:1us",
        ] {
            let workload = Workload::parse(text).unwrap();
            let again = Workload::of_record(&workload.record()).unwrap();
            assert_eq!(again, workload, "{text}");
            assert_eq!(again.section.touches, text.starts_with("touch"));
            assert_eq!(again.section.quantile.is_some(), text.starts_with("tail"));
        }
        let mut record = Workload::parse("touch").unwrap().record();
        record.section = "vanish".into();
        assert!(Workload::of_record(&record).is_err());
    }

    #[test]
    fn two_spellings_are_one_workload() {
        for (spelling, canonical) in [
            ("work:1000ns", "work:1us"),
            ("work:1us 500ns", "work:1500ns"),
            ("work:0s", "work:0ns"),
            ("lines:08", "lines:8"),
            ("short+exp", "short+exp:500ns"),
            ("short+exp:0us 500ns", "short+exp:500ns"),
            ("lines:008+fixed:2000us", "lines:8+fixed:2ms"),
            ("short+open", "short+open:10us"),
            ("short+none", "short"),
            ("memory:064", "memory:64"),
            ("many:08", "many:8"),
            ("empty+sleep", "empty+sleep:1ms"),
        ] {
            let workload = Workload::parse(spelling).unwrap();
            assert_eq!(workload.name, canonical, "{spelling}");
            assert_eq!(Workload::parse(canonical).unwrap(), workload, "{spelling}");
        }
    }
}
