//! Models of the locks' own source, explored by loom:
//! `RUSTFLAGS="--cfg locks_loom" CARGO_TARGET_DIR=target/loom cargo test -p lockbench-locks --release --test loom`.
//!
//! A model is small (two vCPUs with a pass each, or three) and its preemptions are bounded, so that all of them take
//! minutes. The data behind the lock is loom's own cell: an acquire or release too weak to order it is a race that
//! loom reports, and a halt that nobody ends is a deadlock that it reports.
#![cfg(locks_loom)]

#[path = "../common/mod.rs"]
mod common;
mod doorbell;
mod mistaken;
mod numa;
mod papers;
mod pause;
mod stolen;
mod two_locks;
mod vcpu;

use common::{BARE, PARAVIRT, PATCHED, broken, params};
use lockbench_locks::{
    Ctx, EarlyWait, Mcs, Params, Platform, PvBarging, PvByte, PvQueued, PvTicket, PvopsTicket, Queued,
    RawLock, Tas, Ticket, TicketSplit, VirtSpin,
};
use loom::cell::UnsafeCell;
use loom::thread;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use vcpu::{Bell, Halts, Vcpu};

struct World<L: RawLock> {
    lock: L,
    params: Params,
    blocks: Vec<L::PerVcpu>,
    bells: Vec<Bell>,
    /// Whether the lock is held by a vCPU that no thread runs: whoever first waits releases it in its name. A third
    /// contender for the price of two. Not loom's flag, for it is not part of what is explored.
    held: AtomicBool,
    passes: UnsafeCell<usize>,
    /// How many acquisitions succeeded. Not loom's, as above.
    taken: AtomicUsize,
}

// SAFETY: the cell is only reached by the holder of the lock, or loom fails the model.
unsafe impl<L: RawLock> Sync for World<L> {}
// SAFETY: as above; the vCPUs' blocks and the lock are shared anyway.
unsafe impl<L: RawLock> Send for World<L> {}

/// What is explored: how many vCPUs pass the lock how often, whether one more holds it at first, and how often a vCPU
/// may be preempted.
#[derive(Clone, Copy)]
struct Scope {
    vcpus: usize,
    passes: usize,
    held: bool,
    preemptions: usize,
}

const PAIR: Scope = Scope { vcpus: 2, passes: 1, held: false, preemptions: 8 };
const HELD: Scope = Scope { held: true, preemptions: 5, ..PAIR };
const TWICE: Scope = Scope { passes: 2, preemptions: 4, ..PAIR };
const TRIO: Scope = Scope { vcpus: 3, preemptions: 2, ..PAIR };
/// For locks whose waiters all spin on one word: preempted twice, the model may let two of them spin in turns for ever
/// and never run the holder.
const FAIR_TRIO: Scope = Scope { preemptions: 1, ..TRIO };

/// A lock, and what is particular about it.
struct Model<L: RawLock, const CODE: u8> {
    new: fn(&Params) -> L,
    early_wait: EarlyWait,
    spin_threshold: u32,
    halts: Halts,
    /// What each vCPU's clock shows when it reads that for the first, second… time.
    clock: fn(usize, u64) -> u64,
    /// Whether acquisitions may fail.
    gives_up: bool,
    /// Whether a release may wait.
    waits_in_release: bool,
    /// Takes the lock, or fails.
    acquire: for<'a> fn(&L, &Ctx<'a, L, Vcpu<'a, CODE>>) -> bool,
    at_rest: fn(&[L::PerVcpu]),
    /// Whether the host says that others are preempted, when a vCPU asks for the first, second… time.
    hint: fn(usize) -> bool,
}

