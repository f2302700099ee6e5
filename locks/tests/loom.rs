//! Models of the locks' own source, explored by loom:
//! `RUSTFLAGS="--cfg locks_loom" CARGO_TARGET_DIR=target/loom cargo test -p lockbench-locks --release --test loom`.
//!
//! A model is small (two vCPUs with a pass each, or three) and its preemptions are bounded, so that all of them take
//! minutes. The data behind the lock is loom's own cell: an acquire or release too weak to order it is a race that
//! loom reports, and a halt that nobody ends is a deadlock that it reports.
#![cfg(locks_loom)]

mod common;

use common::{broken, params};
use lockbench_locks::{
    Ctx, Event, Mcs, Params, Platform, PvByte, PvQueued, PvTicket, PvopsTicket, Queued, RawLock, Tas, Ticket,
};
use loom::cell::UnsafeCell;
use loom::sync::{Condvar, Mutex};
use loom::thread;
use std::sync::Arc;

struct World<L: RawLock> {
    lock: L,
    blocks: Vec<L::PerVcpu>,
    bells: Vec<(Mutex<bool>, Condvar)>,
    passes: UnsafeCell<usize>,
}

// SAFETY: the cell is only reached by the holder of the lock, or loom fails the model.
unsafe impl<L: RawLock> Sync for World<L> {}
// SAFETY: as above; the vCPUs' blocks and the lock are shared anyway.
unsafe impl<L: RawLock> Send for World<L> {}

struct Vcpu<'a, const PARAVIRT: bool> {
    me: usize,
    bells: &'a [(Mutex<bool>, Condvar)],
}

impl<const PARAVIRT: bool> Platform for Vcpu<'_, PARAVIRT> {
    const PARAVIRT: bool = PARAVIRT;

    fn relax(&self) {
        thread::yield_now();
    }

    fn halt(&self) {
        let (kicked, bell) = &self.bells[self.me];
        let mut kicked = kicked.lock().unwrap();
        while !*kicked {
            kicked = bell.wait(kicked).unwrap();
        }
        *kicked = false;
    }

    fn kick(&self, cpu: usize) {
        let (kicked, bell) = &self.bells[cpu];
        *kicked.lock().unwrap() = true;
        bell.notify_one();
    }

    fn is_preempted(&self, _: usize) -> bool {
        false
    }

    fn now(&self) -> u64 {
        0
    }

    fn node_of(&self, _: usize) -> usize {
        0
    }

    fn add(&self, _: Event, _: u64) {}
}

/// What is explored: how many vCPUs pass the lock how often, and how often one of them may be preempted.
#[derive(Clone, Copy)]
struct Model {
    vcpus: usize,
    passes: usize,
    preemptions: usize,
}

const PAIR: Model = Model { vcpus: 2, passes: 1, preemptions: 8 };
const TWICE: Model = Model { vcpus: 2, passes: 2, preemptions: 5 };
const TRIO: Model = Model { vcpus: 3, passes: 1, preemptions: 2 };
/// For locks whose waiters all spin on one word: preempted twice, the model may let two of them spin in turns for ever
/// and never run the holder.
const FAIR_TRIO: Model = Model { preemptions: 1, ..TRIO };

impl<L: RawLock> World<L> {
    fn run<const PARAVIRT: bool>(&self, me: usize, passes: usize) {
        let ctx = Ctx::<L, _>::over(me, &self.blocks, Vcpu::<PARAVIRT> { me, bells: &self.bells });
        for _ in 0..passes {
            self.lock.acquire(&ctx);
            // SAFETY: loom checks that nobody else is at the cell.
            self.passes.with_mut(|passes| unsafe { *passes += 1 });
            self.lock.release(&ctx);
        }
    }
}

fn explore<L: RawLock + 'static, const PARAVIRT: bool>(
    model: Model,
    new: impl Fn() -> L + Send + Sync + 'static,
) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(model.preemptions);
    builder.max_branches = 10_000;
    builder.check(move || {
        // Not loom's Arc: dropping one while a failed model unwinds panics again.
        let world = Arc::new(World {
            lock: new(),
            blocks: (0..model.vcpus).map(|_| L::PerVcpu::default()).collect(),
            bells: (0..model.vcpus).map(|_| (Mutex::new(false), Condvar::new())).collect(),
            passes: UnsafeCell::new(0),
        });
        let others: Vec<_> = (1..model.vcpus)
            .map(|me| {
                let world = world.clone();
                thread::spawn(move || world.run::<PARAVIRT>(me, model.passes))
            })
            .collect();
        world.run::<PARAVIRT>(0, model.passes);
        for other in others {
            other.join().unwrap();
        }
        // SAFETY: everybody else is gone.
        let passes = world.passes.with(|passes| unsafe { *passes });
        assert_eq!(passes, model.vcpus * model.passes);
    });
}

/// A lock without paravirtual code, or with it compiled out.
fn bare<L: RawLock + 'static>(model: Model) {
    explore::<L, false>(model, || L::new::<Vcpu<'_, false>>(&OFF));
}

/// A lock whose waiters halt at once.
fn halting<L: RawLock + 'static>(model: Model) {
    explore::<L, true>(model, || L::new::<Vcpu<'_, true>>(&ON));
}

const OFF: Params = params(1, false, 3);
const ON: Params = params(1, true, 3);

macro_rules! models {
    ($($name:ident: $run:ident::<$lock:ty>($model:expr);)+) => {
        $(#[test] fn $name() { $run::<$lock>($model); })+
    };
}

models! {
    ticket_twice: bare::<Ticket>(TWICE);
    ticket_trio: bare::<Ticket>(FAIR_TRIO);
    pvops_ticket_pair: bare::<PvopsTicket>(PAIR);
    pv_ticket_bare_twice: bare::<PvTicket>(TWICE);
    pv_ticket_pair: halting::<PvTicket>(PAIR);
    pv_ticket_twice: halting::<PvTicket>(TWICE);
    pv_ticket_trio: halting::<PvTicket>(TRIO);
    mcs_twice: bare::<Mcs>(TWICE);
    mcs_trio: bare::<Mcs>(TRIO);
    queued_twice: bare::<Queued>(TWICE);
    queued_trio: bare::<Queued>(FAIR_TRIO);
    pv_queued_bare_pair: bare::<PvQueued>(PAIR);
    pv_queued_pair: halting::<PvQueued>(PAIR);
    pv_queued_twice: halting::<PvQueued>(TWICE);
    pv_queued_trio: halting::<PvQueued>(TRIO);
    pv_byte_bare_pair: bare::<PvByte>(PAIR);
    pv_byte_pair: halting::<PvByte>(PAIR);
    pv_byte_twice: halting::<PvByte>(TWICE);
    pv_byte_trio: halting::<PvByte>(TRIO);
    tas_twice: bare::<Tas>(TWICE);
    tas_trio: bare::<Tas>(FAIR_TRIO);
}

/// The head's last number: the release in between wraps, where loom runs the whole-word add.
#[test]
fn pv_ticket_wraps_around() {
    explore::<_, true>(TWICE, || PvTicket::starting_at(0u32.wrapping_sub(2), &ON));
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
