//! The thread that schedules one pCPU: it sleeps until something happens, asks the policy, and switches.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use lockbench_reports::record::Moved;
use lockbench_workloads::locks::pause::State;

use super::log::{End, Lane, Stretch};
use super::policy::{Due, Policy};
use super::vcpu::{Lost, Vcpu};
use crate::arena::Board;
use crate::measure::clocks::monotonic_ns;
use crate::scheduling;
use crate::topology::{PuIndex, pin_current};

/// What the schedulers of several pCPUs share.
pub(super) struct Common {
    vcpus: Vec<Vcpu>,
    ticks_per_ns: f64,
    shared: Mutex<Shared>,
}

struct Shared {
    policy: Box<dyn Policy>,
    /// The lane that is told when a blocked vCPU is kicked; none for a vCPU that is not blocked.
    blocked: Vec<Option<usize>>,
    /// When a blocked vCPU's own timer kicks it; none without a timer.
    timers_ns: Vec<Option<u64>>,
}

impl Common {
    /// `homes` has the lane that each vCPU arrives at: that of the pCPU which it was placed on.
    pub(super) fn new(
        policy: Box<dyn Policy>,
        vcpus: Vec<Vcpu>,
        homes: Vec<usize>,
        ticks_per_ns: f64,
    ) -> Self {
        for (vcpu, &home) in vcpus.iter().zip(&homes) {
            vcpu.tell(home);
        }
        let blocked = homes.into_iter().map(Some).collect();
        let timers_ns = vec![None; vcpus.len()];
        Self { vcpus, ticks_per_ns, shared: Mutex::new(Shared { policy, blocked, timers_ns }) }
    }

    /// Tells the policy that the window opened.
    pub(super) fn open(&self, at_ns: u64) {
        self.lock().policy.opened(at_ns);
    }

    /// What was planned and has happened so far.
    pub(super) fn moved(&self) -> Vec<Moved> {
        self.lock().policy.moved()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Why a schedule could not be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) String);

/// Schedules one pCPU.
pub(super) struct Dispatcher {
    /// The pCPU's number in the policy, and its lane of the board.
    pub(super) lane: usize,
    /// Its operating-system index.
    pub(super) pcpu: u32,
    pub(super) board: Arc<Board>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) common: Arc<Common>,
}

/// The vCPU that has the pCPU.
#[derive(Clone, Copy)]
struct Running {
    vcpu: usize,
    /// Since when its time was not charged.
    since_ns: u64,
    /// The scheduler's own time on the pCPU when it first woke after the vCPU had come: until then the vCPU ran, or the scheduler.
    own_ns: Option<u64>,
    /// When it was to come, and to leave.
    due: Due,
}

/// What a dispatcher does next itself, after it has told others to ask.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Own {
    /// It asks.
    Asks,
    /// It sleeps, unless its own lane is rung.
    Sleeps,
}

impl Dispatcher {
    /// Schedules until the hypervisor is stopped. Returns the log of the pCPU.
    pub(super) fn run(self) -> Lane {
        let began = monotonic_ns();
        let mut lane = Lane { pcpu: self.pcpu, ..Lane::default() };
        lane.pinned = pin_current(PuIndex(self.pcpu)).is_bound();
        // Above the vCPUs, so that the end of a slice is not late. Without it the schedule is as good as the kernel lets it be.
        lane.real_time = scheduling::prefer_this_thread().is_ok();
        if let Err(lost) = self.schedule(&mut lane) {
            lane.fault = match lost {
                (_, Lost::Stopped | Lost::Gone) => None,
                (vcpu, Lost::Silent) => {
                    Some(Fault(format!("vCPU {vcpu} did not acknowledge a pause or a resume within 2 s")))
                }
            };
        }
        lane.own_ns = scheduling::own_time_ns();
        lane.lived_ns = monotonic_ns().saturating_sub(began);
        lane
    }

