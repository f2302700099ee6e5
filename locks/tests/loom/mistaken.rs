//! The paravirtual ticket lock's release must not take what a vCPU waited for earlier, at another lock, for what it waits for now.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lockbench_locks::{Ctx, Params, PvTicket, RawLock};
use loom::cell::UnsafeCell;
use loom::thread;

use super::common::{PARAVIRT, params};
use super::vcpu::{Bell, Halts, Vcpu};

const VCPUS: usize = 3;
const HOLDER: usize = 2;

struct World {
    lock: PvTicket,
    earlier: PvTicket,
    params: Params,
    blocks: Vec<<PvTicket as RawLock>::PerVcpu>,
    bells: Vec<Bell>,
    passes: UnsafeCell<usize>,
}

// SAFETY: the cell is only reached by the holder of the lock, or loom fails the model.
unsafe impl Sync for World {}
// SAFETY: as above; the vCPUs' blocks and the locks are shared anyway.
unsafe impl Send for World {}

impl World {
    fn context<'a>(&'a self, me: usize, on_relax: &'a dyn Fn()) -> Ctx<'a, PvTicket, Vcpu<'a, PARAVIRT>> {
        let platform = Vcpu { on_relax, ..Vcpu::new(me, &self.bells) };
        Ctx::over(me, &self.blocks, &self.params, platform)
    }

    /// vCPU 0 waits for the other lock, which is released in its holder's name once vCPU 0 spins.
    fn wait_earlier(&self) {
        let held = AtomicBool::new(true);
        let release = || {
            if held.swap(false, Ordering::Relaxed) {
                self.earlier.release(&self.context(HOLDER, &|| ()));
            }
        };
        let ctx = self.context(0, &release);
        self.earlier.acquire(&ctx);
        self.earlier.release(&ctx);
    }

    fn pass(&self, me: usize) {
        let ctx = self.context(me, &|| ());
        self.lock.acquire(&ctx);
        // SAFETY: loom checks that nobody else is at the cell.
        self.passes.with_mut(|passes| unsafe { *passes += 1 });
        self.lock.release(&ctx);
    }
}

/// vCPU 0 waits for the second ticket of one lock and then for the third of another, where vCPU 1 waits for the second.
/// A release that joined the old ticket to the new lock would kick vCPU 0 in the place of vCPU 1.
#[test]
fn pv_ticket_kicks_nobody_for_an_earlier_wait() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.max_branches = 10_000;
    builder.check(|| {
        let params = params(1, true, VCPUS);
        let new = || PvTicket::new::<Vcpu<'_, PARAVIRT>>(&params);
        let world = Arc::new(World {
            lock: new(),
            earlier: new(),
            params,
            blocks: (0..VCPUS).map(|_| Default::default()).collect(),
            bells: (0..VCPUS).map(|_| Bell::new(Halts::Kvm)).collect(),
            passes: UnsafeCell::new(0),
        });
        world.earlier.acquire(&world.context(HOLDER, &|| ()));
        world.lock.acquire(&world.context(HOLDER, &|| ()));
        let waiters = [0, 1].map(|me| {
            let world = world.clone();
            thread::spawn(move || {
                if me == 0 {
                    world.wait_earlier();
                }
                world.pass(me);
            })
        });
        world.lock.release(&world.context(HOLDER, &|| ()));
        for waiter in waiters {
            waiter.join().unwrap();
        }
        // SAFETY: everybody else is gone.
        assert_eq!(world.passes.with(|passes| unsafe { *passes }), 2);
    });
}
