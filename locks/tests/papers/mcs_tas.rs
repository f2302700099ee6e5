//! Whoever comes while the lock is free takes it, whatever the head of the queue does.

use lockbench_locks::{Mcs, McsTas};

use super::overtaking::Comes::{AfterRelease, BeforeRelease};
use super::overtaking::spins_to_pass;

#[test]
fn mcs_tas_newcomers_pass_a_head_that_is_off() {
    assert_eq!(spins_to_pass::<McsTas>(AfterRelease, 0), Some(0));
    assert_eq!(spins_to_pass::<Mcs>(AfterRelease, 0), None);
    // But whoever has queued behind that head waits for it.
    assert_eq!(spins_to_pass::<McsTas>(BeforeRelease, 0), None);
}
