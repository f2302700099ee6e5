//! A scheduler by credits, after Xen's first credit scheduler as it is publicly described.
//!
//! Credits are nanoseconds of a pCPU. Each accounting period hands out as many as the pCPUs have: to the virtual machines by
//! their weights, and inside a machine evenly to the vCPUs that were not blocked all the time. A vCPU pays as it runs. While
//! it has credit it is *under* its share, else *over*. One that wakes while under is *boosted*: it preempts vCPUs that are not
//! boosted, once they have run for the rate limit. Each pCPU has a queue, and runs the first of the most urgent in it; it
//! takes a vCPU from another queue where that one is more urgent, or where its own queue is empty.
//!
//! Two things differ from Xen. Every vCPU pays for exactly what it ran, not by samples. And what a vCPU cannot take, because it
//! has saved a timeslice already or its machine is at its cap, goes to the others instead of being lost, so that shares follow
//! the weights also where some machines sleep now and then.

mod accounts;
mod pooled;

use std::collections::BTreeSet;

use accounts::Accounts;

use super::vms::{Affinity, VmShare};
use super::{Pick, Policy};

/// What a credit scheduler can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CreditParams {
    /// How long a vCPU runs before others of its urgency have their turn.
    pub(crate) timeslice_ns: u64,
    /// How long a vCPU runs at least before one that wakes preempts it.
    pub(crate) ratelimit_ns: u64,
    /// How often credits are handed out, and caps begin anew.
    pub(crate) period_ns: u64,
    /// How much a vCPU runs after it woke until its boost is over.
    pub(crate) boost_ns: u64,
}

impl CreditParams {
    /// Xen's figures, with this timeslice.
    pub(crate) fn with_timeslice(timeslice_ns: u64) -> Self {
        Self {
            timeslice_ns,
            ratelimit_ns: timeslice_ns.min(1_000_000),
            period_ns: 30_000_000,
            boost_ns: 10_000_000,
        }
    }
}

/// How urgent a vCPU is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    Over,
    Under,
    Boosted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Blocked,
    /// Runnable, in line since so many had come.
    Waiting {
        since: u64,
    },
    Running,
    Leaving,
}

struct Vcpu {
    affinity: Affinity,
    place: Place,
    /// The pCPU whose queue it is in, or was last.
    home: usize,
    boosted: bool,
    /// How much it ran since it woke.
    awake_ns: u64,
}

#[derive(Clone, Default)]
struct Pcpu {
    running: Option<usize>,
    /// Since when.
    since_ns: u64,
    /// When its timeslice ends.
    ends_ns: u64,
    /// While the pCPU idles: for whom it was asked to look again.
    called_for: Option<usize>,
}

/// The credit scheduler of one pool of pCPUs.
pub(crate) struct Credit {
    params: CreditParams,
    accounts: Accounts,
    vcpus: Vec<Vcpu>,
    pcpus: Vec<Pcpu>,
    /// Which of them are the pool's.
    served: BTreeSet<usize>,
    /// How many ever came into a queue.
    came: u64,
    /// pCPUs that should ask again, besides those that answers name.
    to_ask: Vec<usize>,
}

impl Credit {
    /// Each vCPU belongs to one of `vms` and has an affinity to some of `pcpus` pCPUs.
    pub(crate) fn new(
        params: CreditParams,
        vms: &[VmShare],
        affinities: Vec<Affinity>,
        pcpus: usize,
    ) -> Self {
        let vcpus = affinities.into_iter().map(|affinity| Vcpu {
            home: affinity.soft.first().or(affinity.hard.first()).copied().unwrap_or(0),
            affinity,
            place: Place::Blocked,
            boosted: false,
            awake_ns: 0,
        });
        let vcpus: Vec<_> = vcpus.collect();
        let accounts = Accounts::new(params, vms, vcpus.len(), pcpus);
        Self {
            params,
            accounts,
            vcpus,
            pcpus: vec![Pcpu::default(); pcpus],
            served: (0..pcpus).collect(),
            came: 0,
            to_ask: Vec::new(),
        }
    }

    /// The pCPUs of the pool on which a vCPU may run.
    fn allowed(&self, vcpu: usize) -> impl Iterator<Item = usize> {
        self.vcpus[vcpu].affinity.hard.intersection(&self.served).copied()
    }

    /// Has a vCPU at home on a pCPU of the pool on which it may run.
    fn bring_home(&mut self, vcpu: usize) {
        let home = self.vcpus[vcpu].home;
        if self.allowed(vcpu).any(|pcpu| pcpu == home) {
            return;
        }
        let waits = |pcpu: usize| {
            let at = |other: &Vcpu| matches!(other.place, Place::Waiting { .. }) && other.home == pcpu;
            self.vcpus.iter().filter(|other| at(other)).count()
        };
        let affinity = &self.vcpus[vcpu].affinity;
        let best = self.allowed(vcpu).min_by_key(|&pcpu| (!affinity.soft.contains(&pcpu), waits(pcpu)));
        self.vcpus[vcpu].home = best.unwrap_or(home);
    }

