//! Models of two locks that share the vCPUs' blocks, as the kernel's per-CPU queue nodes are shared.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lockbench_locks::{Ctx, Params, PvBarging, PvByte, PvQueued, PvTicket, Queued, RawLock};
use loom::cell::UnsafeCell;
use loom::thread;

use super::common::{BARE, PARAVIRT, params};
use super::vcpu::{Bell, Halts, Vcpu};

/// Explores what two vCPUs do with two locks; each of them must have passed each lock once.
fn explore<L: RawLock + 'static, const CODE: u8>(preemptions: usize, vcpus: [fn(&TwoLocks<L>); 2]) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 10_000;
    builder.check(move || {
        let params = params(1, CODE == PARAVIRT, 2);
        let world = Arc::new(TwoLocks::<L> {
            locks: [L::new::<Vcpu<'_, CODE>>(&params), L::new::<Vcpu<'_, CODE>>(&params)],
            params,
            blocks: (0..2).map(|_| L::PerVcpu::default()).collect(),
            bells: (0..2).map(|_| Bell::new(Halts::Kvm)).collect(),
            passes: [UnsafeCell::new(0), UnsafeCell::new(0)],
        });
        let other = {
            let world = world.clone();
            thread::spawn(move || vcpus[1](&world))
        };
        vcpus[0](&world);
        other.join().unwrap();
        // SAFETY: the other vCPU is gone.
        assert!(world.passes.iter().all(|passes| passes.with(|passes| unsafe { *passes }) == 2));
    });
}

/// One vCPU holds both, the other takes them one after the other. Each sleeper must be
/// woken by the release of the lock that it sleeps on, and of no other.
fn two_locks<L: RawLock + 'static, const CODE: u8>(preemptions: usize) {
    let both = |world: &TwoLocks<L>| {
        let ctx = world.context::<CODE>(0);
        world.locks[0].acquire(&ctx);
        world.locks[1].acquire(&ctx);
        world.pass(1);
        world.locks[1].release(&ctx);
        world.pass(0);
        world.locks[0].release(&ctx);
    };
    let one_by_one = |world: &TwoLocks<L>| {
        let ctx = world.context::<CODE>(1);
        for which in [1, 0] {
            world.locks[which].acquire(&ctx);
            world.pass(which);
            world.locks[which].release(&ctx);
        }
    };
    explore::<L, CODE>(preemptions, [both, one_by_one]);
}

struct TwoLocks<L: RawLock> {
    locks: [L; 2],
    params: Params,
    blocks: Vec<L::PerVcpu>,
    bells: Vec<Bell>,
    passes: [UnsafeCell<usize>; 2],
}

// SAFETY: each cell is only reached by the holder of its lock, or loom fails the model.
unsafe impl<L: RawLock> Sync for TwoLocks<L> {}
// SAFETY: as above; the vCPUs' blocks and the locks are shared anyway.
unsafe impl<L: RawLock> Send for TwoLocks<L> {}

impl<L: RawLock> TwoLocks<L> {
    fn context<const CODE: u8>(&self, me: usize) -> Ctx<'_, L, Vcpu<'_, CODE>> {
        Ctx::over(me, &self.blocks, &self.params, Vcpu::new(me, &self.bells))
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
fn pv_barging_two_locks() {
    two_locks::<PvBarging, PARAVIRT>(5);
}

#[test]
fn pv_byte_two_locks() {
    two_locks::<PvByte, PARAVIRT>(5);
}

/// How a vCPU takes a lock that it is to wait for in a queue, whoever else is there.
trait Queues: RawLock + 'static {
    /// Whether an interrupt was seen to wait while the vCPU itself waited.
    fn nested() -> &'static AtomicBool;

    fn wait_in_line<const CODE: u8>(&self, ctx: &Ctx<'_, Self, Vcpu<'_, CODE>>);
}

impl Queues for Queued {
    fn nested() -> &'static AtomicBool {
        static NESTED: AtomicBool = AtomicBool::new(false);
        &NESTED
    }

    fn wait_in_line<const CODE: u8>(&self, ctx: &Ctx<'_, Self, Vcpu<'_, CODE>>) {
        // Alone it would wait outside the queue.
        self.queue(ctx);
    }
}

impl Queues for PvQueued {
    fn nested() -> &'static AtomicBool {
        static NESTED: AtomicBool = AtomicBool::new(false);
        &NESTED
    }

    fn wait_in_line<const CODE: u8>(&self, ctx: &Ctx<'_, Self, Vcpu<'_, CODE>>) {
        self.acquire(ctx);
    }
}

/// A vCPU that waits in the queue of one lock is interrupted, and the handler waits in the queue of another: each wait has a
/// node of its own.
fn nested<L: Queues, const CODE: u8>(preemptions: usize) {
    let interrupted = |world: &TwoLocks<L>| {
        let due = Cell::new(true);
        let interrupt = || {
            if due.replace(false) {
                let ctx = world.context::<CODE>(0);
                if !world.locks[1].try_acquire(&ctx) {
                    L::nested().store(true, Ordering::Relaxed);
                    world.locks[1].wait_in_line(&ctx);
                }
                world.pass(1);
                world.locks[1].release(&ctx);
            }
        };
        let platform = Vcpu::<CODE> { on_relax: &interrupt, ..Vcpu::new(0, &world.bells) };
        let ctx = Ctx::over(0, &world.blocks, &world.params, platform);
        world.locks[0].wait_in_line(&ctx);
        world.pass(0);
        world.locks[0].release(&ctx);
        // It may have come to a free lock and not spun.
        interrupt();
    };
    let holds_both = |world: &TwoLocks<L>| {
        let ctx = world.context::<CODE>(1);
        world.locks[0].acquire(&ctx);
        world.locks[1].acquire(&ctx);
        world.pass(1);
        world.pass(0);
        world.locks[1].release(&ctx);
        world.locks[0].release(&ctx);
    };
    explore::<L, CODE>(preemptions, [interrupted, holds_both]);
    assert!(L::nested().load(Ordering::Relaxed), "the handler never waited");
}

#[test]
fn queued_nested() {
    nested::<Queued, BARE>(4);
}

#[test]
fn pv_queued_nested() {
    nested::<PvQueued, PARAVIRT>(4);
}
