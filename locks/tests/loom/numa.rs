//! A waiter of another NUMA node is passed over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lockbench_locks::{Cna, Cohort, Ctx, Params, RawLock};
use loom::cell::UnsafeCell;
use loom::thread;

use super::common::{BARE, params};
use super::vcpu::{Bell, Halts, Vcpu};

/// The lock is held at first by a vCPU that no thread runs.
const HOLDER: usize = 0;
/// Waits on the other node.
const FAR: usize = 1;
/// Waits on the holder's node, and releases the lock in the holder's name when it first spins.
const NEAR: usize = 2;
const VCPUS: usize = 3;

struct World<L: RawLock> {
    lock: L,
    params: Params,
    blocks: Vec<L::PerVcpu>,
    bells: Vec<Bell>,
    /// Whether `FAR` has waited, and whether `HOLDER` holds the lock: not loom's, for they are no part of what is explored.
    far_waited: AtomicBool,
    held: AtomicBool,
    passes: UnsafeCell<usize>,
}

// SAFETY: the cell is only reached by the holder of the lock, or loom fails the model.
unsafe impl<L: RawLock> Sync for World<L> {}
// SAFETY: as above; the vCPUs' blocks and the lock are shared anyway.
unsafe impl<L: RawLock> Send for World<L> {}

impl<L: RawLock> World<L> {
    fn context<'a>(&'a self, me: usize, on_relax: &'a dyn Fn()) -> Ctx<'a, L, Vcpu<'a, BARE>> {
        Ctx::over(me, &self.blocks, &self.params, Vcpu { on_relax, ..Vcpu::new(me, &self.bells) })
    }

    /// Passes the lock, and returns how many passed it before.
    fn pass(&self, me: usize, on_relax: &dyn Fn()) -> usize {
        let ctx = self.context(me, on_relax);
        self.lock.acquire(&ctx);
        // SAFETY: loom checks that nobody else is at the cell.
        let before = self.passes.with_mut(|passes| unsafe {
            *passes += 1;
            *passes - 1
        });
        self.lock.release(&ctx);
        before
    }
}

/// Explores it; `passed_over` is set if, in any execution, `NEAR` came after `FAR` and was first.
fn explore<L: RawLock + 'static>(passed_over: &'static AtomicBool) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(4);
    builder.max_branches = 10_000;
    builder.check(|| {
        let params = params(1, false, VCPUS);
        let world = Arc::new(World::<L> {
            lock: L::new::<Vcpu<'_, BARE>>(&params),
            params,
            blocks: (0..VCPUS).map(|_| Default::default()).collect(),
            bells: (0..VCPUS).map(|_| Bell::new(Halts::Kvm)).collect(),
            far_waited: AtomicBool::new(false),
            held: AtomicBool::new(true),
            passes: UnsafeCell::new(0),
        });
        world.lock.acquire(&world.context(HOLDER, &|| ()));
        let far = {
            let world = world.clone();
            thread::spawn(move || world.pass(FAR, &|| world.far_waited.store(true, Ordering::Relaxed)))
        };
        // Lets the other come first, in some executions.
        thread::yield_now();
        let far_came_first = world.far_waited.load(Ordering::Relaxed);
        let release = || {
            if world.held.swap(false, Ordering::Relaxed) {
                world.lock.release(&world.context(HOLDER, &|| ()));
            }
        };
        let near_was = world.pass(NEAR, &release);
        let far_was = far.join().unwrap();
        if far_came_first && near_was < far_was {
            passed_over.store(true, Ordering::Relaxed);
        }
        // SAFETY: everybody else is gone.
        assert_eq!(world.passes.with(|passes| unsafe { *passes }), 2);
    });
    assert!(passed_over.load(Ordering::Relaxed), "nobody was ever passed over");
}

#[test]
fn cna_passed_over() {
    static PASSED_OVER: AtomicBool = AtomicBool::new(false);
    explore::<Cna>(&PASSED_OVER);
}

#[test]
fn cohort_passed_over() {
    static PASSED_OVER: AtomicBool = AtomicBool::new(false);
    explore::<Cohort<1>>(&PASSED_OVER);
}
