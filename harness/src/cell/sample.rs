//! One sample of a running cell: its counts at one moment.

use std::time::Instant;

use lockbench_workloads::locks::Order;
use lockbench_workloads::ticks;

use super::counters::{Own, sum};
use super::lock_times::LockTimes;
use crate::arena::Memory;

/// Most attempts at a sample, after which the last one is taken as it is: the parent may lose its pCPU in the middle of any.
const ATTEMPTS: u32 = 100;
/// Longest time that an attempt may take, in ticks: some 10 us, and as much again for each 64 vCPUs.
const ONE_GO: u64 = 40_000;

/// The counts at one moment.
pub(super) struct Sample {
    pub(super) at: Instant,
    /// The counts of each vCPU, its acquisitions among them.
    pub(super) own: Vec<Own>,
    /// The parts of the lock's time, where they are booked.
    pub(super) time: Option<LockTimes>,
}

impl Sample {
    /// Reads all counts, and again until an attempt is short enough. `order` is the lock's, if its time is booked.
    pub(super) fn take(memory: &Memory, order: Option<Order>) -> Self {
        let mut attempts = 1..=ATTEMPTS;
        loop {
            let began = ticks();
            let time = order.map(|order| LockTimes::read(memory, order));
            let own = memory.blocks().map(Own::read).collect();
            let sample = Self { at: Instant::now(), own, time };
            let took = ticks().saturating_sub(began);
            let in_one_go = took < ONE_GO * (1 + memory.vcpus() as u64 / 64);
            if in_one_go || attempts.next().is_none() {
                return sample;
            }
        }
    }

    /// Acquisitions of all vCPUs.
    pub(super) fn total(&self) -> u64 {
        sum(self.own.iter().map(|own| own.operations))
    }

    /// The counts of each vCPU since `earlier`.
    pub(super) fn since(&self, earlier: &Self) -> Vec<Own> {
        self.own.iter().zip(&earlier.own).map(|(now, earlier)| now.since(earlier)).collect()
    }
}