    fn schedule(&self, lane: &mut Lane) -> Result<(), (usize, Lost)> {
        let mut running: Option<Running> = None;
        let mut woke_own_ns = scheduling::own_time_ns();
        loop {
            let rings = self.board.rings(self.lane);
            if self.stopped() {
                // A vCPU that has not come back yet has no stretch.
                if let Some(running) = running
                    && self.common.vcpus[running.vcpu].has_obeyed()
                {
                    let vcpu = &self.common.vcpus[running.vcpu];
                    let (own_ns, now) = (scheduling::own_time_ns(), lockbench_workloads::ticks());
                    lane.stretches.push(stretch(running, own_ns, vcpu, now, End::Open));
                }
                return Ok(());
            }
            let now = monotonic_ns();
            let mut shared = self.common.lock();
            running = self.note_given_up(running, woke_own_ns, &mut shared, lane, now);
            self.wake_kicked(&mut shared, now, Own::Asks);
            if let Some(running) = &mut running {
                shared.policy.charge(running.vcpu, self.lane, now.saturating_sub(running.since_ns), now);
                running.since_ns = now;
            }
            let current = running.map(|running| running.vcpu);
            let pick = shared.policy.pick(self.lane, current, now);
            let due = shared.policy.due(self.lane);
            self.ask_again(&mut shared, None, Own::Sleeps);
            drop(shared);
            if let Some(next) = pick.vcpu {
                // Before it is put on: a vCPU must not take its last timeslice's end for that of this one.
                self.tell_slice_end(next, pick.until_ns);
            }
            if pick.vcpu != current {
                if let Some(mut leaving) = running.take() {
                    leaving.due.leaves_ns = due.leaves_ns;
                    self.take_off(leaving, lane, pick.vcpu.is_some())?;
                }
                running = pick.vcpu.map(|vcpu| self.put_on(vcpu, due.comes_ns));
            }
            let timer_ns = self.next_timer_ns(&self.common.lock()).unwrap_or(u64::MAX);
            self.board.sleep(self.lane, rings, pick.until_ns.min(timer_ns));
            woke_own_ns = scheduling::own_time_ns();
            if let Some(running) = &mut running {
                running.own_ns.get_or_insert(woke_own_ns);
            }
        }
    }

    /// Tells a vCPU when the policy is asked again at the latest.
    fn tell_slice_end(&self, vcpu: usize, until_ns: u64) {
        // The two clocks are read together: what the policy took to decide would make the end seem later than it is.
        let left = ticks_left(until_ns.saturating_sub(monotonic_ns()), self.common.ticks_per_ns);
        self.common.vcpus[vcpu].tell_slice_end(lockbench_workloads::ticks().saturating_add(left));
    }

    fn stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// Takes note if the vCPU that runs has halted or yielded. It had when the scheduler woke: what the scheduler did since, after
    /// `woke_own_ns` of its own time, was not in the vCPU's stretch.
    fn note_given_up(
        &self,
        running: Option<Running>,
        woke_own_ns: u64,
        shared: &mut Shared,
        lane: &mut Lane,
        now: u64,
    ) -> Option<Running> {
        let running = running?;
        let vcpu = &self.common.vcpus[running.vcpu];
        let state = vcpu.state();
        if !state.gave_up() {
            return Some(running);
        }
        vcpu.note_given_up();
        if state == State::Halted {
            self.block((running, woke_own_ns), shared, lane, now);
        } else {
            self.end_in_yield((running, woke_own_ns), shared, lane, now);
            let ask = shared.policy.yielded(running.vcpu, self.lane, now);
            self.ask_again(shared, ask, Own::Asks);
        }
        None
    }

    /// Books the end of a stretch that ended in a yield, and in so much of the scheduler's own time.
    fn end_in_yield(&self, ended: (Running, u64), shared: &mut Shared, lane: &mut Lane, now: u64) {
        let (running, own_ns) = ended;
        let vcpu = &self.common.vcpus[running.vcpu];
        lane.stretches.push(stretch(running, own_ns, vcpu, vcpu.left_at(), End::Yield));
        shared.policy.charge(running.vcpu, self.lane, now.saturating_sub(running.since_ns), now);
    }

    /// Books the end of a stretch that ended in a halt, and in so much of the scheduler's own time.
    fn block(&self, ended: (Running, u64), shared: &mut Shared, lane: &mut Lane, now: u64) {
        let (running, own_ns) = ended;
        let vcpu = &self.common.vcpus[running.vcpu];
        lane.stretches.push(stretch(running, own_ns, vcpu, vcpu.left_at(), End::Halt));
        shared.policy.charge(running.vcpu, self.lane, now.saturating_sub(running.since_ns), now);
        shared.policy.blocked(running.vcpu, self.lane, now);
        shared.blocked[running.vcpu] = Some(self.lane);
        let ticks = lockbench_workloads::ticks();
        shared.timers_ns[running.vcpu] = vcpu.timer_ns(now, ticks, self.common.ticks_per_ns);
    }

