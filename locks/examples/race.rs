//! For ThreadSanitizer (`.ci/tsan`): two threads pass every lock and write plain memory inside. A lock whose orderings do not
//! order the sections is a data race there, which the sanitizer reports and ends with exit status 66.
//!
//! `race relaxed-release` runs a lock that is wrong on purpose: a sanitizer that lets it pass shows nothing.

#[path = "../tests/common/mod.rs"]
mod common;

use std::cell::UnsafeCell;
use std::process::ExitCode;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::{mem, thread};

use common::broken::RelaxedRelease;
use common::{BARE, PARAVIRT, PATCHED, code, params};
use lockbench_locks::{Code, Ctx, Event, Params, Platform, RawLock, for_each_lock};

const VCPUS: usize = 2;
const PASSES: u64 = 20_000;

/// What vCPUs share: whether each was kicked. All accesses are relaxed: a kick that synchronised would hide a lock that
/// does not.
#[derive(Default)]
struct Bells([AtomicBool; VCPUS]);

/// A vCPU that runs one of the three kinds of [`Code`].
struct Vcpu<'a, const CODE: u8> {
    me: usize,
    bells: &'a Bells,
}

impl<const CODE: u8> Platform for Vcpu<'_, CODE> {
    const CODE: Code = code(CODE);

    fn relax(&self) {
        thread::yield_now();
    }

    fn halt(&self) {
        while !self.bells.0[self.me].swap(false, Relaxed) {
            thread::yield_now();
        }
    }

    fn kick(&self, cpu: usize) {
        self.bells.0[cpu].store(true, Relaxed);
    }

    fn forget_kick(&self) {
        self.bells.0[self.me].store(false, Relaxed);
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

/// Memory that only the lock protects.
struct Protected(UnsafeCell<u64>);

// SAFETY: only whoever holds the lock touches it, which is what is being checked.
unsafe impl Sync for Protected {}

/// Neither scoped threads nor joins: the standard library is not instrumented, and what it does with its reference counts
/// would be reported. What the threads share is leaked, and they count themselves done.
fn pass<L: RawLock + 'static, const CODE: u8>(spins: u32, hypervisor: bool)
where
    L::PerVcpu: 'static,
{
    let bells: &'static Bells = Box::leak(Box::default());
    let blocks: &'static [L::PerVcpu] = (0..VCPUS).map(|_| L::PerVcpu::default()).collect::<Vec<_>>().leak();
    let params: &'static Params = Box::leak(Box::new(params(spins, hypervisor, VCPUS)));
    let lock: &'static L = Box::leak(Box::new(L::new::<Vcpu<'_, CODE>>(params)));
    let protected: &'static Protected = Box::leak(Box::new(Protected(UnsafeCell::new(0))));
    let done: &'static AtomicUsize = Box::leak(Box::default());
    for me in 0..VCPUS {
        mem::forget(thread::spawn(move || {
            let ctx = Ctx::<L, _>::over(me, blocks, params, Vcpu::<CODE> { me, bells });
            for pass in 0..PASSES {
                if pass % 4 != 3 || !lock.try_acquire(&ctx) {
                    lock.acquire(&ctx);
                }
                // SAFETY: this thread holds the lock.
                unsafe { *protected.0.get() += 1 };
                if pass % 64 == 0 {
                    thread::yield_now();
                }
                lock.release(&ctx);
            }
            done.fetch_add(1, Release);
        }));
    }
    while done.load(Acquire) < VCPUS {
        thread::yield_now();
    }
    // SAFETY: the threads are done, and counting themselves so came after all that they wrote.
    let passes = unsafe { *protected.0.get() };
    assert_eq!(passes, PASSES * VCPUS as u64, "{}: lost updates", L::NAME);
}

fn every_mode<L: RawLock + 'static>()
where
    L::PerVcpu: 'static,
{
    pass::<L, BARE>(4, false);
    pass::<L, PATCHED>(4, false);
    pass::<L, PARAVIRT>(4, false);
    for spins in [0, 1, 100] {
        pass::<L, PARAVIRT>(spins, true);
    }
    println!("{}: no race seen", L::NAME);
}

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        None => {
            macro_rules! every { ($($lock:path),+) => { $(every_mode::<$lock>();)+ } }
            for_each_lock!(every);
            ExitCode::SUCCESS
        }
        Some("relaxed-release") => {
            every_mode::<RelaxedRelease>();
            ExitCode::SUCCESS
        }
        Some(other) => {
            eprintln!("race: there is no lock {other}; give none, or relaxed-release");
            ExitCode::from(2)
        }
    }
}
