//! The Reciprocating lock serves a segment from its top, and passes nobody over twice.

use lockbench_locks::{Mcs, Params, RawLock, Reciprocating};

use super::common::params;
use super::common::stage::{At, Stage, play};

const PARAMS: Params = params(1, false, 5);

/// The order in which vCPUs 1 to 3 are admitted, who came in this order while vCPU 0 held the lock.
fn admissions<L: RawLock>() -> Vec<usize> {
    let mut admitted = Vec::new();
    play::<L>(&PARAMS, 1, |stage: &Stage| {
        assert_eq!(stage.acquire(0, 0), At::Rest);
        let mut waiting = vec![1, 2, 3];
        for &cpu in &waiting {
            assert_eq!(stage.acquire(cpu, 0), At::Spinning);
        }
        let mut holder = 0;
        while !waiting.is_empty() {
            stage.release(holder, 0);
            holder = stage.next_holder(&waiting);
            waiting.retain(|cpu| *cpu != holder);
            admitted.push(holder);
        }
        stage.release(holder, 0);
        // Free again, and nobody is left in it.
        assert_eq!(stage.acquire(4, 0), At::Rest);
        stage.release(4, 0);
    });
    admitted
}

#[test]
fn reciprocating_serves_a_segment_from_its_top() {
    assert_eq!(admissions::<Mcs>(), [1, 2, 3]);
    assert_eq!(admissions::<Reciprocating>(), [3, 2, 1]);
}

/// How often vCPU 1 is passed over by each of the others, of whom each asks again as soon as it has released the lock, and how
/// often by the one that came last.
fn passed_over<L: RawLock>(rounds: usize) -> Vec<[usize; 4]> {
    let mut all = Vec::new();
    play::<L>(&PARAMS, 1, |stage: &Stage| {
        assert_eq!(stage.acquire(0, 0), At::Rest);
        let mut waiting = vec![1, 2, 3];
        for &cpu in &waiting {
            stage.acquire(cpu, 0);
        }
        let (mut holder, mut passed) = (0, [0; 4]);
        // Who came after vCPU 1 did.
        let mut later = [false, false, true, true];
        for _ in 0..rounds {
            stage.release(holder, 0);
            let next = stage.next_holder(&waiting);
            // The last holder asks again, behind all the others.
            stage.acquire(holder, 0);
            waiting.push(holder);
            waiting.retain(|cpu| *cpu != next);
            later[holder] = holder != 1;
            if next == 1 {
                all.push(passed);
                passed = [0; 4];
                later = [false; 4];
            } else if later[next] {
                passed[next] += 1;
            }
            holder = next;
        }
    });
    all
}

/// In MCS nobody who came later is admitted earlier. Here each of them may be, once.
#[test]
fn reciprocating_lets_each_later_comer_pass_at_most_once() {
    assert!(passed_over::<Mcs>(60).iter().flatten().all(|passed| *passed == 0));
    let passed = passed_over::<Reciprocating>(60);
    assert!(passed.len() >= 10, "vCPU 1 got the lock {} times in 60 turns", passed.len());
    assert!(passed.iter().flatten().all(|passed| *passed <= 1), "{passed:?}");
    assert!(passed.iter().flatten().any(|passed| *passed == 1), "{passed:?}");
}

/// The vCPU that held the lock when a segment was taken off marks the segment's end, even when it waits again meanwhile.
#[test]
fn reciprocating_ends_a_segment_at_a_holder_that_has_come_back() {
    play::<Reciprocating>(&PARAMS, 1, |stage| {
        assert_eq!(stage.acquire(0, 0), At::Rest);
        stage.acquire(1, 0);
        stage.acquire(2, 0);
        stage.release(0, 0);
        assert_eq!(stage.next_holder(&[1, 2]), 2);
        // Two more arrive, the former end among them.
        stage.acquire(0, 0);
        stage.acquire(3, 0);
        stage.release(2, 0);
        assert_eq!(stage.next_holder(&[0, 1, 3]), 1, "the first segment is served to its end");
        stage.release(1, 0);
        assert_eq!(stage.next_holder(&[0, 3]), 3);
        stage.release(3, 0);
        assert_eq!(stage.next_holder(&[0]), 0);
        stage.release(0, 0);
    });
}
