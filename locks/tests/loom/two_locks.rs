//! Models of two locks that share the vCPUs' blocks, as the kernel's per-CPU queue nodes are shared.

use std::sync::Arc;

use lockbench_locks::{Ctx, Params, PvByte, PvQueued, PvTicket, Queued, RawLock};
use loom::cell::UnsafeCell;
use loom::sync::{Condvar, Mutex};
use loom::thread;

use super::Vcpu;
use super::common::{BARE, PARAVIRT, params};

/// One vCPU holds both, the other takes them one after the other. Each sleeper must be
/// woken by the release of the lock that it sleeps on, and of no other.
fn two_locks<L: RawLock + 'static, const CODE: u8>(preemptions: usize) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 10_000;
    builder.check(|| {
        let params = params(1, CODE == PARAVIRT, 2);
        let world = Arc::new(TwoLocks::<L> {
            locks: [L::new::<Vcpu<'_, CODE>>(&params), L::new::<Vcpu<'_, CODE>>(&params)],
            params,
            blocks: (0..2).map(|_| L::PerVcpu::default()).collect(),
            bells: (0..2).map(|_| (Mutex::new(false), Condvar::new())).collect(),
            passes: [UnsafeCell::new(0), UnsafeCell::new(0)],
        });
        let other = {
            let world = world.clone();
            thread::spawn(move || {
                let ctx = world.context::<CODE>(1);
                for which in [1, 0] {
                    world.locks[which].acquire(&ctx);
                    world.pass(which);
                    world.locks[which].release(&ctx);
                }
            })
        };
        let ctx = world.context::<CODE>(0);
        world.locks[0].acquire(&ctx);
        world.locks[1].acquire(&ctx);
        world.pass(1);
        world.locks[1].release(&ctx);
        world.pass(0);
        world.locks[0].release(&ctx);
        other.join().unwrap();
        // SAFETY: the other vCPU is gone.
        assert!(world.passes.iter().all(|passes| passes.with(|passes| unsafe { *passes }) == 2));
    });
}

struct TwoLocks<L: RawLock> {
    locks: [L; 2],
    params: Params,
    blocks: Vec<L::PerVcpu>,
    bells: Vec<(Mutex<bool>, Condvar)>,
    passes: [UnsafeCell<usize>; 2],
}

// SAFETY: each cell is only reached by the holder of its lock, or loom fails the model.
unsafe impl<L: RawLock> Sync for TwoLocks<L> {}
// SAFETY: as above; the vCPUs' blocks and the locks are shared anyway.
unsafe impl<L: RawLock> Send for TwoLocks<L> {}

impl<L: RawLock> TwoLocks<L> {
    fn context<const CODE: u8>(&self, me: usize) -> Ctx<'_, L, Vcpu<'_, CODE>> {
        Ctx::over(me, &self.blocks, &self.params, Vcpu { me, bells: &self.bells, on_relax: &|| () })
    }

    fn pass(&self, which: usize) {
        // SAFETY: loom checks that nobody else is at the cell.
        self.passes[which].with_mut(|passes| unsafe { *passes += 1 });
    }
}

#[test]
fn queued_two_locks() {
    two_locks::<Queued, BARE>(4);
}

#[test]
fn pv_queued_two_locks() {
    two_locks::<PvQueued, PARAVIRT>(7);
}

#[test]
fn pv_ticket_two_locks() {
    two_locks::<PvTicket, PARAVIRT>(7);
}

#[test]
fn pv_byte_two_locks() {
    two_locks::<PvByte, PARAVIRT>(5);
}
