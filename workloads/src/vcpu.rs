//! The vCPU as a lock sees it: the one [`Platform`] of all environments.

use core::cell::Cell;
use core::hint::cold_path;
use core::marker::PhantomData;
use core::ptr;
use core::sync::atomic::Ordering::Relaxed;

use lockbench_locks::{Code, Event, Platform};

use crate::arena::{Block, Header, NEVER_YIELDS};
use crate::counter::{add, bump};
use crate::extension::SliceControl;
use crate::probe::{Phase, Probe, Twin};
use crate::tracer::Tracer;

/// What of the paravirtual code is compiled in: the second compile-time axis.
pub trait Mode: 'static {
    /// See [`Platform::CODE`].
    const CODE: Code;
}

/// Compiled without paravirtual code.
#[derive(Debug)]
pub struct Bare;
/// Compiled as boot-time patching leaves it on a native machine.
#[derive(Debug)]
pub struct Patched;
/// Compiled with paravirtual code; whether it is used is data.
#[derive(Debug)]
pub struct Paravirt;

impl Mode for Bare {
    const CODE: Code = Code::Bare;
}
impl Mode for Patched {
    const CODE: Code = Code::Patched;
}
impl Mode for Paravirt {
    const CODE: Code = Code::Paravirt;
}

/// How far a vCPU is in a wait whose steps may yield.
#[derive(Debug, Default)]
struct Wait {
    /// How many requests the vCPU had ended when the wait began.
    ended: Cell<u64>,
    /// How many of its steps paused.
    paused: Cell<u32>,
}

/// A running vCPU. It reaches what the environment provides (halt, kick, yield, probe) through its block, so threads and KVM vCPUs
/// have one type and one worker.
pub struct Vcpu<M, Pr> {
    header: *const Header,
    me: u32,
    probe: *mut u64,
    expected: Cell<u64>,
    rearm: u64,
    tracer: Tracer,
    wait: Wait,
    axes: PhantomData<(M, Pr)>,
}

impl<M: Mode, Pr: Probe> Vcpu<M, Pr> {
    /// vCPU `me` of an arena.
    ///
    /// # Safety
    ///
    /// As for [`Header::block`]; the block's `env` must be filled in, and live as long as this.
    #[inline(always)]
    pub unsafe fn new(header: *const Header, me: u32) -> Self {
        // SAFETY: as the caller vouches.
        let env = unsafe { &(*header).block(me as usize).env };
        let mut probe = env.probe.load(Relaxed);
        if probe.is_null() {
            // Preemptions are not counted: the vCPU watches a word that nobody changes, which is cheaper than a test at each
            // look.
            probe = env.expected.as_ptr();
        }
        Self {
            header,
            me,
            probe,
            expected: Cell::new(env.expected.load(Relaxed)),
            rearm: env.rearm.load(Relaxed),
            // SAFETY: as the caller vouches.
            tracer: unsafe { Tracer::new(header, me) },
            wait: Wait::default(),
            axes: PhantomData,
        }
    }

    #[inline(always)]
    fn header(&self) -> &Header {
        // SAFETY: `new`'s caller vouched for a mapped arena that outlives this.
        unsafe { &*self.header }
    }

    /// The block of this vCPU.
    #[inline(always)]
    pub fn block(&self) -> &Block {
        // SAFETY: `me` is a vCPU of this arena, as `new`'s caller vouched.
        unsafe { self.header().block(self.me as usize) }
    }

    /// `cpu`, or this vCPU's own number if there is no such vCPU.
    #[inline(always)]
    fn known(&self, cpu: usize) -> usize {
        if cpu < self.header().plan.params.vcpus as usize { cpu } else { self.me as usize }
    }

    /// The block of another vCPU.
    #[inline(always)]
    fn other(&self, cpu: usize) -> &Block {
        // SAFETY: a known number is below `vcpus`.
        unsafe { self.header().block(self.known(cpu)) }
    }

    /// What books this vCPU's times.
    #[inline(always)]
    pub(crate) fn tracer(&self) -> &Tracer {
        &self.tracer
    }

    /// Looks at the probe, and books a preemption under `phase` if the pCPU was lost since the last look.
    #[inline(always)]
    pub fn look(&self, phase: Phase) {
        if !Pr::COUNT {
            return;
        }
        // The clock is read before the probe: a preemption between the two changes the probe, and so is no gap.
        let now = if Pr::TRACE { self.now() } else { 0 };
        // SAFETY: the environment points the probe at a word that lives as long as the vCPU: its thread's rseq area,
        // its steal record or its own block. Volatile, for the kernel or the hypervisor changes it.
        let seen = unsafe { ptr::read_volatile(self.probe) };
        if seen != self.expected.get() {
            self.preempted(phase, seen);
        } else if Pr::TRACE {
            self.tracer.looked(phase, now);
        }
    }

