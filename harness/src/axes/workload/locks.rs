//! Workloads of several locks: which of them a request takes, and what cannot be measured of them.

use std::ops::RangeInclusive;

use lockbench_workloads::arena::PICKS;
use lockbench_workloads::workload::{Locks, Section};

use super::Workload;
use crate::Error;

/// How many locks may be drawn from: the table has few entries for the coldest of more.
pub(super) const MANY: RangeInclusive<u32> = 2..=64;

/// An error if a section does not have so many locks.
pub(super) fn check(section: &Section, locks: u32) -> Result<(), Error> {
    let fits = match section.locks {
        Locks::One => locks == 1,
        Locks::Nested => locks == 2,
        Locks::Many { .. } => MANY.contains(&locks),
    };
    if fits {
        return Ok(());
    }
    Err(Error::usage(format!("the section `{}` cannot have {locks} locks", section.name)))
}

impl Workload {
    /// The lock that a request begins with: to be drawn from uniformly.
    pub(crate) fn picks(&self) -> [u8; PICKS] {
        match self.section.locks {
            Locks::One => [0; PICKS],
            Locks::Nested => std::array::from_fn(|entry| (entry % 2) as u8),
            Locks::Many { exponent } => zipf(self.locks, exponent),
        }
    }
}

/// Numbers of locks by Zipf's law, the hottest first: each entry has the lock in whose part of the sum of weights its middle lies.
fn zipf(locks: u32, exponent: f64) -> [u8; PICKS] {
    let weights: Vec<f64> = (1..=locks).map(|place| f64::from(place).powf(-exponent)).collect();
    let all: f64 = weights.iter().sum();
    let (mut lock, mut sum) = (0, weights[0]);
    std::array::from_fn(|entry| {
        let middle = (entry as f64 + 0.5) / PICKS as f64 * all;
        while sum < middle && lock + 1 < weights.len() {
            lock += 1;
            sum += weights[lock];
        }
        lock as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axes::Axis;

    fn shares(name: &str) -> Vec<f64> {
        let workload = Workload::parse(name).unwrap();
        let picks = workload.picks();
        let of = |lock| picks.iter().filter(|&&pick| u32::from(pick) == lock).count() as f64 / PICKS as f64;
        (0..workload.locks).map(of).collect()
    }

    #[test]
    fn many_locks_are_drawn_by_zipfs_law_and_none_is_left_out() {
        let of_64 = shares("many:64");
        assert!((of_64.iter().sum::<f64>() - 1.0).abs() < 1e-9, "every entry names one of the locks");
        // The sum of r^-0.99 for r from 1 to 64 is 4.84.
        assert!((of_64[0] - 1.0 / 4.84).abs() < 2e-3 && of_64[63] > 2e-3, "{of_64:?}");
        let law = |place: i32| of_64[0] * f64::from(place).powf(-0.99);
        assert!((1..=64).all(|place| (of_64[place as usize - 1] - law(place)).abs() < 2.0 / PICKS as f64));
        assert_eq!(shares("many:2").len(), 2);
        assert_eq!((shares("nested"), shares("short")), (vec![0.5, 0.5], vec![1.0]));
    }

    #[test]
    fn a_record_with_another_number_of_locks_is_refused() {
        for (name, locks) in [("short", 2), ("nested", 1), ("many:16", 65), ("many:16", 1)] {
            let mut record = Workload::parse(name).unwrap().record();
            record.locks = locks;
            assert!(Workload::of_record(&record).is_err(), "{locks} locks of {name}");
        }
    }
}
