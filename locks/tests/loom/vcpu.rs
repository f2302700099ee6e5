//! A vCPU in a model, and what it sleeps on.

use lockbench_locks::sync::{AtomicU32, Ordering};
use lockbench_locks::{Code, Event, Platform, doorbell};
use loom::sync::{Condvar, Mutex};
use loom::thread;

use super::common::code;

/// In which environment a vCPU halts and is kicked.
#[derive(Clone, Copy)]
pub(super) enum Halts {
    /// The code of emulated vCPUs, over a futex.
    Emulated,
    /// As kvm's vCPUs: on an eventfd, which counts kicks, and which nothing empties but a halt.
    Kvm,
}

/// What a vCPU sleeps on.
pub(super) struct Bell {
    halts: Halts,
    /// The word that the futex compares; in kvm unused.
    word: AtomicU32,
    /// The futex' bucket, or the eventfd: whether it was rung.
    rung: Mutex<bool>,
    sleepers: Condvar,
}

impl Bell {
    pub(super) fn new(halts: Halts) -> Self {
        Self { halts, word: AtomicU32::new(0), rung: Mutex::new(false), sleepers: Condvar::new() }
    }

    fn halt(&self) {
        match self.halts {
            Halts::Emulated => doorbell::halt(&self.word, |word, quiet| {
                let bucket = self.rung.lock().unwrap();
                // Relaxed: whoever took the bucket's lock after a kick sees the word of that kick.
                if word.load(Ordering::Relaxed) == quiet {
                    drop(self.sleepers.wait(bucket).unwrap());
                }
            }),
            Halts::Kvm => {
                let mut rung = self.rung.lock().unwrap();
                while !*rung {
                    rung = self.sleepers.wait(rung).unwrap();
                }
                *rung = false;
            }
        }
    }

    fn kick(&self) {
        match self.halts {
            Halts::Emulated => doorbell::kick(&self.word, |_| {
                let _bucket = self.rung.lock().unwrap();
                self.sleepers.notify_all();
            }),
            Halts::Kvm => {
                *self.rung.lock().unwrap() = true;
                self.sleepers.notify_one();
            }
        }
    }

    fn forget(&self) {
        match self.halts {
            Halts::Emulated => doorbell::forget(&self.word),
            Halts::Kvm => {}
        }
    }
}

/// A vCPU with one kind of code. A model may have something done whenever it spins, watch what its lock counts, and say what it is
/// told of time and of other vCPUs.
pub(super) struct Vcpu<'a, const CODE: u8> {
    pub(super) me: usize,
    pub(super) bells: &'a [Bell],
    pub(super) on_relax: &'a dyn Fn(),
    pub(super) on_event: &'a dyn Fn(Event),
    /// What the host says of a vCPU.
    pub(super) hint: &'a dyn Fn(usize) -> bool,
    /// What its processor's counter says.
    pub(super) clock: &'a dyn Fn() -> u64,
}

impl<'a, const CODE: u8> Vcpu<'a, CODE> {
    pub(super) fn new(me: usize, bells: &'a [Bell]) -> Self {
        Self { me, bells, on_relax: &|| (), on_event: &|_| (), hint: &|_| false, clock: &|| 0 }
    }
}

impl<const CODE: u8> Platform for Vcpu<'_, CODE> {
    const CODE: Code = code(CODE);

    fn relax(&self) {
        (self.on_relax)();
        thread::yield_now();
    }

    fn halt(&self) {
        // A vCPU that halts without a spin before waits too.
        (self.on_relax)();
        self.bells[self.me].halt();
    }

    fn kick(&self, cpu: usize) {
        self.bells[cpu].kick();
    }

    fn forget_kick(&self) {
        self.bells[self.me].forget();
    }

    fn is_preempted(&self, cpu: usize) -> bool {
        (self.hint)(cpu)
    }

    fn now(&self) -> u64 {
        (self.clock)()
    }

    fn node_of(&self, cpu: usize) -> usize {
        cpu % 2
    }

    fn add(&self, event: Event, _: u64) {
        (self.on_event)(event);
    }
}