    #[inline(always)]
    fn preempted(&self, phase: Phase, seen: u64) {
        // Laid out behind the loop, which would otherwise jump over this at every look.
        cold_path();
        bump(&self.block().own.preempted[phase as usize]);
        self.arm(seen);
        if Pr::TRACE {
            self.tracer.resumed(self.now());
        }
    }

    /// Forgets a change of the probe since the last look: no preemption is counted for it.
    #[inline(always)]
    pub fn overlook(&self) {
        if Pr::COUNT {
            // SAFETY: as in `look`.
            self.arm(unsafe { ptr::read_volatile(self.probe) });
        }
        if Pr::TRACE {
            self.tracer.awake(self.now());
        }
    }

    /// Halts until the hypervisor's timer wakes this vCPU, after so many ticks. Returns at once where there is no hypervisor. Out of
    /// line, for hardly any worker sleeps.
    #[inline(never)]
    pub fn sleep(&self, ticks: u32) {
        self.look(Phase::Thinking);
        let timer = &self.block().control.timer;
        let due = self.now().wrapping_add(u64::from(ticks));
        // SAFETY: `env.halt` was written before the gate opened and not since.
        if let Some(halt) = unsafe { *self.block().env.halt.get() } {
            // A kick that comes late, from a wait that is over, ends a halt too.
            loop {
                let left = due.wrapping_sub(self.now()).cast_signed();
                if left <= 0 {
                    break;
                }
                // Relaxed: the halt passes it on.
                timer.store(left.cast_unsigned(), Relaxed);
                // SAFETY: the environment that filled it in vouches for it under just these arguments.
                unsafe { halt(self.header, self.me) };
            }
        }
        timer.store(0, Relaxed);
        // Sleeping changes the probe too, and is no preemption.
        self.overlook();
    }

    /// A step of a wait where the cell asks for yields: it pauses as often as the cell says, and from then on it yields. Out of line,
    /// so that cells that only pause run past a single test.
    #[cold]
    #[inline(never)]
    fn pause_or_yield(&self) {
        let own = &self.block().own;
        // A wait begins with the first step after a request, or after a halt, whose wait began anew.
        let ended = own.operations.load(Relaxed).wrapping_add(own.failures.load(Relaxed));
        if self.wait.ended.replace(ended) != ended {
            self.wait.paused.set(0);
        }
        let paused = self.wait.paused.get();
        if paused < self.header().plan.pauses {
            self.wait.paused.set(paused + 1);
            core::hint::spin_loop();
            return;
        }
        self.look(Phase::Waiting);
        self.count(Event::Yield);
        // SAFETY: `env.give_way` was written before the gate opened and not since; it takes this arena and this vCPU.
        if let Some(give_way) = unsafe { *self.block().env.give_way.get() } {
            // SAFETY: the environment that filled it in vouches for it under just these arguments.
            unsafe { give_way(self.header, self.me) };
        }
        self.came_back();
    }

    /// A critical section begins, in a cell whose holders ask for a longer timeslice. Out of line, for hardly any cell does.
    #[cold]
    #[inline(never)]
    pub(crate) fn ask_for_time(&self) {
        if let Some(slice) = self.slice() {
            slice.begin();
        }
    }

    /// That section is over: what was asked for is asked no more, and what was granted is given back.
    #[cold]
    #[inline(never)]
    pub(crate) fn give_time_back(&self) {
        let Some(slice) = self.slice() else { return };
        if !slice.end() {
            return;
        }
        self.count(Event::SliceExtended);
        // SAFETY: `env.give_back` was written before the gate opened and not since; it takes this arena and this vCPU.
        if let Some(give_back) = unsafe { *self.block().env.give_back.get() } {
            // SAFETY: the environment that filled it in vouches for it under just these arguments.
            unsafe { give_back(self.header, self.me) };
        }
        // A grant that held until here says that the vCPU was not preempted since; giving the pCPU back changes the probe, and is no
        // preemption.
        self.overlook();
    }

    /// Where this vCPU asks for a longer timeslice.
    #[inline(always)]
    fn slice(&self) -> Option<&SliceControl> {
        // SAFETY: null, or part of an area that lives as long as the thread that is this vCPU, as its environment vouched.
        unsafe { self.block().env.slice.load(Relaxed).as_ref() }
    }