impl<L: RawLock + 'static, const CODE: u8> Model<L, CODE> {
    const NEW: Self = Self {
        new: L::new::<Vcpu<'_, CODE>>,
        early_wait: EarlyWait::Halted,
        spin_threshold: 1,
        halts: Halts::Kvm,
        clock: |_, _| 0,
        gives_up: false,
        waits_in_release: true,
        acquire: |lock, ctx| lock.acquire_or_fail(ctx),
        at_rest: |_| (),
        hint: |_| false,
    };

    fn run(&self, world: &World<L>, me: usize, passes: usize) {
        let World { lock, params, blocks, bells, .. } = world;
        let release_of_the_held = || {
            if world.held.swap(false, Ordering::Relaxed) {
                let me = blocks.len() - 1;
                lock.release(&Ctx::over(me, blocks, params, Vcpu::<CODE>::new(me, bells)));
            }
        };
        let asked = Cell::new(0);
        let hint = |_| (self.hint)(asked.replace(asked.get() + 1));
        let read = Cell::new(0);
        let clock = || (self.clock)(me, read.replace(read.get() + 1));
        let releasing = Cell::new(false);
        let on_relax = || {
            assert!(self.waits_in_release || !releasing.get(), "a release waits");
            release_of_the_held();
        };
        let vcpu = Vcpu::<CODE> { on_relax: &on_relax, hint: &hint, clock: &clock, ..Vcpu::new(me, bells) };
        let ctx = Ctx::over(me, blocks, params, vcpu);
        for _ in 0..passes {
            if !(self.acquire)(lock, &ctx) {
                continue;
            }
            world.taken.fetch_add(1, Ordering::Relaxed);
            // SAFETY: loom checks that nobody else is at the cell.
            world.passes.with_mut(|passes| unsafe { *passes += 1 });
            releasing.set(true);
            lock.release(&ctx);
            releasing.set(false);
        }
    }

    fn explore(self, scope: Scope) {
        let Scope { vcpus, passes, held, preemptions } = scope;
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(preemptions);
        builder.max_branches = 10_000;
        let model = Arc::new(self);
        builder.check(move || {
            // Not loom's Arc: dropping one while a failed model unwinds panics again.
            let params = Params {
                early_wait: model.early_wait,
                ..params(model.spin_threshold, CODE == PARAVIRT, vcpus + 1)
            };
            let world = Arc::new(World {
                lock: (model.new)(&params),
                params,
                blocks: (0..=vcpus).map(|_| L::PerVcpu::default()).collect(),
                bells: (0..=vcpus).map(|_| Bell::new(model.halts)).collect(),
                held: AtomicBool::new(held),
                passes: UnsafeCell::new(0),
                taken: AtomicUsize::new(0),
            });
            if held {
                let platform = Vcpu::<CODE>::new(vcpus, &world.bells);
                world.lock.acquire(&Ctx::over(vcpus, &world.blocks, &world.params, platform));
            }
            let others: Vec<_> = (1..vcpus)
                .map(|me| {
                    let (model, world) = (model.clone(), world.clone());
                    thread::spawn(move || model.run(&world, me, passes))
                })
                .collect();
            model.run(&world, 0, passes);
            for other in others {
                other.join().unwrap();
            }
            // SAFETY: everybody else is gone.
            let passed = world.passes.with(|passes| unsafe { *passes });
            assert_eq!(passed, world.taken.load(Ordering::Relaxed));
            assert!(passed == vcpus * passes || model.gives_up, "{passed} passes");
            let alone = Ctx::over(0, &world.blocks, &world.params, Vcpu::<CODE>::new(0, &world.bells));
            assert!(world.lock.try_acquire(&alone), "the lock is not free in the end");
            (model.at_rest)(&world.blocks);
        });
    }
}

/// A lock without paravirtual code, or with it compiled out.
fn bare<L: RawLock + 'static>(scope: Scope) {
    Model::<L, BARE>::NEW.explore(scope);
}

/// A lock as boot-time patching leaves it.
fn patched<L: RawLock + 'static>(scope: Scope) {
    Model::<L, PATCHED>::NEW.explore(scope);
}

/// A lock of which one vCPU tries until it succeeds, while the others wait.
fn tried<L: RawLock + 'static, const CODE: u8>(scope: Scope) {
    Model::<L, CODE> {
        acquire: |lock, ctx| {
            if ctx.me() != 0 {
                lock.acquire(ctx);
                return true;
            }
            while !lock.try_acquire(ctx) {
                ctx.platform().relax();
            }
            true
        },
        ..Model::NEW
    }
    .explore(scope);
}

fn tried_bare<L: RawLock + 'static>(scope: Scope) {
    tried::<L, BARE>(scope);
}

fn tried_halting<L: RawLock + 'static>(scope: Scope) {
    tried::<L, PARAVIRT>(scope);
}

/// A lock whose waiters halt after one look, as in kvm.
fn halting<L: RawLock + 'static>(scope: Scope) {
    Model::<L, PARAVIRT>::NEW.explore(scope);
}

/// A lock whose waiters halt after one look, by the code of emulated vCPUs.
fn emulated<L: RawLock + 'static>(scope: Scope) {
    Model::<L, PARAVIRT> { halts: Halts::Emulated, ..Model::NEW }.explore(scope);
}

