//! A machine whose vCPUs are threads of which one runs at a time, and only as far as its next wait: a test says who runs, so that
//! every order of arrivals has one outcome, whatever the scheduler does.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;

use lockbench_locks::{Code, Ctx, Event, Params, Platform, RawLock};

/// Where a vCPU stands while another one runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// It has done what it was told.
    Rest,
    /// In an iteration of a spin loop.
    Spinning,
    /// In a halt. It may be run on without a kick: halts may end early.
    Halted,
}

/// What a vCPU is told to do with a lock of that number.
#[derive(Clone, Copy)]
enum Act {
    Acquire(usize),
    Release(usize),
}

struct Player {
    at: At,
    act: Option<Act>,
    /// What the last acquisition answered.
    acquired: bool,
    kicked: bool,
    /// How often it has halted.
    halts: u64,
}

struct Shared {
    /// The vCPU that runs; none while the test does.
    turn: Option<usize>,
    over: bool,
    players: Vec<Player>,
}

/// What the test tells the vCPUs.
pub(crate) struct Stage {
    shared: Mutex<Shared>,
    /// One for each vCPU to wait for its turn on, and one for the test.
    turns: Vec<Condvar>,
    back: Condvar,
    /// What every vCPU reads as the time.
    pub(crate) clock: AtomicU64,
    /// How many iterations the vCPU that runs has yet before it waits for its next turn; each takes a tick of the clock.
    spins: AtomicU64,
    /// Of which vCPUs the host says that they are preempted.
    pub(crate) preempted: Vec<AtomicBool>,
    /// When the present timeslice of each vCPU ends; 0 where no scheduler tells.
    pub(crate) slice_ends: Vec<AtomicU64>,
    pub(crate) events: Vec<AtomicU64>,
}

