//! A machine whose vCPUs are threads, and the check that a lock excludes on it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Barrier, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use lockbench_locks::{Code, Ctx, Event, Params, Platform, RawLock};

/// Longer than any test waits; a vCPU that halts this long has lost its kick.
const LOST: Duration = Duration::from_secs(60);

/// What all vCPUs share: the lock's settings, a bell for each, and counters.
pub(crate) struct Machine {
    params: Params,
    bells: Vec<(Mutex<bool>, Condvar)>,
    counts: [AtomicU64; Event::COUNT],
    /// Yields between a lock's decision to halt and the halt: the window in which a kick must stick.
    dawdle: usize,
    /// Whether halts now and then return without a kick, as the platform allows.
    spurious: bool,
    /// NUMA node of each vCPU.
    places: Vec<usize>,
    /// How often each vCPU has spun.
    spins: Vec<AtomicU64>,
}

impl Machine {
    pub(crate) fn new(params: Params) -> Self {
        Self {
            params,
            bells: (0..params.vcpus).map(|_| Default::default()).collect(),
            counts: [const { AtomicU64::new(0) }; Event::COUNT],
            dawdle: 0,
            spurious: false,
            places: (0..params.vcpus as usize).map(|cpu| cpu % 2).collect(),
            spins: (0..params.vcpus).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// With each vCPU on a NUMA node as told, instead of on the first and the second in turns.
    pub(crate) fn on(self, places: &[usize]) -> Self {
        assert_eq!(places.len(), self.vcpus());
        Self { places: places.to_vec(), ..self }
    }

    /// How often a vCPU has spun.
    pub(crate) fn spins(&self, cpu: usize) -> u64 {
        self.spins[cpu].load(Ordering::SeqCst)
    }

    pub(crate) fn dawdling(self, dawdle: usize) -> Self {
        Self { dawdle, ..self }
    }

    pub(crate) fn spurious(self) -> Self {
        Self { spurious: true, ..self }
    }

    pub(crate) fn counted(&self, event: Event) -> u64 {
        self.counts[event as usize].load(Ordering::Relaxed)
    }

    /// Repeats `round` until the lock has counted `event`: which slow paths a round takes is up to the scheduler.
    pub(crate) fn until(&self, event: Event, mut round: impl FnMut()) {
        for _ in 0..1000 {
            round();
            if self.counted(event) != 0 {
                return;
            }
        }
        panic!("{event:?} never happened");
    }

    /// A free lock for this machine.
    pub(crate) fn lock<L: RawLock, const PARAVIRT: bool>(&self) -> L {
        L::new::<Vcpu<'_, PARAVIRT>>(&self.params)
    }

    pub(crate) fn vcpus(&self) -> usize {
        self.bells.len()
    }
}

/// A vCPU of a [`Machine`], with paravirtual code compiled in or not, or as boot-time patching leaves it.
pub(crate) struct Vcpu<'a, const PARAVIRT: bool, const PATCHED: bool = false> {
    me: usize,
    machine: &'a Machine,
}

impl<'a, const PARAVIRT: bool, const PATCHED: bool> Vcpu<'a, PARAVIRT, PATCHED> {
    pub(crate) fn context<L: RawLock>(
        machine: &'a Machine,
        blocks: &'a [L::PerVcpu],
        me: usize,
    ) -> Ctx<'a, L, Self> {
        Ctx::over(me, blocks, &machine.params, Self { me, machine })
    }
}

