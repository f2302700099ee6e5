//! When a waiter halts.

use lockbench_reports::record::params;

use super::{Axis, Env, Flag, InId, Lock};
use crate::Error;

/// Spin iterations before a waiter of a paravirtual lock halts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpinThreshold(pub u32);

impl Axis for SpinThreshold {
    const FLAGS: &'static [Flag] = &[Flag {
        name: params::SPIN_THRESHOLD,
        key: "spin-thresholds",
        takes: "ITERATIONS",
        unit: "",
        default: "32768",
        help: "Spin iterations before a waiter of a paravirtual lock halts: 32768 (the kernel's), 2^8",
        in_id: InId::Param,
        in_0_1: true,
        examples: &["32768", "256", "0256", "2^15", "0"],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        let iterations = match text.split_once('^') {
            Some(("2", exponent)) => exponent.parse().ok().and_then(|exponent| 2_u32.checked_pow(exponent)),
            _ => text.parse().ok(),
        };
        iterations.map(Self).ok_or_else(|| {
            Error::usage(format!(
                "`{}` is no spin threshold; give iterations like 32768 or 2^15",
                text.escape_debug()
            ))
        })
    }

    fn show(&self) -> String {
        self.0.to_string()
    }

    fn has_use(lock: Lock, env: Env) -> bool {
        lock.halts_in(env)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_kernels() {
        let usual: SpinThreshold = super::super::table::usual();
        assert_eq!(usual.0, lockbench_workloads::locks::Params::KERNEL_SPINS);
        for bad in ["", "-1", "2^32", "3^2", "many", "4294967296"] {
            assert!(SpinThreshold::parse(bad).is_err(), "{bad} was taken");
        }
    }
}
