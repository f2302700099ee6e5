//! A waiter of the spin-then-park lock gives its pCPU up.

use lockbench_locks::{Mcs, Params, RawLock, SpinThenPark};

use super::common::params;
use super::common::stage::{At, play};

/// What a waiter does in as many iterations, of which it may spin `spins`, while the holder is off its pCPU: how many it spins
/// before it halts; none if it does not.
fn spins_before_halt<L: RawLock>(spins: u32, most: usize) -> Option<usize> {
    let mut halted = None;
    play::<L>(&params(spins, false, 3), 1, |stage| {
        assert_eq!(stage.acquire(0, 0), At::Rest);
        let mut at = stage.acquire(1, 0);
        for spun in 0..most {
            if at == At::Halted {
                halted = Some(spun);
                break;
            }
            at = stage.step(1);
        }
        // The grant wakes it, and nobody but it.
        stage.acquire(2, 0);
        stage.release(0, 0);
        assert_eq!(stage.next_holder(&[1, 2]), 1);
        assert_eq!(stage.halts(1), u64::from(halted.is_some()));
        stage.release(1, 0);
        assert_eq!(stage.next_holder(&[2]), 2);
        stage.release(2, 0);
    });
    halted
}

/// The holder is preempted and releases nothing: MCS would spin for ever.
#[test]
fn spin_then_park_halts_once_its_spins_are_used_up() {
    assert_eq!(spins_before_halt::<Mcs>(10, 4000), None);
    assert_eq!(spins_before_halt::<SpinThenPark>(10, 4000), Some(10));
    assert_eq!(spins_before_halt::<SpinThenPark>(Params::KERNEL_SPINS, 4000), Some(2700));
}

/// A kick that was meant for an earlier wait ends the halt, and not the wait.
#[test]
fn spin_then_park_goes_on_waiting_after_a_halt_that_ended_early() {
    play::<SpinThenPark>(&params(0, false, 2), 1, |stage| {
        stage.acquire(0, 0);
        assert_eq!(stage.acquire(1, 0), At::Halted);
        assert_eq!(stage.step(1), At::Halted, "a spurious wake-up");
        stage.release(0, 0);
        assert_eq!(stage.step(1), At::Rest);
    });
}