impl<const PARAVIRT: bool, const PATCHED: bool> Platform for Vcpu<'_, PARAVIRT, PATCHED> {
    const CODE: Code = match (PARAVIRT, PATCHED) {
        (true, _) => Code::Paravirt,
        (false, true) => Code::Patched,
        (false, false) => Code::Bare,
    };

    fn relax(&self) {
        self.machine.spins[self.me].fetch_add(1, Ordering::SeqCst);
        // There are more vCPUs than cores: let the one we wait for run.
        thread::yield_now();
    }

    fn halt(&self) {
        assert!(PARAVIRT, "halt without a hypervisor");
        self.count(Event::Halt);
        for _ in 0..self.machine.dawdle {
            thread::yield_now();
        }
        if self.machine.spurious && self.machine.counted(Event::Halt).is_multiple_of(2) {
            return;
        }
        let (kicked, bell) = &self.machine.bells[self.me];
        let (mut kicked, wait) =
            bell.wait_timeout_while(kicked.lock().unwrap(), LOST, |kicked| !*kicked).unwrap();
        if wait.timed_out() {
            // The others would wait for us forever, so unwinding would only hang.
            eprintln!("vCPU {} was never kicked", self.me);
            std::process::abort();
        }
        *kicked = false;
    }

    fn kick(&self, cpu: usize) {
        assert!(PARAVIRT, "kick without a hypervisor");
        self.count(Event::Kick);
        let (kicked, bell) = &self.machine.bells[cpu];
        *kicked.lock().unwrap() = true;
        bell.notify_one();
    }

    fn forget_kick(&self) {
        *self.machine.bells[self.me].0.lock().unwrap() = false;
    }

    fn is_preempted(&self, _: usize) -> bool {
        false
    }

    fn now(&self) -> u64 {
        0
    }

    fn node_of(&self, cpu: usize) -> usize {
        self.machine.places[cpu]
    }

    fn add(&self, event: Event, n: u64) {
        self.machine.counts[event as usize].fetch_add(n, Ordering::Relaxed);
    }
}

/// A fresh block for every vCPU of `machine`.
pub(crate) fn blocks<L: RawLock>(machine: &Machine) -> Vec<L::PerVcpu> {
    (0..machine.vcpus()).map(|_| Default::default()).collect()
}

/// Lets every vCPU pass `lock` `passes` times, through `acquire` and now and then `try_acquire`. Returns how often two
/// of them were inside at once. The blocks come back as the last section left them.
pub(crate) fn stress<L: RawLock, const PARAVIRT: bool>(
    lock: &L,
    machine: &Machine,
    blocks: &[L::PerVcpu],
    passes: usize,
) -> u64 {
    stress_code::<L, PARAVIRT, false>(lock, machine, blocks, passes)
}

/// The same with code as boot-time patching leaves it.
pub(crate) fn stress_patched<L: RawLock>(
    lock: &L,
    machine: &Machine,
    blocks: &[L::PerVcpu],
    passes: usize,
) -> u64 {
    stress_code::<L, false, true>(lock, machine, blocks, passes)
}

fn stress_code<L: RawLock, const PARAVIRT: bool, const PATCHED: bool>(
    lock: &L,
    machine: &Machine,
    blocks: &[L::PerVcpu],
    passes: usize,
) -> u64 {
    let (counter, owner) = (AtomicU64::new(0), AtomicUsize::new(usize::MAX));
    let (violations, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let start = Barrier::new(machine.vcpus());
    thread::scope(|scope| {
        for me in 0..machine.vcpus() {
            let (counter, owner, violations, stop, start) = (&counter, &owner, &violations, &stop, &start);
            scope.spawn(move || {
                let ctx = Vcpu::<PARAVIRT, PATCHED>::context::<L>(machine, blocks, me);
                start.wait();
                for pass in 0..passes {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    if pass % 4 != 3 || !lock.try_acquire(&ctx) {
                        lock.acquire(&ctx);
                    }
                    // Load and store apart: a second vCPU inside loses one of the two updates.
                    let before = counter.load(Ordering::Relaxed);
                    owner.store(me, Ordering::Relaxed);
                    if pass % 2 == 0 {
                        // Lets the others run into a held lock, however few cores there are.
                        thread::yield_now();
                    }
                    let broken = owner.load(Ordering::Relaxed) != me;
                    counter.store(before + 1, Ordering::Relaxed);
                    lock.release(&ctx);
                    if broken {
                        violations.fetch_add(1, Ordering::Relaxed);
                        stop.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let (violations, counter) = (violations.into_inner(), counter.into_inner());
    if violations == 0 {
        assert_eq!(counter, (machine.vcpus() * passes) as u64, "{}: lost updates", L::NAME);
    }
    violations
}
