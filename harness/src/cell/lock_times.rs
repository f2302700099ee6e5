//! The lock's account at one moment, with the piece of time that is still open.

use std::sync::atomic::Ordering::Relaxed;

use lockbench_reports::record::LockTime;
use lockbench_workloads::lock_time::{Account, Class, Spent, until_taken, while_held};
use lockbench_workloads::locks::Order;
use lockbench_workloads::ticks;

use super::Memory;

/// Attempts to read everything in one go; the parent may lose its own pCPU in between.
const ATTEMPTS: u32 = 100;
/// As long as one go may take, in ticks: some 10 us, and as much again for each 64 vCPUs.
const ONE_GO: u64 = 40_000;

/// What the lock's time went into until `at`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LockTimes {
    /// Ticks at which it was read.
    pub(super) at: u64,
    spent: Spent,
}

impl LockTimes {
    pub(super) fn read(memory: &Memory, order: Order) -> Self {
        let mut times = Self::default();
        for _ in 0..ATTEMPTS {
            let began = ticks();
            let Some(account) = memory.header().time.read() else { continue };
            let first_wait =
                memory.traced().map(|vcpu| vcpu.wait_since.load(Relaxed)).filter(|&since| since != 0).min();
            let at = ticks();
            let open = open_piece(&account, memory, order, first_wait, at);
            times = Self { at, spent: std::array::from_fn(|class| account.spent[class] + open[class]) };
            if at.saturating_sub(began) < ONE_GO * (1 + memory.vcpus() as u64 / 64) {
                break;
            }
        }
        times
    }

    /// What was added since `earlier`.
    pub(super) fn since(&self, earlier: &Self, ns: impl Fn(u64) -> u64) -> LockTime {
        let spent =
            |class: Class| ns(self.spent[class as usize].saturating_sub(earlier.spent[class as usize]));
        LockTime {
            idle_ns: spent(Class::Idle),
            free_ns: spent(Class::Free),
            granted_off_ns: spent(Class::GrantedOff),
            held_off_ns: spent(Class::HeldOff),
            held_ns: spent(Class::Held),
        }
    }
}

/// Splits the time since the last boundary as the vCPU that ends it would, had it come to nothing until `at`: a holder
/// that takes longer than it ever did is not running, nor is a grantee that has not begun.
fn open_piece(account: &Account, memory: &Memory, order: Order, first_wait: Option<u64>, at: u64) -> Spent {
    let Some(holder) = account.holder else {
        let ran = (order != Order::Unfair).then_some(at);
        return until_taken(account.since, first_wait.unwrap_or(at), ran, at);
    };
    let section_ticks = memory.header().plan.section_ticks;
    let typical = memory.traced().nth(holder as usize).map_or(0, |vcpu| vcpu.typical_hold(section_ticks));
    while_held(at.saturating_sub(account.since), true, typical)
}
