//! Pools of pCPUs: each has a scheduler of its own, which knows of no other pCPUs.
//!
//! A pCPU is in one pool or in none, where it idles; a virtual machine is in one pool, and may go to another one under load. The
//! scheduler of a pool takes the vCPUs of other pools for blocked ones. So a vCPU that goes to another pool blocks in the old
//! one and wakes in the new one. A vCPU that runs is taken off its pCPU in between, by the next decision there; if it halts
//! meanwhile it is blocked in the new pool, and its kick wakes it there.

use std::collections::{BTreeSet, VecDeque};

use lockbench_reports::record::{Layout, Moved, Pool};

use super::{Pick, Policy, Pooled};

/// Makes the scheduler of a pool.
type Make = Box<dyn Fn(&Pool) -> Box<dyn Pooled> + Send>;

/// A change that is to come.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// When, in nanoseconds since the window's opening.
    pub(crate) at_ns: u64,
    /// The pools after it.
    pub(crate) layout: Layout,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Blocked,
    Runnable,
    /// It has this pCPU, or is to get it.
    On(usize),
    /// It is being taken off.
    /// Picked to leave this pCPU.
    Leaving(usize),
}

struct Vcpu {
    vm: usize,
    /// The pool whose scheduler knows of it.
    pool: usize,
    place: Place,
}

/// A change that was taken up.
struct Begun {
    moved: Moved,
    /// Who still runs where it may not any more.
    waits_for: BTreeSet<usize>,
}

/// The pools of a machine.
pub(crate) struct Pools {
    layout: Layout,
    make: Make,
    schedulers: Vec<Box<dyn Pooled>>,
    vcpus: Vec<Vcpu>,
    pcpus: usize,
    planned: VecDeque<Planned>,
    /// When the window opened.
    opened_ns: Option<u64>,
    begun: Vec<Begun>,
    to_ask: Vec<usize>,
}

impl Pools {
    /// Each vCPU belongs to the virtual machine of that number, and there are so many pCPUs.
    pub(crate) fn new(layout: Layout, vm_of: Vec<usize>, pcpus: usize, make: Make) -> Self {
        let vcpus =
            vm_of.into_iter().map(|vm| Vcpu { vm, pool: layout.pool_of_vm(vm), place: Place::Blocked });
        let mut pools = Self {
            schedulers: Vec::new(),
            vcpus: vcpus.collect(),
            make,
            pcpus,
            planned: VecDeque::new(),
            opened_ns: None,
            begun: Vec::new(),
            to_ask: Vec::new(),
            layout,
        };
        pools.make_schedulers(0);
        for (vcpu, Vcpu { pool, .. }) in pools.vcpus.iter().enumerate() {
            pools.schedulers[*pool].admit(vcpu, 0);
        }
        pools
    }

    /// With these changes, in order of time, once the window is open.
    pub(crate) fn with_moves(mut self, planned: Vec<Planned>) -> Self {
        self.planned = planned.into();
        self
    }

    /// Makes the schedulers of pools that have none yet.
    fn make_schedulers(&mut self, now_ns: u64) {
        let known = self.schedulers.len();
        for (pool, wanted) in self.layout.pools().enumerate().skip(known) {
            let mut scheduler = (self.make)(wanted);
            scheduler.serve(&self.members(pool), now_ns);
            self.schedulers.push(scheduler);
        }
    }

    /// The pCPUs of a pool.
    fn members(&self, pool: usize) -> BTreeSet<usize> {
        self.layout.pcpus(pool).iter().map(|&pcpu| pcpu as usize).filter(|&pcpu| pcpu < self.pcpus).collect()
    }

    fn pool_of_pcpu(&self, pcpu: usize) -> Option<usize> {
        self.layout.pool_of_pcpu(u32::try_from(pcpu).ok()?)
    }

    /// The pool that a vCPU belongs to: its scheduler may not know of the vCPU yet.
    fn pool_of(&self, vcpu: usize) -> usize {
        self.layout.pool_of_vm(self.vcpus[vcpu].vm)
    }

