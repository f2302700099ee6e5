//! A release skips waiters whose published time is old.

use lockbench_locks::{Mcs, McsTp};

use super::overtaking::Comes::BeforeRelease;
use super::overtaking::spins_to_pass;

/// Ten iterations of so many ticks make a time old; one does not.
const TICKS: u64 = 1 << 13;

#[test]
fn mcs_tp_skips_a_waiter_that_is_off() {
    assert_eq!(spins_to_pass::<McsTp>(BeforeRelease, TICKS), Some(0));
    assert_eq!(spins_to_pass::<Mcs>(BeforeRelease, TICKS), None);
}

/// Its bypass bound: a waiter whose time is not old is never passed.
#[test]
fn mcs_tp_keeps_the_order_among_waiters_that_run() {
    assert_eq!(spins_to_pass::<McsTp>(BeforeRelease, 10), None);
}