macro_rules! models {
    ($($name:ident: $run:ident::<$lock:ty>($scope:expr);)+) => {
        $(#[test] fn $name() { $run::<$lock>($scope); })+
    };
}
pub(crate) use models;

models! {
    ticket_twice: bare::<Ticket>(TWICE);
    ticket_trio: bare::<Ticket>(FAIR_TRIO);
    ticket_split_twice: bare::<TicketSplit>(TWICE);
    ticket_split_trio: bare::<TicketSplit>(FAIR_TRIO);
    pvops_ticket_pair: bare::<PvopsTicket>(PAIR);
    pv_ticket_bare_twice: bare::<PvTicket>(TWICE);
    pv_ticket_pair: halting::<PvTicket>(PAIR);
    pv_ticket_held: halting::<PvTicket>(HELD);
    pv_ticket_twice: halting::<PvTicket>(TWICE);
    pv_ticket_trio: halting::<PvTicket>(TRIO);
    mcs_held: bare::<Mcs>(HELD);
    mcs_twice: bare::<Mcs>(TWICE);
    mcs_trio: bare::<Mcs>(TRIO);
    queued_held: bare::<Queued>(HELD);
    queued_twice: bare::<Queued>(TWICE);
    queued_trio: bare::<Queued>(FAIR_TRIO);
    pv_queued_bare_pair: bare::<PvQueued>(PAIR);
    pv_byte_bare_pair: bare::<PvByte>(PAIR);
    pv_byte_pair: halting::<PvByte>(PAIR);
    pv_byte_held: halting::<PvByte>(HELD);
    pv_byte_twice: halting::<PvByte>(TWICE);
    pv_byte_trio: halting::<PvByte>(TRIO);
    pv_barging_bare_twice: bare::<PvBarging>(TWICE);
    pv_barging_held: halting::<PvBarging>(HELD);
    pv_barging_twice: halting::<PvBarging>(TWICE);
    pv_barging_trio: halting::<PvBarging>(TRIO);
    pv_ticket_emulated: emulated::<PvTicket>(HELD);
    pv_byte_emulated: emulated::<PvByte>(HELD);
    pv_queued_emulated: emulated::<PvQueued>(HELD);
    virt_spin_held: bare::<VirtSpin>(HELD);
    virt_spin_twice: bare::<VirtSpin>(TWICE);
    virt_spin_trio: bare::<VirtSpin>(FAIR_TRIO);
    tas_twice: bare::<Tas>(TWICE);
    tas_trio: bare::<Tas>(FAIR_TRIO);
    pv_ticket_patched_pair: patched::<PvTicket>(PAIR);
    pvops_ticket_patched_pair: patched::<PvopsTicket>(PAIR);
    pv_queued_patched_pair: patched::<PvQueued>(PAIR);
    ticket_tried: tried_bare::<Ticket>(PAIR);
    ticket_split_tried: tried_bare::<TicketSplit>(PAIR);
    pvops_ticket_tried: tried_bare::<PvopsTicket>(PAIR);
    mcs_tried: tried_bare::<Mcs>(PAIR);
    queued_tried: tried_bare::<Queued>(PAIR);
    virt_spin_tried: tried_bare::<VirtSpin>(PAIR);
    tas_tried: tried_bare::<Tas>(PAIR);
    pv_ticket_tried: tried_halting::<PvTicket>(PAIR);
    pv_barging_tried: tried_halting::<PvBarging>(PAIR);
    pv_byte_tried: tried_halting::<PvByte>(PAIR);
    pv_queued_tried: tried_halting::<PvQueued>(PAIR);
}

/// The paravirtual queued lock, whose table of sleepers must be empty at rest.
macro_rules! pv_queued {
    ($($name:ident($scope:expr);)+) => { $(
        #[test]
        fn $name() {
            let at_rest = |blocks: &[<PvQueued as RawLock>::PerVcpu]| {
                assert!(blocks.iter().all(|block| block.hashed() == 0), "a stale entry");
            };
            Model::<PvQueued, PARAVIRT> { at_rest, ..Model::NEW }.explore($scope);
        }
    )+ };
}

pv_queued! {
    pv_queued_pair(PAIR);
    pv_queued_held(HELD);
    pv_queued_twice(TWICE);
    pv_queued_trio(TRIO);
}

/// A waiter behind another halts before its threshold, whatever makes it: the lock is held at first, so that two queue.
#[test]
fn pv_queued_waits_early() {
    for early_wait in EarlyWait::ALL {
        Model::<PvQueued, PARAVIRT> { early_wait, ..Model::NEW }.explore(Scope { preemptions: 3, ..HELD });
    }
}

/// Two vCPUs in the queue: as if others had been there, both queue at once.
#[test]
fn queued_line() {
    for scope in [PAIR, HELD, TWICE] {
        Model::<Queued, BARE> {
            acquire: |lock, ctx| {
                lock.queue(ctx);
                true
            },
            ..Model::NEW
        }
        .explore(scope);
    }
}

/// One queues at once; the other is on its way to the pending bit, and must undo it.
#[test]
fn queued_undoes_pending() {
    for scope in [PAIR, HELD] {
        Model::<Queued, BARE> {
            acquire: |lock, ctx| {
                if ctx.me() == 0 {
                    lock.queue(ctx);
                } else {
                    lock.acquire(ctx);
                }
                true
            },
            ..Model::NEW
        }
        .explore(scope);
    }
}

/// The head's last number: the release in between wraps, where loom runs the whole-word add.
#[test]
fn pv_ticket_wraps_around() {
    let new = |_: &Params| PvTicket::starting_at(0u16.wrapping_sub(2));
    Model::<PvTicket, PARAVIRT> { new, ..Model::NEW }.explore(TWICE);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn a_relaxed_release_is_caught() {
    bare::<broken::RelaxedRelease>(PAIR);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn a_lock_without_exclusion_is_caught() {
    bare::<broken::NoExclusion>(PAIR);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_lost_kick_is_caught() {
    halting::<broken::LostKick>(PAIR);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_lost_kick_is_caught_in_emulation() {
    emulated::<broken::LostKick>(PAIR);
}