    /// Whether a vCPU may not be on this pCPU.
    fn is_out_of_place(&self, vcpu: usize, pcpu: usize) -> bool {
        let pool = self.pool_of(vcpu);
        self.vcpus[vcpu].pool != pool || self.pool_of_pcpu(pcpu) != Some(pool)
    }

    /// Has the pools be as `next` says.
    pub(crate) fn change(&mut self, next: Layout, now_ns: u64) {
        let before = std::mem::replace(&mut self.layout, next);
        let known = self.schedulers.len();
        self.make_schedulers(now_ns);
        for pool in (0..known).filter(|&pool| before.pcpus(pool) != self.layout.pcpus(pool)) {
            let members = self.members(pool);
            self.schedulers[pool].serve(&members, now_ns);
        }
        // Also a pCPU that idles has somebody to ask now.
        let others =
            |&pcpu: &usize| before.pool_of_pcpu(pcpu as u32) != self.layout.pool_of_pcpu(pcpu as u32);
        let changed: Vec<usize> = (0..self.pcpus).filter(others).collect();
        self.to_ask.extend(changed);
        for vcpu in 0..self.vcpus.len() {
            match self.vcpus[vcpu].place {
                Place::Blocked => self.transfer(vcpu, now_ns),
                Place::Runnable if self.vcpus[vcpu].pool != self.pool_of(vcpu) => {
                    self.transfer(vcpu, now_ns);
                    self.wake_here(vcpu, now_ns);
                }
                Place::On(pcpu) if self.is_out_of_place(vcpu, pcpu) => self.to_ask.push(pcpu),
                Place::Runnable | Place::On(_) | Place::Leaving(_) => {}
            }
        }
        let since_ns = self.since_opening_ns(now_ns);
        let on = |vcpu: &usize| match self.vcpus[*vcpu].place {
            Place::On(pcpu) | Place::Leaving(pcpu) => self.is_out_of_place(*vcpu, pcpu),
            Place::Blocked | Place::Runnable => false,
        };
        let waits_for: BTreeSet<usize> = (0..self.vcpus.len()).filter(on).collect();
        let done_ns = waits_for.is_empty().then_some(since_ns);
        self.begun.push(Begun { moved: Moved { asked_ns: since_ns, done_ns }, waits_for });
    }

    /// Makes the changes that are due.
    fn keep_to_the_plan(&mut self, now_ns: u64) {
        while self.next_ns().is_some_and(|due_ns| due_ns <= now_ns)
            && let Some(planned) = self.planned.pop_front()
        {
            self.change(planned.layout, now_ns);
        }
    }

    /// When the next change is due.
    fn next_ns(&self) -> Option<u64> {
        Some(self.opened_ns? + self.planned.front()?.at_ns)
    }

    /// A vCPU that is on no pCPU goes to the scheduler of its pool, where it is blocked at first.
    fn transfer(&mut self, vcpu: usize, now_ns: u64) {
        let (from, to) = (self.vcpus[vcpu].pool, self.pool_of(vcpu));
        if from != to {
            self.schedulers[from].withdraw(vcpu, now_ns);
            self.schedulers[to].admit(vcpu, now_ns);
            self.vcpus[vcpu].pool = to;
        }
    }

    /// Wakes a vCPU in its pool, whose scheduler knows of it.
    fn wake_here(&mut self, vcpu: usize, now_ns: u64) {
        self.vcpus[vcpu].place = Place::Runnable;
        let ask = self.schedulers[self.vcpus[vcpu].pool].wake(vcpu, now_ns);
        self.to_ask.extend(ask);
    }

    /// Time since the window opened. A caller may have read the clock before another one opened the window.
    fn since_opening_ns(&self, now_ns: u64) -> u64 {
        now_ns.saturating_sub(self.opened_ns.unwrap_or(now_ns))
    }

    /// A vCPU is off its pCPU.
    fn is_off(&mut self, vcpu: usize, now_ns: u64) {
        let since_ns = self.since_opening_ns(now_ns);
        for begun in &mut self.begun {
            if begun.waits_for.remove(&vcpu) && begun.waits_for.is_empty() {
                begun.moved.done_ns = Some(since_ns.max(begun.moved.asked_ns));
            }
        }
    }

