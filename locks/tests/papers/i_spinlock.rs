//! I-Spinlock does not queue at the end of a timeslice.

use std::sync::atomic::Ordering::Relaxed;

use lockbench_locks::{ISpinlock, Params, RawLock, Ticket};

use super::common::params;
use super::common::stage::{At, play};

const PARAMS: Params = params(1, false, 3);
const TURN: u64 = 1 << 15;

/// Whether vCPU 2 gets the lock while vCPU 1, which has asked before with `left` ticks of its timeslice, is preempted.
fn gets_past<L: RawLock>(left: u64) -> bool {
    let mut past = false;
    play::<L>(&PARAMS, 1, |stage| {
        stage.clock.store(1_000_000, Relaxed);
        stage.slice_ends[1].store(1_000_000 + left, Relaxed);
        assert_eq!(stage.acquire(0, 0), At::Rest);
        assert_eq!(stage.acquire(1, 0), At::Spinning);
        assert_eq!(stage.acquire(2, 0), At::Spinning);
        // vCPU 1 is off its pCPU from here on.
        stage.release(0, 0);
        past = stage.steps(2, 1000) == At::Rest;
        if past {
            stage.release(2, 0);
        }
        // Its next timeslice.
        stage.clock.fetch_add(40_000_000, Relaxed);
        stage.slice_ends[1].fetch_add(80_000_000, Relaxed);
        assert_eq!(stage.next_holder(&[1]), 1);
        stage.release(1, 0);
        if !past {
            assert_eq!(stage.next_holder(&[2]), 2);
        }
    });
    past
}

/// One holder is before it, so two turns must fit.
#[test]
fn i_spinlock_queues_only_if_its_timeslice_lasts() {
    for left in [0, TURN, 2 * TURN - 1] {
        assert!(!gets_past::<Ticket>(left), "a ticket that is taken is waited for");
        assert!(gets_past::<ISpinlock>(left), "{left} ticks are not enough");
    }
    assert!(!gets_past::<ISpinlock>(2 * TURN), "it may queue, and then it is waited for");
}

/// Where no scheduler tells the end of a timeslice it is a ticket lock.
#[test]
fn i_spinlock_queues_like_ticket_where_nobody_tells_of_timeslices() {
    play::<ISpinlock>(&PARAMS, 1, |stage| {
        stage.clock.store(1_000_000, Relaxed);
        for cpu in 0..3 {
            stage.acquire(cpu, 0);
        }
        stage.release(0, 0);
        assert_eq!(stage.steps(2, 1000), At::Spinning, "vCPU 1 has the next number");
        assert_eq!(stage.next_holder(&[1]), 1);
    });
}
