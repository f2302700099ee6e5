//! What halting and kicking cost more than they do on this machine.

use lockbench_reports::record::params;

use super::{Axis, Env, Flag, InId, Lock, parse_duration, show_duration};
use crate::Error;

/// Shortest and longest price. A shorter one drowns in the price of the call; in a longer one nothing but halts would be seen.
const RANGE_NS: std::ops::RangeInclusive<u64> = 100..=10_000_000;

/// Time that a vCPU spends for each halt and for each kick, on top of what they cost on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KickCost {
    /// Nanoseconds; 0 for none.
    pub ns: u64,
}

impl Axis for KickCost {
    const FLAGS: &'static [Flag] = &[Flag {
        name: params::KICK_COST,
        key: "kick-costs",
        takes: "TIMES",
        unit: "",
        default: "none",
        help: "Time that a vCPU spends for each halt and each kick besides what they cost on this machine, 100ns to 10ms: 1us,10us,\
               70us, or none",
        in_id: InId::Param,
        in_0_1: false,
        examples: &["none", "1us", "70us", "1000ns", "10ms"],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        if text == "none" {
            return Ok(Self { ns: 0 });
        }
        match u64::try_from(parse_duration(text)?.as_nanos()) {
            Ok(ns) if RANGE_NS.contains(&ns) => Ok(Self { ns }),
            _ => {
                Err(Error::usage(format!("a kick cost of {text} cannot be had; give 100ns to 10ms, or none")))
            }
        }
    }

    fn show(&self) -> String {
        if self.ns == 0 { "none".to_owned() } else { show_duration(self.ns) }
    }

    fn has_use(lock: Lock, env: Env) -> bool {
        lock.halts_in(env)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_drown_or_drown_everything_is_refused() {
        for bad in ["0ns", "99ns", "11ms", "cheap", ""] {
            assert!(KickCost::parse(bad).is_err(), "{bad} was taken");
        }
    }
}
