//! Workload names: `section[:N][+think[:mean]]`.

use std::ops::RangeInclusive;
use std::time::Duration;

use lockbench_reports::record::{Arrivals, Workload};
use lockbench_workloads::workload::{SECTIONS, THINKS, Takes};

use super::parse_duration;
use crate::Error;
use crate::registry::unknown;

const MOST_LINES: u32 = 4096;
const LONGEST_SECTION: Duration = Duration::from_secs(1);
/// Mean times between two arrivals on a vCPU; six times the longest, in ticks, must fit into the arena's table.
const ARRIVAL_NS: RangeInclusive<f64> = 1.0..=100e6;

/// Reads a workload's name and gives it back in its canonical spelling with its figures.
pub(super) fn parse(text: &str) -> Result<Workload, Error> {
    let (section_text, think_text) = text.split_once('+').unwrap_or((text, "none"));
    let (section_name, number) = split_argument(section_text);
    let section = SECTIONS
        .iter()
        .find(|section| section.name == section_name)
        .ok_or_else(|| unknown("workload", section_name, SECTIONS.iter().map(|section| section.name)))?;
    let refused = |why: &str| Err(Error::new(format!("`{text}`: {why}")));
    let (section_ns, lines) = match (section.takes, number) {
        (Takes::Nothing, None) => (section.work_ns, 0),
        (Takes::Nothing, Some(_)) => {
            return refused(&format!("the section `{section_name}` takes no number"));
        }
        (Takes::Lines, Some(number)) => match number.parse() {
            Ok(lines) if (1..=MOST_LINES).contains(&lines) => (section.work_ns, lines),
            _ => return refused(&format!("give 1 to {MOST_LINES} lines, like lines:8")),
        },
        (Takes::Lines, None) => return refused("say how many lines, like lines:8"),
        (Takes::Length, Some(length)) => match parse_duration(length).map_err(Error::new)? {
            length if length <= LONGEST_SECTION => (length.as_nanos() as f64, 0),
            _ => return refused("a section may last 1 s at most"),
        },
        (Takes::Length, None) => return refused("say how long, like work:500ns"),
    };
    let (think_name, mean) = split_argument(think_text);
    let think = THINKS
        .iter()
        .find(|think| think.name == think_name)
        .ok_or_else(|| unknown("think time", think_name, THINKS.iter().map(|think| think.name)))?;
    let think_ns = match mean {
        None => think.default_ns,
        Some(_) if think.default_ns == 0.0 => {
            return refused(&format!("the think time `{think_name}` takes no length"));
        }
        Some(mean) => parse_duration(mean).map_err(Error::new)?.as_nanos() as f64,
    };
    let mut name = section_text.to_owned();
    if think.name != "none" {
        name = format!("{name}+{think_text}");
    }
    if think.open && !ARRIVAL_NS.contains(&think_ns) {
        return refused("turns may arrive 1 ns to 100 ms apart");
    }
    let arrivals = if think.open { Arrivals::Open } else { Arrivals::Closed };
    Ok(Workload { name, section_ns, lines, think: think.name.into(), think_ns, arrivals })
}

/// The workload in an open loop of `per_second` arrivals, split evenly over the vCPUs.
pub(super) fn with_arrivals(workload: &Workload, per_second: f64, vcpus: u32) -> Result<Workload, Error> {
    let name = &workload.name;
    if workload.think != "none" {
        return Err(Error::new(format!("`{name}` says itself when its turns come, so it takes no arrivals")));
    }
    let think_ns = f64::from(vcpus) * 1e9 / per_second;
    if !ARRIVAL_NS.contains(&think_ns) {
        return Err(Error::new(format!(
            "{per_second} arrivals per second on {vcpus} vCPUs cannot be had; give 10 to 1e9 for each of them"
        )));
    }
    Ok(Workload { think: "open".into(), think_ns, arrivals: Arrivals::Open, ..workload.clone() })
}

fn split_argument(text: &str) -> (&str, Option<&str>) {
    text.split_once(':').map_or((text, None), |(name, argument)| (name, Some(argument)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_their_figures() {
        let workload = parse("lines:8+exp:250ns").unwrap();
        assert_eq!((workload.lines, workload.think_ns), (8, 250.0));
        assert_eq!(workload.name, "lines:8+exp:250ns");
        assert_eq!(parse("short").unwrap().section_ns, 100.0);
        assert_eq!(parse("work:250us").unwrap().section_ns, 250e3);
        let open = parse("short+open:20us").unwrap();
        assert_eq!((open.arrivals, open.think_ns), (Arrivals::Open, 20e3));
        assert_eq!(parse("short+none").unwrap().name, "short");
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
            "",
        ] {
            assert!(parse(bad).is_err(), "{bad} was taken");
        }
        let short = parse("short").unwrap();
        let open = with_arrivals(&short, 1e6, 4).unwrap();
        assert_eq!((open.name.as_str(), open.think.as_str(), open.think_ns), ("short", "open", 4000.0));
        for bad in [0.0, -1.0, 1.0, f64::NAN, f64::INFINITY] {
            assert!(with_arrivals(&short, bad, 4).is_err(), "{bad} was taken");
        }
        assert!(with_arrivals(&parse("short+exp").unwrap(), 1e6, 4).is_err());
        assert!(parse("shrt").unwrap_err().to_string().contains("did you mean `short`"));
    }
}
