//! Policies: who runs on a pCPU, and for how long. One file each.
//!
//! A policy is a state machine without threads or clocks: its caller says what happened and when, so that every policy is
//! tested over virtual time. vCPUs and pCPUs are numbered from 0, over all virtual machines and pools.

use std::collections::BTreeSet;

use lockbench_reports::record::Moved;

mod credit;
mod gang;
mod guests;
mod pools;
mod replay;
mod round_robin;
mod timetable;
#[cfg(test)]
mod virtual_time;
mod vms;
#[cfg(test)]
mod yields;

pub(crate) use credit::{Credit, CreditParams};
pub(crate) use gang::Gang;
pub(crate) use guests::Guests;
pub(crate) use pools::{Planned, Pools};
pub(crate) use replay::Replay;
pub(crate) use round_robin::RoundRobin;
pub(crate) use timetable::{Timetable, Turn};
pub(crate) use vms::{Affinity, VmShare};

/// What is to happen on a pCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pick {
    /// Who is to run; none leaves the pCPU idle.
    pub(crate) vcpu: Option<usize>,
    /// When to ask again at the latest, unless something happens before; `u64::MAX` for never.
    pub(crate) until_ns: u64,
}

/// When what a pCPU was told last was due, by a policy that knows all instants in advance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// When the vCPU that leaves was to leave; none where no one leaves, or something else than the time made it leave.
    pub(crate) leaves_ns: Option<u64>,
    /// When the vCPU that comes was to come; none where no one comes, or something else than the time brought it.
    pub(crate) comes_ns: Option<u64>,
}

/// Decides who runs. A vCPU is in one of four places: blocked (as all are at first), runnable, running on a pCPU, or leaving
/// one.
pub(crate) trait Policy: Send {
    /// A blocked vCPU became runnable: it arrived, or it halted and was kicked. The answer is a pCPU that should ask again.
    fn wake(&mut self, vcpu: usize, now_ns: u64) -> Option<usize>;

    /// `vcpu` ran on `pcpu` for `ran_ns` since the last call for it.
    fn charge(&mut self, _vcpu: usize, _pcpu: usize, _ran_ns: u64, _now_ns: u64) {}

    /// Who is to run on `pcpu`, where `current` runs now. If that is another vCPU, `current` leaves: it becomes runnable by
    /// [`left`](Self::left) or blocked by [`blocked`](Self::blocked), and must not be picked before.
    fn pick(&mut self, pcpu: usize, current: Option<usize>, now_ns: u64) -> Pick;

    /// A vCPU that another was picked for is off `pcpu` now, and runnable. The answer is a pCPU that should ask again.
    fn left(&mut self, vcpu: usize, pcpu: usize, now_ns: u64) -> Option<usize>;

    /// A vCPU that ran on `pcpu` has given up what was left of its timeslice: it is off the pCPU, and runnable. The pCPU asks next,
    /// with nobody on it. The answer is a pCPU that should ask again.
    fn yielded(&mut self, vcpu: usize, pcpu: usize, now_ns: u64) -> Option<usize> {
        self.left(vcpu, pcpu, now_ns)
    }

    /// A vCPU that ran, or was leaving, has halted.
    fn blocked(&mut self, _vcpu: usize, _pcpu: usize, _now_ns: u64) {}

    /// Further pCPUs that should ask again because of what happened since this was asked last.
    fn others_to_ask(&mut self) -> Vec<usize> {
        Vec::new()
    }

    /// When what [`pick`](Self::pick) last said of `pcpu` was due; nothing for a policy that decides as things happen.
    fn due(&self, _pcpu: usize) -> Due {
        Due::default()
    }

    /// The window opens: the times of what was planned count from now.
    fn opened(&mut self, _now_ns: u64) {}

    /// What was planned and has happened so far.
    fn moved(&self) -> Vec<Moved> {
        Vec::new()
    }
}

/// A policy whose vCPUs and pCPUs come and go: the scheduler of a pool. At first it has none of either.
pub(crate) trait Pooled: Policy {
    /// From now on the pool has these pCPUs. A vCPU that runs on another one will be [evicted](Self::evict).
    fn serve(&mut self, pcpus: &BTreeSet<usize>, now_ns: u64);

    /// A vCPU that is blocked here comes into the pool.
    fn admit(&mut self, vcpu: usize, now_ns: u64);

    /// A vCPU of the pool, which is blocked or waits, is none of the pool's from now on.
    fn withdraw(&mut self, vcpu: usize, now_ns: u64);

    /// `vcpu` leaves `pcpu`, on which it runs, for one of the two goes to another pool: then comes `left` or `blocked`, as after a
    /// [`pick`](Policy::pick) of another vCPU.
    fn evict(&mut self, vcpu: usize, pcpu: usize, now_ns: u64);
}