    fn urgency(&self, vcpu: usize) -> Urgency {
        match (self.vcpus[vcpu].boosted, self.accounts.is_under(vcpu)) {
            (true, _) => Urgency::Boosted,
            (false, true) => Urgency::Under,
            (false, false) => Urgency::Over,
        }
    }

    /// Whether the cap of its virtual machine is used up in this period.
    fn is_spent(&self, vcpu: usize, now_ns: u64) -> bool {
        self.accounts.left_ns(vcpu, now_ns).is_some_and(|left| left <= 0.0)
    }

    fn waits_for(&self, pcpu: usize) -> impl Iterator<Item = (usize, u64)> {
        self.vcpus.iter().enumerate().filter_map(move |(vcpu, state)| match state.place {
            Place::Waiting { since }
                if self.served.contains(&pcpu) && state.affinity.hard.contains(&pcpu) =>
            {
                Some((vcpu, since))
            }
            _ => None,
        })
    }

    /// The most urgent that may run on `pcpu`; among equals those of its own queue, then those that like it, then who came first.
    fn best(&self, pcpu: usize, now_ns: u64) -> Option<usize> {
        let goes_elsewhere = |vcpu| {
            let mut others = self.pcpus.iter().enumerate().filter(|&(other, _)| other != pcpu);
            others.any(|(_, other)| other.called_for == Some(vcpu))
        };
        let waiting = self.waits_for(pcpu);
        let may_run = waiting.filter(|&(vcpu, _)| !self.is_spent(vcpu, now_ns) && !goes_elsewhere(vcpu));
        let best = may_run.max_by_key(|&(vcpu, since)| {
            let state = &self.vcpus[vcpu];
            let likes = state.affinity.soft.contains(&pcpu);
            (self.urgency(vcpu), state.home == pcpu, likes, std::cmp::Reverse(since))
        });
        best.map(|(vcpu, _)| vcpu)
    }

    /// Lets a runnable vCPU wait. The answer is a pCPU that should ask again.
    fn enqueue(&mut self, vcpu: usize, now_ns: u64) -> Option<usize> {
        self.came += 1;
        self.vcpus[vcpu].place = Place::Waiting { since: self.came };
        self.find_queue(vcpu, now_ns)
    }

    /// Puts a waiting vCPU into the queue of a pCPU that idles, or of one where it preempts, or else into that of its last one.
    fn find_queue(&mut self, vcpu: usize, now_ns: u64) -> Option<usize> {
        self.bring_home(vcpu);
        let home = self.vcpus[vcpu].home;
        let affinity = &self.vcpus[vcpu].affinity;
        let allowed: Vec<usize> = self.allowed(vcpu).collect();
        let idle = allowed.iter().copied().filter(|&pcpu| self.pcpus[pcpu].running.is_none());
        let idle = idle.max_by_key(|pcpu| {
            let called = self.pcpus[*pcpu].called_for.is_some();
            (!called, affinity.soft.contains(pcpu), *pcpu == home)
        });
        if let Some(idle) = idle {
            self.pcpus[idle].called_for.get_or_insert(vcpu);
            self.vcpus[vcpu].home = idle;
            return Some(idle);
        }
        let preempts = self.vcpus[vcpu].boosted;
        let victim = allowed.into_iter().filter(|_| preempts).max_by_key(|pcpu| {
            let runs = self.pcpus[*pcpu].running.map(|running| self.urgency(running));
            let contested = self.boosted_waits_at(*pcpu, now_ns);
            (!contested, std::cmp::Reverse(runs), affinity.soft.contains(pcpu), *pcpu == home)
        });
        self.vcpus[vcpu].home = victim.unwrap_or(home);
        victim
    }

    fn boosted_waits_at(&self, pcpu: usize, now_ns: u64) -> bool {
        self.waits_for(pcpu).any(|(vcpu, _)| {
            let state = &self.vcpus[vcpu];
            state.boosted && state.home == pcpu && !self.is_spent(vcpu, now_ns)
        })
    }

    /// Gives the pCPU to `vcpu`, with a whole timeslice.
    fn give(&mut self, pcpu: usize, vcpu: usize, now_ns: u64) -> Pick {
        for other in &mut self.pcpus {
            other.called_for = other.called_for.filter(|&called| called != vcpu);
        }
        let ends_ns = now_ns + self.params.timeslice_ns;
        let called_for = self.pcpus[pcpu].called_for.take();
        self.pcpus[pcpu] = Pcpu { running: Some(vcpu), since_ns: now_ns, ends_ns, called_for: None };
        self.vcpus[vcpu].place = Place::Running;
        self.vcpus[vcpu].home = pcpu;
        self.accounts.begins(vcpu, pcpu, now_ns);
        // The pCPU was called for another, who may have an idle pCPU elsewhere.
        if let Some(passed_over) = called_for {
            let ask = self.find_queue(passed_over, now_ns);
            self.to_ask.extend(ask.filter(|&ask| ask != pcpu));
        }
        self.go_on(pcpu, vcpu, now_ns)
    }

