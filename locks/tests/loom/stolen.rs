//! A queue's head sleeps, is in the table of sleepers, and somebody is faster when the lock is released.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lockbench_locks::{Ctx, Event, Params, PvQueued, RawLock};
use loom::cell::UnsafeCell;
use loom::thread;

use super::common::{PARAVIRT, params};
use super::vcpu::{Bell, Halts, Vcpu};

/// The queue's head, the stealer, and the holder.
const VCPUS: usize = 3;
const HEAD: usize = 0;
const STEALER: usize = 1;
const HOLDER: usize = 2;

/// Whether, in any execution, the lock was stolen while its queue's head was entered in the table.
static STOLEN: AtomicBool = AtomicBool::new(false);

struct World {
    lock: PvQueued,
    params: Params,
    blocks: Vec<<PvQueued as RawLock>::PerVcpu>,
    bells: Vec<Bell>,
    hashed: AtomicBool,
    passes: UnsafeCell<usize>,
}

// SAFETY: the cell is only reached by the holder of the lock, or loom fails the model.
unsafe impl Sync for World {}
// SAFETY: as above; the vCPUs' blocks and the lock are shared anyway.
unsafe impl Send for World {}

impl World {
    fn pass(&self, me: usize, on_event: &dyn Fn(Event)) {
        let platform = Vcpu::<PARAVIRT> { on_event, ..Vcpu::new(me, &self.bells) };
        let ctx = Ctx::over(me, &self.blocks, &self.params, platform);
        self.lock.acquire(&ctx);
        // SAFETY: loom checks that nobody else is at the cell.
        self.passes.with_mut(|passes| unsafe { *passes += 1 });
        self.lock.release(&ctx);
    }

    fn context(&self, me: usize) -> Ctx<'_, PvQueued, Vcpu<'_, PARAVIRT>> {
        Ctx::over(me, &self.blocks, &self.params, Vcpu::new(me, &self.bells))
    }
}

#[test]
fn pv_queued_stolen_from_a_hashed_head() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.max_branches = 10_000;
    builder.check(|| {
        let params = params(1, true, VCPUS);
        let world = Arc::new(World {
            lock: PvQueued::new::<Vcpu<'_, PARAVIRT>>(&params),
            params,
            blocks: (0..VCPUS).map(|_| Default::default()).collect(),
            bells: (0..VCPUS).map(|_| Bell::new(Halts::Kvm)).collect(),
            hashed: AtomicBool::new(false),
            passes: UnsafeCell::new(0),
        });
        world.lock.acquire(&world.context(HOLDER));
        let head = {
            let world = world.clone();
            thread::spawn(move || {
                let waits = |event| {
                    if event == Event::PvWaitHead {
                        world.hashed.store(true, Ordering::Relaxed);
                    }
                };
                world.pass(HEAD, &waits);
            })
        };
        let stealer = {
            let world = world.clone();
            thread::spawn(move || {
                let steals = |event| {
                    if event == Event::PvLockStealing && world.hashed.load(Ordering::Relaxed) {
                        STOLEN.store(true, Ordering::Relaxed);
                    }
                };
                world.pass(STEALER, &steals);
            })
        };
        world.lock.release(&world.context(HOLDER));
        head.join().unwrap();
        stealer.join().unwrap();
        // SAFETY: everybody else is gone.
        assert_eq!(world.passes.with(|passes| unsafe { *passes }), 2);
        assert!(world.blocks.iter().all(|block| block.hashed() == 0), "a stale entry");
    });
    assert!(STOLEN.load(Ordering::Relaxed), "nothing was ever stolen from a head that slept");
}
