//! The timeslice that the vCPUs' threads ask for.

use lockbench_reports::record::params;

use super::{Axis, Flag, InId, parse_duration, show_duration};
use crate::Error;
use crate::measure::own_slice;

/// The timeslice that the vCPUs' threads ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slice {
    /// The kernel's default.
    Kernel,
    /// This many nanoseconds.
    Ns(u64),
}

impl Slice {
    /// Nanoseconds to ask for, if any.
    pub fn ns(self) -> Option<u64> {
        match self {
            Self::Kernel => None,
            Self::Ns(ns) => Some(ns),
        }
    }
}

impl Axis for Slice {
    const FLAGS: &'static [Flag] = &[Flag {
        name: params::SLICE,
        key: "slices",
        takes: "TIMES",
        unit: "",
        default: "kernel",
        help: "Timeslices of vCPUs, 100us to 100ms: 4ms, or kernel (its own; 10ms for round-robin and gang, 30ms for credit); from the kernel with Linux 6.12 or \
               newer",
        in_id: InId::Param,
        in_0_1: true,
        examples: &["kernel", "4ms", "4000us", "100us", "1500us"],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        if text == "kernel" {
            return Ok(Self::Kernel);
        }
        let ns = parse_duration(text)?.as_nanos();
        match u64::try_from(ns) {
            Ok(ns) if own_slice::RANGE_NS.contains(&ns) => Ok(Self::Ns(ns)),
            _ => Err(Error::usage(format!("a timeslice of {text} cannot be had; give 100us to 100ms"))),
        }
    }

    fn show(&self) -> String {
        self.ns().map_or_else(|| "kernel".to_owned(), show_duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_would_round_is_refused() {
        for bad in ["99us", "101ms", "0ns", "4", "99999999999999999s"] {
            assert!(Slice::parse(bad).is_err(), "{bad} was taken");
        }
    }
}
