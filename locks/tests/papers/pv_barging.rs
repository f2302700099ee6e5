//! Waiters of the barging lock give their pCPUs up, and are kicked in turn.

use lockbench_locks::{Event, Params, PvBarging, PvByte, RawLock, Tas};

use super::common::params;
use super::common::stage::{At, play};

/// How often a waiter looks before it halts, in as many iterations, while the holder is off its pCPU; none if it does not halt.
fn looks_before_halt<L: RawLock>(spin_threshold: u32, most: usize) -> Option<usize> {
    let mut halted = None;
    play::<L>(&params(spin_threshold, true, 2), 1, |stage| {
        stage.acquire(0, 0);
        stage.acquire(1, 0);
        halted = (1..=most).find(|_| stage.step(1) == At::Halted);
        stage.release(0, 0);
        assert_eq!(stage.next_holder(&[1]), 1, "a release is noticed, asleep or not");
        stage.release(1, 0);
    });
    halted
}

#[test]
fn pv_barging_halts_where_test_and_set_spins_on() {
    assert_eq!(looks_before_halt::<Tas>(10, 1000), None);
    assert_eq!(looks_before_halt::<PvBarging>(10, 1000), Some(10));
    assert_eq!(looks_before_halt::<PvBarging>(Params::KERNEL_SPINS, 1000), Some(500));
}

/// Who gets the lock when each holder in turn releases it to sleepers, and soon sleeps for it again itself.
fn holders<L: RawLock>(turns: usize) -> Vec<usize> {
    let mut holders = vec![0];
    play::<L>(&params(1, true, 4), 1, |stage| {
        stage.acquire(0, 0);
        for cpu in 1..4 {
            stage.acquire(cpu, 0);
            assert_eq!(stage.steps(cpu, 10), At::Halted);
        }
        for _ in 0..turns {
            let holder = *holders.last().unwrap();
            stage.release(holder, 0);
            let others: Vec<usize> = (0..4).filter(|cpu| *cpu != holder).collect();
            holders.push(stage.next_holder(&others));
            stage.acquire(holder, 0);
            assert_eq!(stage.steps(holder, 10), At::Halted);
        }
    });
    holders
}

/// Xen's byte lock kicks the vCPU with the lowest number, so that two of them have the lock and the others sleep for ever.
#[test]
fn pv_barging_kicks_everybody_in_turn() {
    assert_eq!(holders::<PvByte>(6), [0, 1, 0, 1, 0, 1, 0]);
    assert_eq!(holders::<PvBarging>(6), [0, 1, 2, 3, 0, 1, 2]);
}

/// A sleeper is kicked once for a wait, however many releases pass before it runs.
#[test]
fn pv_barging_kicks_a_sleeper_once() {
    play::<PvBarging>(&params(1, true, 3), 1, |stage| {
        stage.acquire(0, 0);
        stage.acquire(1, 0);
        assert_eq!(stage.steps(1, 10), At::Halted);
        for _ in 0..5 {
            stage.release(0, 0);
            assert_eq!(stage.acquire(0, 0), At::Rest, "whoever finds it free has it");
        }
        assert_eq!(stage.counted(Event::PvKickUnlock), 1);
        stage.release(0, 0);
        assert_eq!(stage.next_holder(&[1]), 1);
    });
}
