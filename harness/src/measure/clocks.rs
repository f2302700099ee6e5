//! The clocks that windows are timed by, read together: a clock that jumped or ran too fast or slow disagrees with the others.

use std::time::Duration;

use lockbench_workloads::ticks;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Most attempts at a reading, after which the closest one is taken; a thread may lose its pCPU during any.
const ATTEMPTS: u32 = 100;
/// Readings of the clocks must lie this close together, in nanoseconds.
const CLOSE: u64 = 5_000;
/// A suspension is longer than this; a smaller difference of the clocks is not one.
const SUSPENDED: Duration = Duration::from_millis(50);
/// Tolerated deviation of the time-stamp counter's rate; calibration errors and drift are a hundredth of it.
const ASTRAY: f64 = 0.05;

/// The monotonic clock, in nanoseconds.
pub fn monotonic_ns() -> u64 {
    ns(ClockId::Monotonic)
}

fn ns(id: ClockId) -> u64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(id);
    tv_sec.cast_unsigned() * 1_000_000_000 + tv_nsec.cast_unsigned()
}

/// All clocks at about one moment: somewhere between two readings of the monotonic one, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    before: u64,
    after: u64,
    /// The clock that is like the monotonic one but also runs while the machine is suspended.
    boot: u64,
    ticks: u64,
}

impl Clocks {
    /// The clocks now.
    pub fn read() -> Self {
        let mut closest = Self::once();
        for _ in 1..ATTEMPTS {
            if closest.after - closest.before <= CLOSE {
                break;
            }
            let again = Self::once();
            if again.after - again.before < closest.after - closest.before {
                closest = again;
            }
        }
        closest
    }

    fn once() -> Self {
        let before = ns(ClockId::Monotonic);
        let (boot, ticks) = (ns(ClockId::Boottime), ticks());
        Self { before, boot, ticks, after: ns(ClockId::Monotonic).max(before) }
    }

    /// How long the machine was suspended between this reading and `later`, at least; none if it was not.
    pub fn suspended(&self, later: &Self) -> Option<Duration> {
        // How far the one clock is ahead of the other lies between two bounds at either moment; here the nearer ones.
        let ahead = |boot: u64, monotonic: u64| i128::from(boot) - i128::from(monotonic);
        let least = ahead(later.boot, later.after) - ahead(self.boot, self.before);
        let asleep = Duration::from_nanos(u64::try_from(least).ok()?);
        (asleep > SUSPENDED).then_some(asleep)
    }

    /// Ticks per nanosecond between this reading and `later`.
    pub fn ticks_per_ns(&self, later: &Self) -> f64 {
        let ns = middle(later) - middle(self);
        later.ticks.wrapping_sub(self.ticks) as f64 / ns
    }

    /// Rate of the time-stamp counter between this reading and `later`, as a multiple of `expected` (in ticks per nanosecond);
    /// none if it is as expected.
    pub fn astray(&self, later: &Self, expected: f64) -> Option<f64> {
        let ticks = later.ticks.saturating_sub(self.ticks) as f64;
        let (shortest, longest) =
            (later.before.saturating_sub(self.after), later.after.saturating_sub(self.before));
        let (least, most) = (ticks / longest as f64 / expected, ticks / shortest as f64 / expected);
        (most < 1.0 - ASTRAY || least > 1.0 + ASTRAY).then(|| self.ticks_per_ns(later).max(0.0) / expected)
    }
}

fn middle(clocks: &Clocks) -> f64 {
    clocks.before as f64 + (clocks.after - clocks.before) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Clocks =
        Clocks { before: 1_000_000_000, after: 1_000_000_100, boot: 6_000_000_050, ticks: 77 };

    /// `NOW` after 1 s of the monotonic clock.
    fn later(boot_ns: u64, ticks: u64) -> Clocks {
        Clocks {
            before: NOW.before + 1_000_000_000,
            after: NOW.after + 1_000_000_000,
            boot: NOW.boot + boot_ns,
            ticks: NOW.ticks + ticks,
        }
    }

    #[test]
    fn a_machine_that_slept_is_told_by_the_clock_that_ran_on() {
        assert_eq!(NOW.suspended(&later(1_000_000_000, 0)), None);
        let slept = NOW.suspended(&later(4_000_000_000, 0)).unwrap();
        assert!((2.99..3.0).contains(&slept.as_secs_f64()), "{slept:?}");
    }

    #[test]
    fn a_reader_that_was_interrupted_takes_nothing_for_a_suspension() {
        // It lost its pCPU for 200 ms between two readings.
        let late = later(1_200_000_000, 0);
        assert_eq!(NOW.suspended(&Clocks { after: late.after + 200_000_000, ..late }), None);
    }

    #[test]
    fn a_counter_off_its_rate_is_told() {
        assert_eq!(NOW.astray(&later(1_000_000_000, 3_000_000_000), 3.0), None);
        assert_eq!(NOW.astray(&later(1_000_000_000, 2_990_000_000), 3.0), None);
        let half = NOW.astray(&later(1_000_000_000, 1_500_000_000), 3.0).unwrap();
        assert!((half - 0.5).abs() < 1e-6, "{half}");
        let back = Clocks { ticks: 0, ..later(1_000_000_000, 0) };
        assert!(NOW.astray(&back, 3.0).is_some(), "it was reset");
    }

    #[test]
    fn of_now_and_now_nothing_is_said() {
        let (one, other) = (Clocks::read(), Clocks::read());
        assert_eq!(one.suspended(&other), None);
    }
}