    /// When the next timer of a vCPU goes off that halted on this pCPU.
    fn next_timer_ns(&self, shared: &Shared) -> Option<u64> {
        let here = shared.blocked.iter().zip(&shared.timers_ns).filter(|(lane, _)| **lane == Some(self.lane));
        here.filter_map(|(_, timer_ns)| *timer_ns).min()
    }

    /// Makes the vCPUs runnable that halted on this pCPU and were kicked since, by another vCPU or by a timer of their own.
    fn wake_kicked(&self, shared: &mut Shared, now: u64, own: Own) {
        for vcpu in 0..self.common.vcpus.len() {
            if shared.blocked[vcpu] != Some(self.lane) {
                continue;
            }
            if shared.timers_ns[vcpu].is_some_and(|timer_ns| timer_ns <= now) {
                self.common.vcpus[vcpu].ring();
            }
            if self.common.vcpus[vcpu].kicked() {
                shared.blocked[vcpu] = None;
                shared.timers_ns[vcpu] = None;
                let ask = shared.policy.wake(vcpu, now);
                self.ask_again(shared, ask, own);
            }
        }
    }

    /// Wakes the lanes of the pCPUs that should ask again.
    fn ask_again(&self, shared: &mut Shared, named: Option<usize>, own: Own) {
        for lane in shared.policy.others_to_ask().into_iter().chain(named) {
            if lane != self.lane || own == Own::Sleeps {
                self.board.ring(lane);
            }
        }
    }

    /// Pauses the vCPU that has the pCPU, which is handed over to another one or idles.
    fn take_off(&self, running: Running, lane: &mut Lane, handed_over: bool) -> Result<(), (usize, Lost)> {
        let vcpu = &self.common.vcpus[running.vcpu];
        let asked_at = lockbench_workloads::ticks();
        let state = vcpu.pause(&|| self.stopped()).map_err(|lost| (running.vcpu, lost))?;
        let (now, own_ns) = (monotonic_ns(), scheduling::own_time_ns());
        let mut shared = self.common.lock();
        if state == State::Halted {
            self.block((running, own_ns), &mut shared, lane, now);
            // A kick may have come before this lane was the one to be told.
            self.wake_kicked(&mut shared, now, Own::Sleeps);
            self.ask_again(&mut shared, None, Own::Sleeps);
        } else if state == State::Yielded {
            // Another vCPU was picked already.
            self.end_in_yield((running, own_ns), &mut shared, lane, now);
            let ask = shared.policy.left(running.vcpu, self.lane, now);
            self.ask_again(&mut shared, ask, Own::Sleeps);
        } else {
            let left_at = vcpu.left_at();
            let latency = left_at.saturating_sub(asked_at);
            let end = End::Paused { latency, handed_over };
            lane.stretches.push(stretch(running, own_ns, vcpu, left_at, end));
            shared.policy.charge(running.vcpu, self.lane, now.saturating_sub(running.since_ns), now);
            let ask = shared.policy.left(running.vcpu, self.lane, now);
            self.ask_again(&mut shared, ask, Own::Sleeps);
        }
        Ok(())
    }

    /// Gives the pCPU to a vCPU that is off.
    fn put_on(&self, vcpu: usize, comes_ns: Option<u64>) -> Running {
        self.common.vcpus[vcpu].put_on(self.lane, self.pcpu);
        let due = Due { comes_ns, leaves_ns: None };
        Running { vcpu, since_ns: monotonic_ns(), own_ns: None, due }
    }
}

/// The stretch of a vCPU that ends `to`, when the scheduler's own time is `own_ns`.
fn stretch(running: Running, own_ns: u64, vcpu: &Vcpu, to: u64, end: End) -> Stretch {
    let own_ns = running.own_ns.map_or(0, |woke_ns| own_ns.saturating_sub(woke_ns));
    // A halt or a yield comes when the vCPU wants it.
    let leaves_ns = running.due.leaves_ns.filter(|_| matches!(end, End::Paused { .. }));
    let due = Due { leaves_ns, ..running.due };
    Stretch { vcpu: running.vcpu as u32, from: vcpu.back_at(), to, end, due, own_ns }
}

/// So many nanoseconds in ticks; the largest number for a time that never comes.
fn ticks_left(ns: u64, ticks_per_ns: f64) -> u64 {
    // A float that is too large becomes the largest number.
    (ns as f64 * ticks_per_ns) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_timeslice_is_told_in_ticks_and_never_is_never() {
        assert_eq!(ticks_left(10_000_000, 2.5), 25_000_000);
        assert_eq!(ticks_left(0, 2.5), 0);
        assert_eq!(ticks_left(u64::MAX, 2.5), u64::MAX);
    }
}
