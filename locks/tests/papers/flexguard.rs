//! FlexGuard spins until the host says that the holder or the next is preempted.

use std::sync::atomic::Ordering::Relaxed;

use lockbench_locks::{FlexGuard, Mcs, Params, RawLock};

use super::common::params;
use super::common::stage::{At, play};

const PARAMS: Params = params(1, false, 4);

/// How many iterations each of two waiters spins before it halts, if the holder is preempted after 1000; none if it does not halt.
fn spins_before_halt<L: RawLock>() -> [Option<usize>; 2] {
    let mut halted = [None; 2];
    play::<L>(&PARAMS, 1, |stage| {
        assert_eq!(stage.acquire(0, 0), At::Rest);
        for cpu in [1, 2] {
            stage.acquire(cpu, 0);
            assert_eq!(stage.steps(cpu, 1000), At::Spinning, "the holder runs");
        }
        stage.preempted[0].store(true, Relaxed);
        for cpu in [1, 2] {
            halted[cpu - 1] = (0..1000).find(|_| stage.step(cpu) == At::Halted);
        }
        stage.preempted[0].store(false, Relaxed);
        stage.release(0, 0);
        let first = stage.next_holder(&[1, 2]);
        stage.release(first, 0);
        let second = stage.next_holder(&[3 - first]);
        stage.release(second, 0);
        assert_eq!(stage.acquire(3, 0), At::Rest);
    });
    halted
}

#[test]
fn flexguard_halts_when_the_holder_is_preempted_and_not_before() {
    assert_eq!(spins_before_halt::<Mcs>(), [None, None]);
    for spun in spins_before_halt::<FlexGuard>() {
        assert!(spun.is_some_and(|spun| spun < 64), "{spun:?}");
    }
}

/// The first of the queue is preempted: in MCS nobody gets past it.
#[test]
fn flexguard_passes_a_next_waiter_that_is_preempted() {
    fn gets_past<L: RawLock>() -> bool {
        let mut past = false;
        play::<L>(&PARAMS, 1, |stage| {
            stage.acquire(0, 0);
            stage.acquire(1, 0);
            stage.acquire(2, 0);
            stage.steps(2, 70);
            stage.preempted[1].store(true, Relaxed);
            stage.steps(2, 70);
            stage.release(0, 0);
            past = stage.steps(2, 1000) == At::Rest;
            stage.preempted[1].store(false, Relaxed);
            if past {
                stage.release(2, 0);
            }
            assert_eq!(stage.next_holder(&[1]), 1);
            stage.release(1, 0);
        });
        past
    }
    assert!(!gets_past::<Mcs>());
    assert!(gets_past::<FlexGuard>());
}

/// Sleepers are woken one at each release, who came first being first, and spin again once the holder runs.
#[test]
fn flexguard_wakes_in_the_order_in_which_waiters_fell_asleep() {
    play::<FlexGuard>(&PARAMS, 1, |stage| {
        stage.acquire(0, 0);
        stage.preempted[0].store(true, Relaxed);
        for cpu in [3, 1, 2] {
            assert_eq!(stage.acquire(cpu, 0), At::Halted);
        }
        stage.preempted[0].store(false, Relaxed);
        for (holder, waiting, next) in [(0, &[1, 2, 3][..], 3), (3, &[1, 2], 1), (1, &[2], 2)] {
            stage.release(holder, 0);
            assert_eq!(stage.next_holder(waiting), next);
        }
        stage.release(2, 0);
    });
}