    /// A vCPU is off its pCPU, and runnable. Returns its pool, whose scheduler is to be told; none where the vCPU belongs to another
    /// pool by now, whose scheduler was told.
    fn stays_runnable(&mut self, vcpu: usize, pcpu: usize, now_ns: u64) -> Option<usize> {
        self.keep_to_the_plan(now_ns);
        self.is_off(vcpu, now_ns);
        let (from, to) = (self.vcpus[vcpu].pool, self.pool_of(vcpu));
        self.vcpus[vcpu].place = Place::Runnable;
        if from == to {
            return Some(from);
        }
        self.schedulers[from].blocked(vcpu, pcpu, now_ns);
        self.transfer(vcpu, now_ns);
        self.wake_here(vcpu, now_ns);
        None
    }
}

impl Policy for Pools {
    fn wake(&mut self, vcpu: usize, now_ns: u64) -> Option<usize> {
        self.keep_to_the_plan(now_ns);
        self.wake_here(vcpu, now_ns);
        None
    }

    fn charge(&mut self, vcpu: usize, pcpu: usize, ran_ns: u64, now_ns: u64) {
        self.schedulers[self.vcpus[vcpu].pool].charge(vcpu, pcpu, ran_ns, now_ns);
    }

    fn pick(&mut self, pcpu: usize, current: Option<usize>, now_ns: u64) -> Pick {
        self.keep_to_the_plan(now_ns);
        let mut stays = current;
        if let Some(current) = current.filter(|&current| self.is_out_of_place(current, pcpu)) {
            self.schedulers[self.vcpus[current].pool].evict(current, pcpu, now_ns);
            stays = None;
        }
        let mut pick = match self.pool_of_pcpu(pcpu) {
            Some(pool) => self.schedulers[pool].pick(pcpu, stays, now_ns),
            None => Pick { vcpu: None, until_ns: u64::MAX },
        };
        if let Some(current) = current.filter(|&current| pick.vcpu != Some(current)) {
            self.vcpus[current].place = Place::Leaving(pcpu);
        }
        if let Some(vcpu) = pick.vcpu {
            self.vcpus[vcpu].place = Place::On(pcpu);
        }
        // One pCPU keeps the time for all.
        if let Some(due_ns) = self.next_ns().filter(|_| pcpu == 0) {
            pick.until_ns = pick.until_ns.min(due_ns);
        }
        pick
    }

    fn left(&mut self, vcpu: usize, pcpu: usize, now_ns: u64) -> Option<usize> {
        let pool = self.stays_runnable(vcpu, pcpu, now_ns)?;
        self.schedulers[pool].left(vcpu, pcpu, now_ns)
    }

    fn yielded(&mut self, vcpu: usize, pcpu: usize, now_ns: u64) -> Option<usize> {
        let pool = self.stays_runnable(vcpu, pcpu, now_ns)?;
        self.schedulers[pool].yielded(vcpu, pcpu, now_ns)
    }

    fn blocked(&mut self, vcpu: usize, pcpu: usize, now_ns: u64) {
        self.keep_to_the_plan(now_ns);
        self.is_off(vcpu, now_ns);
        self.vcpus[vcpu].place = Place::Blocked;
        self.schedulers[self.vcpus[vcpu].pool].blocked(vcpu, pcpu, now_ns);
        self.transfer(vcpu, now_ns);
    }

    fn others_to_ask(&mut self) -> Vec<usize> {
        let mut all = std::mem::take(&mut self.to_ask);
        all.extend(self.schedulers.iter_mut().flat_map(|scheduler| scheduler.others_to_ask()));
        all.sort_unstable();
        all.dedup();
        all
    }

    fn opened(&mut self, now_ns: u64) {
        self.opened_ns = Some(now_ns);
        // The pCPU that keeps the time asks until when it may sleep.
        self.to_ask.push(0);
    }

    fn moved(&self) -> Vec<Moved> {
        self.begun.iter().map(|begun| begun.moved).collect()
    }
}

#[cfg(test)]
mod tests;
