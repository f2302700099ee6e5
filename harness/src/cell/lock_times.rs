//! The lock's account at one moment, with the piece of time that is still open.

use std::sync::atomic::Ordering::Relaxed;

use lockbench_reports::record::LockTime;
use lockbench_workloads::lock_time::{Account, Class, Spent, until_taken, while_held};
use lockbench_workloads::locks::Order;
use lockbench_workloads::ticks;

use crate::arena::Memory;

/// What the lock's time went into until `at`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LockTimes {
    /// Ticks at which it was read.
    pub(super) at: u64,
    spent: Spent,
}

impl LockTimes {
    pub(super) fn read(memory: &Memory, order: Order) -> Self {
        // A whole account can be missed where turns are shorter than a look at it takes: rarely twice.
        let account = (0..100).find_map(|_| memory.time().read()).unwrap_or_default();
        let first_wait =
            memory.traced().map(|vcpu| vcpu.wait_since.load(Relaxed)).filter(|&since| since != 0).min();
        let at = ticks();
        let open = open_piece(&account, memory, order, first_wait, at);
        Self { at, spent: std::array::from_fn(|class| account.spent[class].saturating_add(open[class])) }
    }

    /// What was added since `earlier`.
    pub(super) fn since(&self, earlier: &Self, ns: impl Fn(u64) -> u64) -> LockTime {
        let spent = difference(&self.spent, &earlier.spent);
        let spent = |class: Class| ns(spent[class as usize]);
        LockTime {
            idle_ns: spent(Class::Idle),
            free_ns: spent(Class::Free),
            granted_off_ns: spent(Class::GrantedOff),
            held_off_ns: spent(Class::HeldOff),
            held_ns: spent(Class::Held),
        }
    }
}

/// What each class gained; together always what they gained together. A piece that was open at the earlier reading may have
/// come out otherwise than was thought then: what a class lacks was booked as another's, and the largest gives it back.
fn difference(later: &Spent, earlier: &Spent) -> Spent {
    let mut gained: Spent = std::array::from_fn(|class| later[class].saturating_sub(earlier[class]));
    for class in 0..Class::COUNT {
        let lacking = earlier[class].saturating_sub(later[class]);
        if let Some(largest) = gained.iter_mut().max() {
            *largest = largest.saturating_sub(lacking);
        }
    }
    gained
}

/// Splits the time since the last boundary as the vCPU that ends it would, had it come to nothing until `at`: a holder
/// that takes longer than it ever did is not running, nor is a grantee that has not begun.
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
