//! The lock's account at one moment, with the piece of time that is still open.

use std::sync::atomic::Ordering::Relaxed;

use lockbench_reports::record::LockTime;
use lockbench_workloads::lock_time::{Account, Part, Spent, until_taken, while_held};
use lockbench_workloads::locks::Order;
use lockbench_workloads::ticks;

use crate::arena::Memory;

/// The parts of the lock's time until `at`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LockTimes {
    /// Ticks at which it was read.
    pub(super) at: u64,
    spent: Spent,
}

impl LockTimes {
    pub(super) fn read(memory: &Memory, order: Order) -> Self {
        // Reading fails while the account changes, which it may do faster than one reading takes; it rarely fails twice.
        let account = (0..100).find_map(|_| memory.time().read()).unwrap_or_default();
        let first_wait =
            memory.traced().map(|vcpu| vcpu.wait_since.load(Relaxed)).filter(|&since| since != 0).min();
        let at = ticks();
        let open = open_piece(&account, memory, order, first_wait, at);
        Self { at, spent: std::array::from_fn(|part| account.spent[part].saturating_add(open[part])) }
    }

    /// What was added since `earlier`.
    pub(super) fn since(&self, earlier: &Self, ns: impl Fn(u64) -> u64) -> LockTime {
        let spent = difference(&self.spent, &earlier.spent);
        let spent = |part: Part| ns(spent[part as usize]);
        LockTime {
            idle_ns: spent(Part::Idle),
            free_ns: spent(Part::Free),
            granted_off_ns: spent(Part::GrantedOff),
            held_off_ns: spent(Part::HeldOff),
            held_ns: spent(Part::Held),
        }
    }
}

/// How much each part gained, so that the gains add up to the time that passed. A piece that was open at the earlier reading
/// may have been booked to another part than was assumed then: what a part lacks is taken from the part that gained most.
fn difference(later: &Spent, earlier: &Spent) -> Spent {
    let mut gained: Spent = std::array::from_fn(|part| later[part].saturating_sub(earlier[part]));
    for part in 0..Part::COUNT {
        let lacking = earlier[part].saturating_sub(later[part]);
        if let Some(largest) = gained.iter_mut().max() {
            *largest = largest.saturating_sub(lacking);
        }
    }
    gained
}

/// Splits the time from the last boundary until `at` among the parts, as the vCPU that ends the piece would. A holder that
/// takes longer than it ever did counts as not running, and so does a vCPU that got the lock and has not begun.
fn open_piece(account: &Account, memory: &Memory, order: Order, first_wait: Option<u64>, at: u64) -> Spent {
    let Some(holder) = account.holder else {
        let ran = (order != Order::Unfair).then_some(at);
        return until_taken(account.since, first_wait.unwrap_or(at), ran, at);
    };
    let section_ticks = memory.plan().section_ticks;
    let typical = memory.traced().nth(holder as usize).map_or(0, |vcpu| vcpu.typical_hold(section_ticks));
    while_held(at.saturating_sub(account.since), true, typical)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_guess_at_the_opening_leaves_the_sum_right() {
        // 50 of an open hold were taken for its holder's absence and were booked as useful.
        assert_eq!(difference(&[0, 0, 0, 100, 1000], &[0, 0, 0, 150, 200]), [0, 0, 0, 0, 750]);
        assert_eq!(difference(&[5, 6, 7, 8, 9], &[1, 1, 1, 1, 1]), [4, 5, 6, 7, 8]);
        assert_eq!(difference(&[0; 5], &[0; 5]), [0; 5]);
    }
}
