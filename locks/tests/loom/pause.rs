//! The hypervisor's pauses and resumes: none is lost in a halt, in a kick or in one another, and no vCPU is left behind.

use std::sync::Arc;

use lockbench_locks::pause::{Os, Pause, State};
use lockbench_locks::sync::{AtomicBool, AtomicU32, Ordering};
use loom::sync::{Condvar, Mutex};
use loom::thread;

/// A futex' bucket.
struct Bucket {
    lock: Mutex<()>,
    sleepers: Condvar,
}

impl Bucket {
    fn new() -> Self {
        Self { lock: Mutex::new(()), sleepers: Condvar::new() }
    }

    fn sleep(&self, word: &AtomicU32, value: u32) {
        let bucket = self.lock.lock().unwrap();
        // Relaxed: whoever took the bucket's lock after a wake-up sees the word of that wake-up.
        if word.load(Ordering::Relaxed) == value {
            drop(self.sleepers.wait(bucket).unwrap());
        }
    }

    fn wake(&self) {
        let _bucket = self.lock.lock().unwrap();
        self.sleepers.notify_all();
    }
}

/// One vCPU, its hypervisor, and a vCPU that kicks it.
struct World {
    pause: Pause,
    bell: AtomicU32,
    /// How often the hypervisor was told of something.
    rings: AtomicU32,
    /// Whether the vCPU is inside, where it may only be between a resume and a pause.
    inside: AtomicBool,
    /// Whether the hypervisor has made its pause.
    paused: AtomicBool,
    /// Whether the vCPU has ended.
    ended: AtomicBool,
    bucket: Bucket,
}

impl Os for World {
    fn sleep(&self, word: &AtomicU32, value: u32) {
        self.bucket.sleep(word, value);
    }

    fn wake(&self, _: &AtomicU32) {
        self.bucket.wake();
    }

    fn acknowledging(&self, off: bool) {
        self.inside.store(!off, Ordering::Relaxed);
    }

    fn halting(&self) {
        self.ring();
    }
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            pause: Pause::default(),
            bell: AtomicU32::new(0),
            rings: AtomicU32::new(0),
            inside: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            bucket: Bucket::new(),
        })
    }

    fn ring(&self) {
        self.rings.fetch_add(1, Ordering::Release);
        self.bucket.wake();
    }

    /// Waits until the vCPU has obeyed.
    fn wait_obeyed(&self) {
        loop {
            let (word, value) = self.pause.to_wait_on();
            if self.pause.obeyed() {
                return;
            }
            self.bucket.sleep(word, value);
        }
    }

    /// Asks the vCPU to pause, and waits until it has. Every step of this vCPU is an exit, so that it need not be interrupted.
    fn pause(&self) -> State {
        self.wait_obeyed();
        if self.pause.ask_to_pause() {
            self.wait_obeyed();
        }
        let state = self.pause.state();
        assert!(!self.inside.load(Ordering::Relaxed), "the vCPU is {state:?}, and inside");
        state
    }

    fn resume(&self) {
        self.pause.resume(|_| self.bucket.wake());
    }

    /// Resumes the vCPU whenever it has yielded, or has halted and was kicked, until it ends.
    fn serve(&self, mut blocked: bool) {
        loop {
            let rings = self.rings.load(Ordering::Acquire);
            if self.ended.load(Ordering::Acquire) {
                return;
            }
            let state = if blocked { State::Halted } else { self.pause.state() };
            if !blocked && state == State::Halted {
                assert!(!self.pause.ask_to_pause(), "a halted vCPU left its halt by itself");
                blocked = true;
            }
            if state == State::Yielded {
                assert!(!self.pause.ask_to_pause(), "a vCPU came back from its yield by itself");
                assert!(!self.inside.load(Ordering::Relaxed), "the vCPU has yielded, and is inside");
                self.resume();
                continue;
            }
            if blocked && Pause::kicked(&self.bell) {
                self.resume();
                blocked = false;
            }
            self.bucket.sleep(&self.rings, rings);
        }
    }
}

fn model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(f);
}

/// A vCPU that halts once, a vCPU that kicks it once, and a hypervisor that pauses it once and then only serves halts. Should a
/// pause, a resume or a kick be lost, somebody sleeps for ever, which loom reports.
#[test]
fn no_pause_resume_or_kick_is_lost_in_a_halt() {
    model(|| {
        let world = World::new();
        let vcpu = {
            let world = world.clone();
            thread::spawn(move || {
                world.inside.store(true, Ordering::Relaxed);
                world.pause.halt(&world.bell, &*world);
                // A guest goes on, and exits now and then.
                while !world.paused.load(Ordering::Relaxed) {
                    world.pause.obey(&*world);
                    thread::yield_now();
                }
                world.pause.obey(&*world);
                world.ended.store(true, Ordering::Release);
                world.ring();
            })
        };
        let kicker = {
            let world = world.clone();
            thread::spawn(move || {
                if world.pause.kick(&world.bell) {
                    world.ring();
                }
            })
        };
        let blocked = match world.pause() {
            State::Paused => {
                world.resume();
                false
            }
            State::Halted => true,
            state => panic!("after a pause the vCPU is {state:?}"),
        };
        world.paused.store(true, Ordering::Relaxed);
        world.serve(blocked);
        kicker.join().unwrap();
        vcpu.join().unwrap();
    });
}

/// As in the first model, with a yield in the place of the halt: no kick has to end it, and a kick is still there for the next halt.
#[test]
fn a_yield_needs_no_kick_and_takes_none() {
    model(|| {
        let world = World::new();
        let vcpu = {
            let world = world.clone();
            thread::spawn(move || {
                world.inside.store(true, Ordering::Relaxed);
                world.pause.give_way(&*world);
                world.ended.store(true, Ordering::Release);
                world.ring();
            })
        };
        if world.pause.kick(&world.bell) {
            world.ring();
        }
        world.serve(false);
        vcpu.join().unwrap();
        assert!(Pause::kicked(&world.bell), "the yield took the kick");
    });
}

/// A yield that meets a pause is one or the other, and the vCPU goes on once it is resumed.
#[test]
fn a_yield_that_meets_a_pause_goes_on() {
    model(|| {
        let world = World::new();
        let vcpu = {
            let world = world.clone();
            thread::spawn(move || {
                world.inside.store(true, Ordering::Relaxed);
                world.pause.give_way(&*world);
                while !world.paused.load(Ordering::Relaxed) {
                    world.pause.obey(&*world);
                    thread::yield_now();
                }
                world.pause.obey(&*world);
                world.ended.store(true, Ordering::Release);
                world.ring();
            })
        };
        let state = world.pause();
        assert!(matches!(state, State::Paused | State::Yielded), "after a pause the vCPU is {state:?}");
        world.resume();
        world.paused.store(true, Ordering::Relaxed);
        world.serve(false);
        vcpu.join().unwrap();
    });
}

/// As above, from the arrival on: a vCPU that is held runs once it is resumed.
#[test]
fn a_vcpu_that_is_held_arrives() {
    model(|| {
        let world = World::new();
        world.pause.hold();
        let vcpu = {
            let world = world.clone();
            thread::spawn(move || {
                world.pause.arrive(&world.bell, &*world);
                world.ended.store(true, Ordering::Release);
                world.ring();
            })
        };
        world.serve(true);
        vcpu.join().unwrap();
    });
}
