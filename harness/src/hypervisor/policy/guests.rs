//! Guests with schedulers of their own: threads on vCPUs, over a policy that runs the vCPUs on pCPUs.
//!
//! A guest's scheduler is a round-robin over the threads of one vCPU. It knows no hypervisor: its clock goes on while the vCPU
//! is off its pCPU, and a timeslice that ended meanwhile ends when the vCPU comes back, as a timer interrupt that had to wait. It
//! switches only while its vCPU has a pCPU. A thread that halts hands the vCPU to the next thread; a vCPU all of whose threads have
//! halted is halted itself. A thread that yields hands the vCPU to the next thread, and goes on where there is none. The policy
//! beneath sees vCPUs alone.
//!
//! To the callers of this policy a thread is what a vCPU is to those of others.

use std::collections::VecDeque;

use lockbench_reports::record::Moved;

use super::{Pick, Policy};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// All of its threads have halted.
    Blocked,
    Runnable,
    /// It has this pCPU, or is to get it.
    On(usize),
    /// It is being taken off.
    Leaving,
}

/// A vCPU and the threads that its guest runs on it.
struct Vcpu {
    slice_ns: u64,
    place: Place,
    /// The thread whose turn it is, also while the vCPU is off.
    current: Option<usize>,
    /// When that thread's timeslice ends.
    ends_ns: u64,
    /// The other threads that want to run, in the order of their turns.
    ready: VecDeque<usize>,
}

/// The thread whose turn it is.
struct Turn {
    thread: usize,
    /// When the guest's scheduler wants to switch; none where no other thread waits.
    until_ns: Option<u64>,
}

impl Vcpu {
    /// Whose turn it is now. A thread that still runs waits again when it has left.
    fn turn(&mut self, running: Option<usize>, now_ns: u64) -> Option<Turn> {
        let mut leaves = false;
        if let Some(current) = self.current.filter(|_| now_ns >= self.ends_ns) {
            if self.ready.is_empty() {
                // Nobody else has a turn: its timeslices follow one another.
                self.ends_ns += self.slice_ns * (1 + (now_ns - self.ends_ns) / self.slice_ns);
            } else {
                leaves = running == Some(current);
                if !leaves {
                    self.ready.push_back(current);
                }
                self.current = None;
            }
        }
        let thread = match self.current {
            Some(current) => current,
            None => {
                let next = self.ready.pop_front()?;
                self.ends_ns = now_ns + self.slice_ns;
                *self.current.insert(next)
            }
        };
        let until_ns = (leaves || !self.ready.is_empty()).then_some(self.ends_ns);
        Some(Turn { thread, until_ns })
    }
}

/// Threads on vCPUs.
pub(crate) struct Guests {
    /// Who runs the vCPUs.
    policy: Box<dyn Policy>,
    /// The vCPU of each thread.
    vcpu_of: Vec<usize>,
    vcpus: Vec<Vcpu>,
    /// The vCPU that has each pCPU, or is to get it.
    on: Vec<Option<usize>>,
    to_ask: Vec<usize>,
}

impl Guests {
    /// Each thread belongs to the vCPU of that number. `slices_ns` has the timeslice that each vCPU's guest gives its threads.
    pub(crate) fn new(
        policy: Box<dyn Policy>,
        vcpu_of: Vec<usize>,
        slices_ns: Vec<u64>,
        pcpus: usize,
    ) -> Self {
        let vcpu = |slice_ns| Vcpu {
            slice_ns,
            place: Place::Blocked,
            current: None,
            ends_ns: 0,
            ready: VecDeque::new(),
        };
        let vcpus = slices_ns.into_iter().map(vcpu).collect();
        Self { policy, vcpu_of, vcpus, on: vec![None; pcpus], to_ask: Vec::new() }
    }

    /// A vCPU with a thread that wants to run is off its pCPU.
    fn is_off(&mut self, vcpu: usize, pcpu: usize, now_ns: u64) -> Option<usize> {
        self.vcpus[vcpu].place = Place::Runnable;
        self.policy.left(vcpu, pcpu, now_ns)
    }
}