/// Has a fresh lock, or several, played on by vCPUs that do what `script` says.
pub(crate) fn play<L: RawLock>(params: &Params, locks: usize, script: impl FnOnce(&Stage)) {
    let vcpus = params.vcpus as usize;
    let player = || Player { at: At::Rest, act: None, acquired: false, kicked: false, halts: 0 };
    let shared = Shared { turn: None, over: false, players: (0..vcpus).map(|_| player()).collect() };
    let stage = Stage {
        shared: Mutex::new(shared),
        turns: (0..vcpus).map(|_| Condvar::new()).collect(),
        back: Condvar::new(),
        clock: AtomicU64::new(1),
        spins: AtomicU64::new(0),
        preempted: (0..vcpus).map(|_| AtomicBool::new(false)).collect(),
        slice_ends: (0..vcpus).map(|_| AtomicU64::new(0)).collect(),
        events: (0..Event::COUNT).map(|_| AtomicU64::new(0)).collect(),
    };
    let locks: Vec<L> = (0..locks).map(|_| L::new::<Vcpu<'_>>(params)).collect();
    let blocks: Vec<L::PerVcpu> = (0..vcpus).map(|_| Default::default()).collect();
    thread::scope(|scope| {
        for me in 0..vcpus {
            let (stage, locks, blocks) = (&stage, &locks, &blocks);
            scope.spawn(move || {
                let ctx = Ctx::over(me, blocks, params, Vcpu { me, stage });
                // A vCPU that still waits when the play is over is unwound, quietly.
                let _ = catch_unwind(AssertUnwindSafe(|| stage.act(me, locks, &ctx)));
            });
        }
        let played = catch_unwind(AssertUnwindSafe(|| script(&stage)));
        stage.lock().over = true;
        stage.turns.iter().for_each(Condvar::notify_one);
        if let Err(panic) = played {
            resume_unwind(panic);
        }
    });
}

struct Over;

impl Stage {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What a vCPU's thread does.
    fn act<L: RawLock>(&self, me: usize, locks: &[L], ctx: &Ctx<'_, L, Vcpu<'_>>) {
        loop {
            let act = self.wait_for_turn(me).players[me].act.take();
            let acquired = match act {
                Some(Act::Acquire(lock)) => locks[lock].acquire_or_fail(ctx),
                Some(Act::Release(lock)) => {
                    locks[lock].release(ctx);
                    false
                }
                None => panic!("vCPU {me} was run on at rest"),
            };
            let mut shared = self.lock();
            shared.players[me].acquired = acquired;
            self.give_back(shared, me, At::Rest);
        }
    }

    fn wait_for_turn(&self, me: usize) -> MutexGuard<'_, Shared> {
        let mut shared = self.lock();
        while shared.turn != Some(me) {
            if shared.over {
                drop(shared);
                resume_unwind(Box::new(Over));
            }
            shared = self.turns[me].wait(shared).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        shared
    }

    fn give_back(&self, mut shared: MutexGuard<'_, Shared>, me: usize, at: At) {
        shared.players[me].at = at;
        shared.turn = None;
        drop(shared);
        self.back.notify_one();
    }

    /// Lets the vCPU run until it waits or has done what it was told.
    fn run(&self, cpu: usize, act: Option<Act>) -> At {
        let mut shared = self.lock();
        if act.is_some() {
            assert_eq!(shared.players[cpu].at, At::Rest, "vCPU {cpu} is still busy");
            shared.players[cpu].act = act;
        }
        shared.turn = Some(cpu);
        self.turns[cpu].notify_one();
        while shared.turn.is_some() {
            shared = self.back.wait(shared).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        shared.players[cpu].at
    }

    /// Has the vCPU begin to acquire a lock.
    pub(crate) fn acquire(&self, cpu: usize, lock: usize) -> At {
        self.run(cpu, Some(Act::Acquire(lock)))
    }

    /// Has the vCPU release a lock.
    pub(crate) fn release(&self, cpu: usize, lock: usize) -> At {
        self.run(cpu, Some(Act::Release(lock)))
    }

    /// Lets a waiting vCPU run on, to its next wait.
    pub(crate) fn step(&self, cpu: usize) -> At {
        self.run(cpu, None)
    }

    /// Lets a waiting vCPU run through so many waits, or until it has done what it was told or halts.
    pub(crate) fn steps(&self, cpu: usize, most: usize) -> At {
        let mut at = At::Spinning;
        for _ in 0..most {
            at = self.step(cpu);
            if at != At::Spinning {
                break;
            }
        }
        at
    }

    /// Lets a waiting vCPU run through so many iterations at once, while as many ticks go by, or until it has done what it was told.
    pub(crate) fn spin(&self, cpu: usize, iterations: u64) -> At {
        self.spins.store(iterations, Ordering::Relaxed);
        let at = self.step(cpu);
        self.spins.store(0, Ordering::Relaxed);
        at
    }

    /// Whether the vCPU's last act was an acquisition, and that is done and succeeded.
    pub(crate) fn holds(&self, cpu: usize) -> bool {
        let shared = self.lock();
        shared.players[cpu].at == At::Rest && shared.players[cpu].acquired
    }

    /// How often the vCPU has halted.
    pub(crate) fn halts(&self, cpu: usize) -> u64 {
        self.lock().players[cpu].halts
    }

    /// Lets everybody in `waiting` run, in turns, until one holds the lock; that one. A halted vCPU runs only once it was kicked.
    pub(crate) fn next_holder(&self, waiting: &[usize]) -> usize {
        for _ in 0..100_000 {
            for &cpu in waiting {
                let sleeps = {
                    let player = &self.lock().players[cpu];
                    player.at == At::Halted && !player.kicked
                };
                if !sleeps && self.step(cpu) == At::Rest {
                    return cpu;
                }
            }
        }
        panic!("nobody of {waiting:?} gets the lock");
    }

    pub(crate) fn counted(&self, event: Event) -> u64 {
        self.events[event as usize].load(Ordering::Relaxed)
    }
}

/// A vCPU of a [`Stage`].
pub(crate) struct Vcpu<'a> {
    me: usize,
    stage: &'a Stage,
}

impl Vcpu<'_> {
    fn pause(&self, at: At) {
        let shared = self.stage.lock();
        self.stage.give_back(shared, self.me, at);
        drop(self.stage.wait_for_turn(self.me));
    }
}

impl Platform for Vcpu<'_> {
    const CODE: Code = Code::Paravirt;

    fn relax(&self) {
        let left = self.stage.spins.load(Ordering::Relaxed);
        if left > 0 {
            self.stage.spins.store(left - 1, Ordering::Relaxed);
            self.stage.clock.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.pause(At::Spinning);
    }

    fn halt(&self) {
        let mut shared = self.stage.lock();
        let me = &mut shared.players[self.me];
        me.halts += 1;
        let kicked = std::mem::take(&mut me.kicked);
        drop(shared);
        if !kicked {
            self.pause(At::Halted);
            self.stage.lock().players[self.me].kicked = false;
        }
    }

    fn kick(&self, cpu: usize) {
        self.stage.lock().players[cpu].kicked = true;
    }

    fn forget_kick(&self) {
        self.stage.lock().players[self.me].kicked = false;
    }

    fn is_preempted(&self, cpu: usize) -> bool {
        self.stage.preempted[cpu].load(Ordering::Relaxed)
    }

    fn now(&self) -> u64 {
        self.stage.clock.load(Ordering::Relaxed)
    }

    fn slice_end(&self) -> Option<u64> {
        let end = self.stage.slice_ends[self.me].load(Ordering::Relaxed);
        (end != 0).then_some(end)
    }

    fn node_of(&self, _: usize) -> usize {
        0
    }

    fn add(&self, event: Event, n: u64) {
        self.stage.events[event as usize].fetch_add(n, Ordering::Relaxed);
    }
}
