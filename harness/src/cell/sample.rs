//! One look at a running cell.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use lockbench_workloads::locks::Order;
use lockbench_workloads::ticks;

use super::counters::sum;
use super::lock_times::LockTimes;
use crate::arena::Memory;

/// Looks before one is taken as it is; the parent may lose its own pCPU in the middle of any.
const ATTEMPTS: u32 = 100;
/// As long as a look may take, in ticks: some 10 us, and as much again for each 64 vCPUs.
const ONE_GO: u64 = 40_000;

/// What had happened by one moment.
pub(super) struct Sample {
    pub(super) at: Instant,
    /// Acquisitions per vCPU.
    pub(super) per_vcpu: Vec<u64>,
    /// What the lock's time went into, where it is kept.
    pub(super) time: Option<LockTimes>,
}

impl Sample {
    /// `order` is the lock's where its time is kept: then all is read again until nothing came between.
    pub(super) fn take(memory: &Memory, order: Option<Order>) -> Self {
        let mut attempts = 1..=ATTEMPTS;
        loop {
            let began = ticks();
            let time = order.map(|order| LockTimes::read(memory, order));
            let per_vcpu = memory.blocks().map(|block| block.own.operations.load(Relaxed)).collect();
            let sample = Self { at: Instant::now(), per_vcpu, time };
            let took = ticks().saturating_sub(began);
            let in_one_go = took < ONE_GO * (1 + memory.vcpus() as u64 / 64);
            if order.is_none() || in_one_go || attempts.next().is_none() {
                return sample;
            }
        }
    }

    pub(super) fn total(&self) -> u64 {
        sum(self.per_vcpu.iter().copied())
    }
}