impl Policy for Guests {
    fn wake(&mut self, thread: usize, now_ns: u64) -> Option<usize> {
        let number = self.vcpu_of[thread];
        let vcpu = &mut self.vcpus[number];
        vcpu.ready.push_back(thread);
        match vcpu.place {
            Place::Blocked => {
                vcpu.place = Place::Runnable;
                self.policy.wake(number, now_ns)
            }
            // The thread that runs had nobody to hand over to, so that its pCPU has no timer.
            Place::On(pcpu) if vcpu.ready.len() == 1 => Some(pcpu),
            Place::Runnable | Place::On(_) | Place::Leaving => None,
        }
    }

    fn charge(&mut self, thread: usize, pcpu: usize, ran_ns: u64, now_ns: u64) {
        self.policy.charge(self.vcpu_of[thread], pcpu, ran_ns, now_ns);
    }

    fn pick(&mut self, pcpu: usize, current: Option<usize>, now_ns: u64) -> Pick {
        let before = self.on[pcpu];
        let Pick { vcpu, until_ns } = self.policy.pick(pcpu, before, now_ns);
        self.on[pcpu] = vcpu;
        if let Some(leaving) = before.filter(|_| vcpu != before) {
            if current.is_some() {
                self.vcpus[leaving].place = Place::Leaving;
            } else {
                // Its thread has halted and no other one came yet, so nobody has to be taken off.
                let ask = self.is_off(leaving, pcpu, now_ns);
                self.to_ask.extend(ask);
            }
        }
        let Some(vcpu) = vcpu else { return Pick { vcpu: None, until_ns } };
        let vcpu = &mut self.vcpus[vcpu];
        vcpu.place = Place::On(pcpu);
        match vcpu.turn(current, now_ns) {
            Some(turn) => Pick {
                vcpu: Some(turn.thread),
                until_ns: turn.until_ns.map_or(until_ns, |ends_ns| until_ns.min(ends_ns)),
            },
            None => unreachable!("a vCPU without a thread that wants to run is blocked"),
        }
    }

    fn left(&mut self, thread: usize, pcpu: usize, now_ns: u64) -> Option<usize> {
        let number = self.vcpu_of[thread];
        let vcpu = &mut self.vcpus[number];
        if vcpu.current != Some(thread) {
            // The guest's scheduler took it off.
            vcpu.ready.push_back(thread);
            return None;
        }
        self.is_off(number, pcpu, now_ns)
    }

    fn yielded(&mut self, thread: usize, _: usize, _: u64) -> Option<usize> {
        let vcpu = &mut self.vcpus[self.vcpu_of[thread]];
        vcpu.ready.push_back(thread);
        vcpu.current = None;
        None
    }

    fn blocked(&mut self, thread: usize, pcpu: usize, now_ns: u64) {
        let number = self.vcpu_of[thread];
        let vcpu = &mut self.vcpus[number];
        if vcpu.current != Some(thread) {
            // It halted while the guest's scheduler took it off.
            return;
        }
        vcpu.current = None;
        match (vcpu.ready.is_empty(), vcpu.place) {
            (true, place) => {
                vcpu.place = Place::Blocked;
                if place == Place::On(pcpu) {
                    self.on[pcpu] = None;
                }
                self.policy.blocked(number, pcpu, now_ns);
            }
            (false, Place::Leaving) => {
                let ask = self.is_off(number, pcpu, now_ns);
                self.to_ask.extend(ask);
            }
            // The pCPU, which asks next, gets the next thread.
            (false, _) => {}
        }
    }

    fn others_to_ask(&mut self) -> Vec<usize> {
        let mut all = std::mem::take(&mut self.to_ask);
        all.extend(self.policy.others_to_ask());
        all
    }

    fn opened(&mut self, now_ns: u64) {
        self.policy.opened(now_ns);
    }

    fn moved(&self) -> Vec<Moved> {
        self.policy.moved()
    }
}

#[cfg(test)]
mod tests;