    /// Leaves the pCPU to the one who runs until something is due.
    fn go_on(&self, pcpu: usize, vcpu: usize, now_ns: u64) -> Pick {
        let state = &self.pcpus[pcpu];
        let mut until_ns = state.ends_ns;
        if self.boosted_waits_at(pcpu, now_ns) {
            let boost_left_ns = if self.vcpus[vcpu].boosted {
                self.params.boost_ns.saturating_sub(self.vcpus[vcpu].awake_ns)
            } else {
                0
            };
            let due_ns = (state.since_ns + self.params.ratelimit_ns).max(now_ns + boost_left_ns);
            until_ns = until_ns.min(due_ns);
        }
        if let Some(left_ns) = self.accounts.left_ns(vcpu, now_ns) {
            // Others of the machine may come to run meanwhile. What they use too much is taken off the next period.
            let part_ns = (left_ns / self.accounts.claimants(vcpu) as f64).ceil() as u64;
            let at_least_ns = (left_ns.ceil() as u64).min(self.params.ratelimit_ns);
            until_ns = until_ns.min(now_ns + part_ns.max(at_least_ns).max(1));
        }
        Pick { vcpu: Some(vcpu), until_ns }
    }

    fn idle(&mut self, pcpu: usize) -> Pick {
        self.pcpus[pcpu].running = None;
        // Whoever waits here is at the cap until the next period.
        let waits = self.waits_for(pcpu).next().is_some();
        Pick { vcpu: None, until_ns: if waits { self.accounts.next_ns() } else { u64::MAX } }
    }

    fn leave(&mut self, pcpu: usize, vcpu: usize) {
        self.accounts.ends(vcpu, pcpu);
        self.vcpus[vcpu].place = Place::Leaving;
        self.pcpus[pcpu].running = None;
    }
}

impl Policy for Credit {
    fn wake(&mut self, vcpu: usize, now_ns: u64) -> Option<usize> {
        self.accounts.settle(now_ns);
        self.accounts.wakes(vcpu);
        let boosted = self.accounts.is_under(vcpu) && !self.is_spent(vcpu, now_ns);
        (self.vcpus[vcpu].boosted, self.vcpus[vcpu].awake_ns) = (boosted, 0);
        self.enqueue(vcpu, now_ns)
    }

    fn charge(&mut self, vcpu: usize, pcpu: usize, ran_ns: u64, now_ns: u64) {
        self.accounts.settle(now_ns);
        self.accounts.pay(vcpu, pcpu, ran_ns, now_ns);
        let state = &mut self.vcpus[vcpu];
        state.awake_ns += ran_ns;
        state.boosted &= state.awake_ns < self.params.boost_ns;
    }

    fn pick(&mut self, pcpu: usize, current: Option<usize>, now_ns: u64) -> Pick {
        self.accounts.settle(now_ns);
        let best = self.best(pcpu, now_ns);
        let current_may_run = current.filter(|&current| !self.is_spent(current, now_ns));
        if let Some(current) = current_may_run {
            let (runs, state) = (self.urgency(current), &self.pcpus[pcpu]);
            let comes = best.map(|best| (self.urgency(best), self.vcpus[best].home == pcpu));
            let change = if now_ns >= state.ends_ns {
                comes.is_some_and(|(comes, own)| comes > runs || (comes == runs && own))
            } else {
                let limited = now_ns < state.since_ns + self.params.ratelimit_ns;
                runs < Urgency::Boosted && !limited && comes.is_some_and(|(c, _)| c == Urgency::Boosted)
            };
            if !change {
                if now_ns >= state.ends_ns {
                    self.pcpus[pcpu].ends_ns = now_ns + self.params.timeslice_ns;
                }
                return self.go_on(pcpu, current, now_ns);
            }
        }
        if let Some(current) = current {
            self.leave(pcpu, current);
        }
        match best {
            Some(best) => self.give(pcpu, best, now_ns),
            None => self.idle(pcpu),
        }
    }

    fn left(&mut self, vcpu: usize, _: usize, now_ns: u64) -> Option<usize> {
        self.accounts.settle(now_ns);
        // Only who wakes preempts another.
        self.vcpus[vcpu].boosted = false;
        self.enqueue(vcpu, now_ns)
    }

    fn yielded(&mut self, vcpu: usize, pcpu: usize, now_ns: u64) -> Option<usize> {
        self.leave(pcpu, vcpu);
        self.left(vcpu, pcpu, now_ns)
    }

    fn blocked(&mut self, vcpu: usize, pcpu: usize, _: u64) {
        self.accounts.ends(vcpu, pcpu);
        self.accounts.blocks(vcpu);
        self.vcpus[vcpu].place = Place::Blocked;
        if self.pcpus[pcpu].running == Some(vcpu) {
            self.pcpus[pcpu].running = None;
        }
    }

    fn others_to_ask(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.to_ask)
    }
}

#[cfg(test)]
mod tests;
