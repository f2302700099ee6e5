//! A vCPU as the hypervisor sees it: its state, and how it is taken off its pCPU and put back.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, Release};

use lockbench_workloads::arena::Control;
use lockbench_workloads::locks::pause::{Pause, State};

use rustix::thread::{CpuSet, Pid, sched_setaffinity};

use crate::arena::Memory;
use crate::measure::clocks::monotonic_ns;
use crate::measure::futex::{self, Sharing};

/// The signal that interrupts a vCPU which is to pause. Its default is to be ignored, so that one which comes before the handler
/// is there, or after, does no harm.
pub(crate) const PAUSE_SIGNAL: i32 = libc::SIGURG;

/// How long a vCPU may take to obey before the schedule is given up. It gets its pCPU at once, because all other vCPUs of the
/// pCPU are paused; this allows for a stopped or overloaded machine.
const PATIENCE_NS: u64 = 2_000_000_000;
/// How long a wait for a vCPU lasts before the hypervisor looks whether it was told to stop.
const LOOK_NS: u64 = 20_000_000;

/// Why a vCPU did not do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The hypervisor was told to stop meanwhile.
    Stopped,
    /// Its thread is gone.
    Gone,
    /// It did not obey in time.
    Silent,
}

/// A vCPU: its block in its virtual machine's arena, and the thread that is or runs it.
#[derive(Clone)]
pub(crate) struct Vcpu {
    memory: Arc<Memory>,
    cpu: usize,
    pid: i32,
    tid: u32,
}

impl Vcpu {
    /// vCPU `cpu` of the machine with this arena, run by thread `tid` of process `pid`.
    pub(crate) fn new(memory: Arc<Memory>, cpu: usize, pid: i32, tid: u32) -> Self {
        Self { memory, cpu, pid, tid }
    }

    /// Keeps every vCPU of an arena from running until it is resumed. Call before their process starts.
    pub(crate) fn hold(memory: &Memory) {
        for block in memory.blocks() {
            block.control.pause.hold();
        }
    }

    fn control(&self) -> &Control {
        &self.memory.block(self.cpu).control
    }

    /// Where the vCPU stands.
    pub(crate) fn state(&self) -> State {
        self.control().pause.state()
    }

    /// Whether the vCPU has followed the last wish.
    pub(super) fn has_obeyed(&self) -> bool {
        self.control().pause.obeyed()
    }

    /// Whether a kick waits for it.
    pub(crate) fn kicked(&self) -> bool {
        Pause::kicked(&self.memory.block(self.cpu).word.0)
    }

    /// When the timer goes off that it set before its halt, so many ticks from that on, on a clock of which `now` is the same as `ticks`
    /// of the processor's; none where it set no timer.
    pub(super) fn timer_ns(&self, now_ns: u64, ticks: u64, ticks_per_ns: f64) -> Option<u64> {
        let after = self.control().timer.load(Relaxed);
        let left = self.left_at().saturating_add(after).saturating_sub(ticks);
        (after > 0).then(|| now_ns + (left as f64 / ticks_per_ns) as u64)
    }

    /// Kicks it, as a timer does.
    pub(super) fn ring(&self) {
        // Release: as for any other kick.
        self.memory.block(self.cpu).word.0.store(1, Release);
    }

    /// When the vCPU last came back to a pCPU, in ticks.
    pub(super) fn back_at(&self) -> u64 {
        self.control().back_at.load(Relaxed)
    }

    /// When the vCPU last left its pCPU, in ticks.
    pub(super) fn left_at(&self) -> u64 {
        self.control().left_at.load(Relaxed)
    }

    /// Has the vCPU's halts and kicks told to `lane`.
    pub(super) fn tell(&self, lane: usize) {
        self.control().lane.store(lane as u32, Relaxed);
    }

    /// Tells it when its timeslice ends, in ticks.
    pub(super) fn tell_slice_end(&self, ticks: u64) {
        // Not 0, which says that nobody tells.
        self.control().slice_end.store(ticks.max(1), Relaxed);
    }

    /// Lets a vCPU that is off run on the pCPU of `lane`, which has this operating-system index.
    pub(crate) fn put_on(&self, lane: usize, pcpu: u32) {
        let before = self.control().lane.swap(lane as u32, Relaxed);
        if before != lane as u32 {
            self.move_to(pcpu);
        }
        self.resume();
    }

    /// Moves the vCPU's thread. Where the kernel refuses, the window's check of placements says so.
    pub(super) fn move_to(&self, pcpu: u32) {
        let mut only = CpuSet::new();
        only.set(pcpu as usize);
        if let Some(thread) = Pid::from_raw(self.tid.cast_signed()) {
            let _ = sched_setaffinity(Some(thread), &only);
        }
    }

    /// Takes a running vCPU off its pCPU and waits until it is off: [`State::Paused`]; or [`State::Halted`] or [`State::Yielded`]
    /// where it gave the pCPU up meanwhile.
    pub(crate) fn pause(&self, stop: &dyn Fn() -> bool) -> Result<State, Lost> {
        self.obeyed(stop)?;
        let control = self.control();
        control.off.store(1, Relaxed);
        if control.pause.ask_to_pause() {
            // SAFETY: sends a signal to a thread of a process that this one started; numbers alone are passed.
            let sent = unsafe { libc::syscall(libc::SYS_tgkill, self.pid, self.tid, PAUSE_SIGNAL) };
            if sent != 0 {
                return Err(Lost::Gone);
            }
            self.obeyed(stop)?;
        }
        let state = self.state();
        if state != State::Halted {
            control.pauses.fetch_add(1, Relaxed);
        }
        Ok(state)
    }

    /// Takes note that the vCPU has halted, so that it can be resumed once it was kicked; or that it has yielded, so that it can be
    /// resumed at once.
    pub(crate) fn note_given_up(&self) {
        let control = self.control();
        control.off.store(1, Relaxed);
        let interrupt = control.pause.ask_to_pause();
        debug_assert!(!interrupt, "it has not given its pCPU up");
        if self.state() == State::Yielded {
            control.pauses.fetch_add(1, Relaxed);
        }
    }

    /// Lets a vCPU that is off run where it is.
    pub(crate) fn resume(&self) {
        let control = self.control();
        control.off.store(0, Relaxed);
        control.pause.resume(|word| futex::wake_all(word, Sharing::Shared));
    }

    /// Waits until the vCPU has followed the last wish.
    fn obeyed(&self, stop: &dyn Fn() -> bool) -> Result<(), Lost> {
        let pause = &self.control().pause;
        let give_up = monotonic_ns() + PATIENCE_NS;
        loop {
            let (word, value) = pause.to_wait_on();
            if pause.obeyed() {
                return Ok(());
            }
            if stop() {
                return Err(Lost::Stopped);
            }
            let now = monotonic_ns();
            if now > give_up {
                return Err(Lost::Silent);
            }
            futex::wait_until(word, value, now + LOOK_NS);
        }
    }
}
