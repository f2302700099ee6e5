//! Workload names: `section[:N][+think[:mean]]`.

use lockbench_reports::record::Workload;
use lockbench_workloads::workload::{SECTIONS, THINKS};

use super::parse_duration;
use crate::Error;
use crate::registry::unknown;

const MOST_LINES: u32 = 4096;

/// Reads a workload's name and gives it back in its canonical spelling with its figures.
pub(super) fn parse(text: &str) -> Result<Workload, Error> {
    let (section_text, think_text) = text.split_once('+').unwrap_or((text, "none"));
    let (section_name, number) = split_argument(section_text);
    let section = SECTIONS
        .iter()
        .find(|section| section.name == section_name)
        .ok_or_else(|| unknown("workload", section_name, SECTIONS.iter().map(|section| section.name)))?;
    let lines = match (section.lines, number) {
        (Some(lines), None) => lines,
        (None, Some(number)) => match number.parse() {
            Ok(lines) if (1..=MOST_LINES).contains(&lines) => lines,
            _ => return Err(Error::new(format!("`{text}`: give 1 to {MOST_LINES} lines, like lines:8"))),
        },
        (None, None) => return Err(Error::new(format!("`{text}`: say how many lines, like lines:8"))),
        (Some(_), Some(_)) => {
            return Err(Error::new(format!("`{text}`: the section `{section_name}` takes no number")));
        }
    };
    let (think_name, mean) = split_argument(think_text);
    let think = THINKS
        .iter()
        .find(|think| think.name == think_name)
        .ok_or_else(|| unknown("think time", think_name, THINKS.iter().map(|think| think.name)))?;
    let think_ns = match mean {
        None => think.default_ns,
        Some(_) if think.default_ns == 0.0 => {
            return Err(Error::new(format!("`{text}`: the think time `{think_name}` takes no length")));
        }
        Some(mean) => parse_duration(mean).map_err(Error::new)?.as_nanos() as f64,
    };
    let mut name = section_text.to_owned();
    if think.name != "none" {
        name = format!("{name}+{think_text}");
    }
    Ok(Workload { name, section_ns: section.work_ns, lines, think: think.name.into(), think_ns })
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
            "",
        ] {
            assert!(parse(bad).is_err(), "{bad} was taken");
        }
        assert!(parse("shrt").unwrap_err().to_string().contains("did you mean `short`"));
    }
}
