//! When a vCPU's next request arrives.

use super::{Axis, Flag, InId};
use crate::Error;

/// When a vCPU's next request arrives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrivals {
    /// A closed loop: after the last request is done and the workload's think time has passed.
    Closed,
    /// An open loop: this many requests per second, all vCPUs together, arrive at times of their own, whether or not the
    /// last one is done.
    PerSecond(f64),
}

impl Axis for Arrivals {
    const FLAGS: &'static [Flag] = &[Flag {
        name: "arrivals",
        key: "arrivals",
        takes: "RATES",
        unit: "",
        default: "closed",
        help: "Requests per second, all vCPUs together, that arrive at times of their own: 100000; or closed (each after the last one)",
        in_id: InId::Param,
        in_0_1: true,
        examples: &["closed", "100000", "1e6", "1000000", "0.5"],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        match (text, text.parse()) {
            ("closed", _) => Ok(Self::Closed),
            (_, Ok(rate)) if f64::is_finite(rate) && rate > 0.0 => Ok(Self::PerSecond(rate)),
            _ => Err(Error::usage(format!(
                "`{}` is no rate of arrivals; give requests per second, more than 0, or closed",
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
