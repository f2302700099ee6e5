//! What is counted in throughput windows.

use super::{Axis, Flag, InId};
use crate::Error;
use crate::error::unknown;

/// What is counted in throughput windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Preemptions and events.
    Count,
    /// Nothing: the comparison with counting windows shows what counting costs.
    Off,
}

impl Axis for Probe {
    const FLAGS: &'static [Flag] = &[Flag {
        name: "probe",
        key: "probe",
        takes: "NAMES",
        unit: "",
        default: "count",
        help: "What is watched in throughput windows: count (preemptions and events) or off, to see what counting costs",
        in_id: InId::Param,
        in_0_1: true,
        examples: &["count", "off"],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "count" => Ok(Self::Count),
            "off" => Ok(Self::Off),
            _ => Err(unknown("probe", text, ["count", "off"])),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Count => "count".to_owned(),
            Self::Off => "off".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_two() {
        assert_eq!(Probe::parse("off").unwrap(), Probe::Off);
        assert!(Probe::parse("on").is_err());
    }
}
