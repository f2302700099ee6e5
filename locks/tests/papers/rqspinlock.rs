//! rqspinlock gives up, where the queued lock would wait for ever.

use std::sync::atomic::Ordering::Relaxed;

use lockbench_locks::{Event, Params, Queued, RawLock, Rqspinlock};

use super::common::params;
use super::common::stage::{At, Stage, play};

/// A tick is a microsecond.
const PARAMS: Params = params(1, false, 4);
/// A waiter reads the time in every so many iterations.
const LOOK: u64 = 1 << 16;
/// The pending waiter's patience; the queue's head has twice that.
const PATIENCE: u64 = 250_000;

/// After how many ticks the acquisition that vCPU `cpu` has begun fails; none if it goes on for two seconds.
fn fails_after(stage: &Stage, cpu: usize) -> Option<u64> {
    let began = stage.clock.load(Relaxed);
    let done = stage.spin(cpu, 2_000_000) == At::Rest;
    done.then(|| {
        assert!(!stage.holds(cpu));
        stage.clock.load(Relaxed) - began
    })
}

/// After how many ticks a vCPU gives up that asks for a lock which it holds.
fn recursion<L: RawLock>() -> Option<u64> {
    let mut after = None;
    play::<L>(&PARAMS, 1, |stage| {
        stage.acquire(0, 0);
        stage.acquire(0, 0);
        after = fails_after(stage, 0);
        if after.is_some() {
            stage.release(0, 0);
            assert_eq!(stage.acquire(1, 0), At::Rest, "the lock is whole again");
        }
    });
    after
}

#[test]
fn rqspinlock_finds_that_a_vcpu_asks_for_what_it_holds() {
    assert_eq!(recursion::<Queued>(), None);
    let after = recursion::<Rqspinlock>().unwrap();
    assert!(after <= LOOK, "{after} ticks: the first look after a millisecond");
}

/// After how many ticks the second of two vCPUs gives up that each ask for what the other holds.
fn crosswise<L: RawLock>() -> Option<u64> {
    let mut after = None;
    play::<L>(&PARAMS, 2, |stage| {
        stage.acquire(0, 0);
        stage.acquire(1, 1);
        assert_eq!(stage.acquire(0, 1), At::Spinning);
        assert_eq!(stage.acquire(1, 0), At::Spinning);
        after = fails_after(stage, 1);
        if after.is_some() {
            // It lets go of what it holds, and the other one goes on.
            stage.release(1, 1);
            assert_eq!((stage.step(0), stage.holds(0)), (At::Rest, true));
            stage.release(0, 1);
            stage.release(0, 0);
            assert_eq!(stage.acquire(1, 0), At::Rest);
            assert_eq!([Event::LockDeadlock, Event::LockTimeout].map(|event| stage.counted(event)), [1, 0]);
        }
    });
    after
}

#[test]
fn rqspinlock_finds_that_two_vcpus_ask_for_what_the_other_holds() {
    assert_eq!(crosswise::<Queued>(), None);
    let after = crosswise::<Rqspinlock>().unwrap();
    assert!(after <= LOOK, "{after} ticks");
}

/// The holder is preempted for long and nobody is deadlocked. vCPU 1 is the pending waiter.
fn patience<L: RawLock>() -> Option<u64> {
    let mut after = None;
    play::<L>(&PARAMS, 1, |stage| {
        stage.acquire(0, 0);
        stage.acquire(1, 0);
        after = fails_after(stage, 1);
    });
    after
}

#[test]
fn rqspinlock_times_out() {
    assert_eq!(patience::<Queued>(), None);
    let after = patience::<Rqspinlock>().unwrap();
    assert!((PATIENCE..=PATIENCE + LOOK).contains(&after), "{after} ticks");
}

/// The head of the queue times out after twice the patience, and whoever is behind it leaves at once.
#[test]
fn rqspinlock_gives_a_whole_queue_up() {
    play::<Rqspinlock>(&PARAMS, 1, |stage| {
        stage.acquire(0, 0);
        for cpu in 1..4 {
            assert_eq!(stage.acquire(cpu, 0), At::Spinning);
        }
        let after = fails_after(stage, 2).unwrap();
        assert!((2 * PATIENCE..=2 * PATIENCE + LOOK).contains(&after), "{after} ticks");
        assert_eq!((stage.step(3), stage.holds(3)), (At::Rest, false));
        assert_eq!([Event::LockTimeout, Event::LockDeadlock].map(|event| stage.counted(event)), [1, 1]);
        // The holder and the pending waiter are as they were, and those who left may come again.
        stage.acquire(3, 0);
        stage.release(0, 0);
        assert_eq!((stage.step(1), stage.holds(1)), (At::Rest, true));
        stage.release(1, 0);
        assert_eq!(stage.next_holder(&[3]), 3);
        stage.release(3, 0);
        assert_eq!(stage.acquire(2, 0), At::Rest);
    });
}

/// A host that tells nobody how long a tick is gets a lock that waits like the queued one.
#[test]
fn rqspinlock_waits_on_where_nobody_tells_how_long_a_tick_is() {
    play::<Rqspinlock>(&Params { ticks_per_us: 0, ..PARAMS }, 1, |stage| {
        stage.acquire(0, 0);
        stage.acquire(1, 0);
        assert_eq!(fails_after(stage, 1), None);
        stage.release(0, 0);
        assert_eq!((stage.step(1), stage.holds(1)), (At::Rest, true));
    });
}
