//! A limit of CPUs, as containers have it.

use crate::Error;

/// Thousandths of a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CpuLimit(u32);

impl CpuLimit {
    /// The kernel takes no less than a millisecond of a period; more than this no machine has.
    const RANGE: std::ops::RangeInclusive<f64> = 0.01..=4096.0;

    /// Reads `0.5`.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let plain = text.chars().all(|character| character.is_ascii_digit() || character == '.');
        let cpus = text.parse().ok().filter(|cpus| plain && Self::RANGE.contains(cpus));
        let thousandths = cpus
            .map(|cpus| cpus * 1_000.0)
            .filter(|thousandths| (thousandths - thousandths.round()).abs() < 1e-6);
        thousandths.map(|thousandths| Self(thousandths.round() as u32)).ok_or_else(|| {
            Error::usage(format!("a quota of {text:?} CPUs cannot be had; give 0.01 to 4096, with three decimals at most: quota:0.5"))
        })
    }

    /// The only spelling.
    pub(super) fn show(self) -> String {
        format!("{}", self.cpus())
    }

    /// As a number of CPUs.
    pub fn cpus(self) -> f64 {
        f64::from(self.0) / 1_000.0
    }

    /// The CPU time that it allows in so much time.
    pub fn of_ns(self, period_ns: u64) -> u64 {
        period_ns * u64::from(self.0) / 1_000
    }
}
