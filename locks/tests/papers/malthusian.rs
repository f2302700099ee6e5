//! The Malthusian lock sets surplus waiters aside, and takes them back.

use lockbench_locks::{Malthusian, Mcs, Params, RawLock};

use super::common::params;
use super::common::stage::{At, play};

const PARAMS: Params = params(0, false, 5);

/// Who gets the lock in so many turns, if five vCPUs ask again as soon as they have released it.
fn turns<L: RawLock>(count: usize) -> Vec<usize> {
    let mut turns = Vec::new();
    play::<L>(&PARAMS, 1, |stage| {
        assert_eq!(stage.acquire(0, 0), At::Rest);
        let mut waiting: Vec<usize> = (1..5).collect();
        for &cpu in &waiting {
            stage.acquire(cpu, 0);
        }
        let mut holder = 0;
        for _ in 0..count {
            stage.release(holder, 0);
            let next = stage.next_holder(&waiting);
            stage.acquire(holder, 0);
            waiting.push(holder);
            waiting.retain(|cpu| *cpu != next);
            turns.push(next);
            holder = next;
        }
    });
    turns
}

/// Whether everybody gets the lock in each stretch of so many turns.
fn all_within(turns: &[usize], stretch: usize) -> bool {
    turns.windows(stretch).all(|turns| (0..5).all(|cpu| turns.contains(&cpu)))
}

#[test]
fn malthusian_circulates_few_and_readmits_the_others() {
    let mcs = turns::<Mcs>(100);
    assert!(all_within(&mcs, 5), "{mcs:?}");
    let malthusian = turns::<Malthusian>(10_000);
    // Once the surplus is aside, two circulate: one holds the lock, and one waits.
    let mut active = malthusian[20..200].to_vec();
    active.sort_unstable();
    active.dedup();
    assert_eq!(active.len(), 2, "of five vCPUs");
    // Who is aside comes back: one in 1024 releases admits one. Three are aside, so a few such releases reach each of them.
    assert!(!all_within(&malthusian, 1024));
    assert!(all_within(&malthusian, 6 * 1024), "somebody starved");
}

/// A lock without another waiter is not left to stand while somebody is aside.
#[test]
fn malthusian_takes_a_passive_waiter_back_when_nobody_queues() {
    play::<Malthusian>(&PARAMS, 1, |stage| {
        stage.acquire(0, 0);
        for cpu in 1..4 {
            assert_eq!(stage.acquire(cpu, 0), At::Halted);
        }
        // vCPU 1 goes aside, then vCPU 3, the last in the queue, is left.
        stage.release(0, 0);
        assert_eq!(stage.next_holder(&[1, 2, 3]), 2);
        stage.release(2, 0);
        assert_eq!(stage.next_holder(&[1, 3]), 3);
        stage.release(3, 0);
        assert_eq!(stage.next_holder(&[1]), 1);
        stage.release(1, 0);
        assert_eq!(stage.acquire(4, 0), At::Rest);
    });
}
