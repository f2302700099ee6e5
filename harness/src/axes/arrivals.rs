//! What decides when a vCPU's next turn comes.

use super::{Axis, Flag, InId};
use crate::Error;

/// What decides when a vCPU's next turn comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrivals {
    /// The end of its last one, and the workload's think time: a closed loop.
    Closed,
    /// The clock: so many turns per second, all vCPUs together, in an open loop.
    PerSecond(f64),
}

impl Axis for Arrivals {
    const FLAGS: &'static [Flag] = &[Flag {
        name: "arrivals",
        key: "arrivals",
        takes: "RATES",
        unit: "",
        default: "closed",
        help: "Turns per second, all vCPUs together, that arrive by the clock: 100000; or closed (each after the last one)",
        in_id: InId::Param,
        in_0_1: true,
        examples: &["closed", "100000", "1e6", "1000000", "0.5"],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        match (text, text.parse()) {
            ("closed", _) => Ok(Self::Closed),
            (_, Ok(rate)) if f64::is_finite(rate) && rate > 0.0 => Ok(Self::PerSecond(rate)),
            _ => Err(Error::usage(format!(
                "`{}` is no rate of arrivals; give turns per second, more than 0, or closed",
                text.escape_debug()
            ))),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Closed => "closed".to_owned(),
            Self::PerSecond(rate) => rate.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_that_cannot_be_are_refused() {
        for bad in ["0", "-1", "inf", "NaN", "", "fast"] {
            assert!(Arrivals::parse(bad).is_err(), "{bad} was taken");
        }
    }
}