    /// Takes note of a yield that is over: who lost the pCPU by it was not preempted.
    #[inline(always)]
    fn came_back(&self) {
        if Pr::COUNT {
            // SAFETY: as in `look`.
            let seen = unsafe { ptr::read_volatile(self.probe) };
            let was_off = seen != self.expected.get();
            self.arm(seen);
            if Pr::TRACE {
                self.tracer.yielded(was_off, self.now());
            }
        }
    }

    /// What the probe reads while the vCPU runs undisturbed.
    #[inline(always)]
    pub(crate) fn expected(&self) -> u64 {
        self.expected.get()
    }

    /// Expects the probe to read `value` from now on.
    #[inline(always)]
    pub(crate) fn expect(&self, value: u64) {
        self.expected.set(value);
    }

    #[inline(always)]
    fn arm(&self, seen: u64) {
        if self.rearm == 0 {
            self.expected.set(seen);
        } else {
            // SAFETY: as in `look`; only a probe in the thread's own rseq area asks for re-arming, and only this
            // thread and the kernel on its behalf write there.
            unsafe { ptr::write_volatile(self.probe, self.rearm) };
        }
    }
}

impl<M: Mode, Pr: Probe> Platform for Vcpu<M, Pr> {
    const CODE: Code = M::CODE;

    #[inline(always)]
    fn relax(&self) {
        // Here too, because waiting is out of line.
        Twin::mark(Pr::TWIN);
        if self.header().plan.pauses == NEVER_YIELDS {
            core::hint::spin_loop();
        } else {
            self.pause_or_yield();
        }
        self.look(Phase::Waiting);
        if Pr::TRACE {
            self.tracer.spun();
        }
    }

    #[inline(always)]
    fn halt(&self) {
        if !Self::PARAVIRT {
            return;
        }
        self.look(Phase::Waiting);
        self.count(Event::Halt);
        self.wait.paused.set(0);
        let halted = if Pr::TRACE { self.now() } else { 0 };
        if Pr::TRACE {
            self.tracer.halting(halted);
        }
        // SAFETY: `env.halt` was written before the gate opened and not since; it takes this arena and this vCPU.
        if let Some(halt) = unsafe { *self.block().env.halt.get() } {
            // SAFETY: the environment that filled it in vouches for it under just these arguments.
            unsafe { halt(self.header, self.me) };
        }
        // Sleeping changes the probe too, and is no preemption.
        self.overlook();
        if Pr::TRACE {
            self.tracer.woke(halted, self.now());
        }
    }

    #[inline(always)]
    fn kick(&self, cpu: usize) {
        if !Self::PARAVIRT {
            return;
        }
        self.count(Event::Kick);
        if Pr::TRACE {
            self.tracer.kicking(self.known(cpu), self.now());
        }
        // SAFETY: as for `halt`.
        if let Some(kick) = unsafe { *self.block().env.kick.get() } {
            // SAFETY: as for `halt`; environments ignore a number that no vCPU has.
            unsafe { kick(self.header, cpu as u32) };
        }
        if Pr::TRACE {
            // The time that a kick takes (a system call or an exit) is no gap.
            self.tracer.awake(self.now());
        }
    }

    #[inline(always)]
    fn forget_kick(&self) {
        if !Self::PARAVIRT {
            return;
        }
        // SAFETY: as for `halt`.
        if let Some(forget) = unsafe { *self.block().env.forget.get() } {
            // SAFETY: as for `halt`.
            unsafe { forget(self.header, self.me) };
        }
    }

    #[inline(always)]
    fn is_preempted(&self, cpu: usize) -> bool {
        let hint = self.other(cpu).env.preempted.load(Relaxed);
        // SAFETY: null or the byte of a steal record inside the arena. Volatile, for the hypervisor writes it.
        !hint.is_null() && unsafe { ptr::read_volatile(hint) } != 0
    }

    #[inline(always)]
    fn now(&self) -> u64 {
        crate::ticks()
    }

    #[inline(always)]
    fn slice_end(&self) -> Option<u64> {
        let end = self.block().control.slice_end.load(Relaxed);
        (end != 0).then_some(end)
    }

    #[inline(always)]
    fn node_of(&self, cpu: usize) -> usize {
        self.other(cpu).env.node.load(Relaxed) as usize
    }

    #[inline(always)]
    fn add(&self, event: Event, n: u64) {
        if Pr::COUNT {
            add(&self.block().own.events[event as usize], n);
        }
    }
}
