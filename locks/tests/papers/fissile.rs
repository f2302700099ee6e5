//! The Fissile lock: whoever comes may pass the queue, until the queue's first is impatient.

use lockbench_locks::{Fissile, Params, RawLock, Tas};

use super::common::params;
use super::common::stage::{At, play};

const PARAMS: Params = params(1, false, 4);

/// How many acquisitions of vCPU 2, of at most `most`, pass vCPU 1, which waits from the first on and looks each time while the
/// lock is held.
fn passes<L: RawLock>(most: usize) -> usize {
    let mut passes = 0;
    play::<L>(&PARAMS, 1, |stage| {
        assert_eq!(stage.acquire(0, 0), At::Rest);
        assert_eq!(stage.acquire(1, 0), At::Spinning);
        let mut holder = 0;
        while passes < most {
            assert_eq!(stage.step(1), At::Spinning);
            stage.release(holder, 0);
            holder = 2;
            if stage.acquire(2, 0) != At::Rest {
                // It queues, and vCPU 1 has the lock at its next look.
                assert_eq!((stage.step(1), stage.holds(1)), (At::Rest, true));
                stage.release(1, 0);
                assert_eq!(stage.next_holder(&[2]), 2);
                return;
            }
            passes += 1;
        }
    });
    passes
}

/// With test-and-set there is no bound.
#[test]
fn fissile_lets_others_pass_until_the_first_is_impatient() {
    assert_eq!(passes::<Tas>(3000), 3000);
    assert_eq!(
        passes::<Fissile>(3000),
        1022,
        "of 1024 iterations one was spent before, and the last one says so"
    );
}

/// The fast path: an uncontended lock has no queue, and a lock that was handed over is an ordinary one again.
#[test]
fn fissile_is_open_to_everybody_again_after_a_handover() {
    play::<Fissile>(&PARAMS, 1, |stage| {
        stage.acquire(0, 0);
        stage.acquire(1, 0);
        assert_eq!(stage.steps(1, 1100), At::Spinning);
        stage.release(0, 0);
        assert_eq!(stage.acquire(2, 0), At::Spinning, "the lock is free, but for vCPU 1 only");
        assert_eq!(stage.step(1), At::Rest);
        stage.release(1, 0);
        assert_eq!(stage.acquire(3, 0), At::Rest, "vCPU 2 is patient yet, and may be passed");
        stage.release(3, 0);
        assert_eq!(stage.next_holder(&[2]), 2);
        stage.release(2, 0);
    });
}
