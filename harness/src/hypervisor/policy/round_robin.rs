//! Round-robin: every runnable vCPU of a queue gets the pCPU for the same timeslice, in turn.

use std::collections::{BTreeSet, VecDeque};

use super::{Pick, Policy, Pooled};

/// Round-robin over one queue for each pCPU, or one for all.
pub(crate) struct RoundRobin {
    slice_ns: u64,
    /// The queue of each vCPU.
    home: Vec<usize>,
    queues: Vec<VecDeque<usize>>,
    /// The queue of each pCPU; none where the pCPU is in no pool, or in another one.
    served: Vec<Option<usize>>,
    /// When each pCPU's timeslice ends; none where it idles.
    ends_ns: Vec<Option<u64>>,
    /// Length of each pCPU's first timeslice, until that was given.
    first_ns: Vec<Option<u64>>,
    /// pCPUs that should ask again, besides those that answers name.
    to_ask: Vec<usize>,
}

impl RoundRobin {
    /// vCPU n stays on pCPU `home[n]`.
    pub(crate) fn pinned(slice_ns: u64, home: Vec<usize>, pcpus: usize) -> Self {
        let queues = vec![VecDeque::new(); pcpus];
        let served = (0..pcpus).map(Some).collect();
        Self::over(slice_ns, home, queues, served)
    }

    /// All vCPUs share all pCPUs.
    pub(crate) fn floating(slice_ns: u64, vcpus: usize, pcpus: usize) -> Self {
        let queues = vec![VecDeque::new()];
        Self::over(slice_ns, vec![0; vcpus], queues, vec![Some(0); pcpus])
    }

    /// All vCPUs of a pool share its pCPUs, of which it has none yet.
    pub(crate) fn pooled(slice_ns: u64, vcpus: usize, pcpus: usize) -> Self {
        Self::over(slice_ns, vec![0; vcpus], vec![VecDeque::new()], vec![None; pcpus])
    }

    fn over(
        slice_ns: u64,
        home: Vec<usize>,
        queues: Vec<VecDeque<usize>>,
        served: Vec<Option<usize>>,
    ) -> Self {
        let pcpus = served.len();
        let (ends_ns, first_ns) = (vec![None; pcpus], vec![None; pcpus]);
        Self { slice_ns, home, queues, served, ends_ns, first_ns, to_ask: Vec::new() }
    }

    /// Gives each pCPU a first timeslice of random length. pCPUs with the same number of vCPUs keep the phase in which they start
    /// for ever; on a machine that phase is an accident, and whether vCPUs of one virtual machine run at the same time hangs on
    /// it.
    pub(crate) fn out_of_phase(mut self, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        self.first_ns = self.first_ns.iter().map(|_| Some(random.u64(1..=self.slice_ns))).collect();
        self
    }

    fn enqueue(&mut self, vcpu: usize) -> Option<usize> {
        let queue = self.home[vcpu];
        self.queues[queue].push_back(vcpu);
        self.idle_one(queue)
    }

    /// A pCPU of the queue that idles.
    fn idle_one(&self, queue: usize) -> Option<usize> {
        let idle = |&pcpu: &usize| self.served[pcpu] == Some(queue) && self.ends_ns[pcpu].is_none();
        (0..self.served.len()).find(idle)
    }
}

impl Policy for RoundRobin {
    fn wake(&mut self, vcpu: usize, _: u64) -> Option<usize> {
        self.enqueue(vcpu)
    }

    fn pick(&mut self, pcpu: usize, current: Option<usize>, now_ns: u64) -> Pick {
        let ends = self.ends_ns[pcpu];
        if let (Some(_), Some(ends)) = (current, ends)
            && now_ns < ends
        {
            return Pick { vcpu: current, until_ns: ends };
        }
        let next = self.served[pcpu].and_then(|queue| self.queues[queue].pop_front());
        let Some(vcpu) = next.or(current) else {
            self.ends_ns[pcpu] = None;
            return Pick { vcpu: None, until_ns: u64::MAX };
        };
        // Timeslices follow one another without a gap, so that the time that a switch takes is nobody's gain; but a slice
        // that begins because a vCPU halted, or after a pause of the whole machine, is a whole one.
        let after = ends.filter(|_| current.is_some()).map(|ends| ends + self.slice_ns);
        let whole_ns = self.first_ns[pcpu].take().unwrap_or(self.slice_ns);
        let until_ns = after.filter(|end| *end > now_ns).unwrap_or(now_ns + whole_ns);
        self.ends_ns[pcpu] = Some(until_ns);
        // Several vCPUs may have come while this pCPU was the one that was told.
        if let Some(queue) = self.served[pcpu].filter(|queue| !self.queues[*queue].is_empty()) {
            self.to_ask.extend(self.idle_one(queue));
        }
        Pick { vcpu: Some(vcpu), until_ns }
    }

    fn left(&mut self, vcpu: usize, _: usize, _: u64) -> Option<usize> {
        self.enqueue(vcpu)
    }

    fn others_to_ask(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.to_ask)
    }
}

impl Pooled for RoundRobin {
    fn serve(&mut self, pcpus: &BTreeSet<usize>, _: u64) {
        for (pcpu, served) in self.served.iter_mut().enumerate() {
            *served = pcpus.contains(&pcpu).then_some(0);
        }
        // The pCPU that was told of a vCPU in line may be gone.
        for queue in (0..self.queues.len()).filter(|&queue| !self.queues[queue].is_empty()) {
            let idle = |&pcpu: &usize| self.served[pcpu] == Some(queue) && self.ends_ns[pcpu].is_none();
            self.to_ask.extend((0..self.served.len()).filter(idle));
        }
    }

    /// A vCPU that is blocked stands in no queue.
    fn admit(&mut self, _: usize, _: u64) {}

    fn withdraw(&mut self, vcpu: usize, _: u64) {
        self.queues[self.home[vcpu]].retain(|&waiting| waiting != vcpu);
    }

    fn evict(&mut self, _: usize, pcpu: usize, _: u64) {
        self.ends_ns[pcpu] = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLICE_NS: u64 = 1_000;

    #[test]
    fn every_vcpu_of_a_pcpu_gets_the_same_slices_in_turn() {
        let mut policy = RoundRobin::pinned(SLICE_NS, vec![0, 1, 0, 1, 0], 2);
        for vcpu in 0..5 {
            policy.wake(vcpu, 0);
        }
        let (mut now, mut current, mut ran) = (0, None, [0; 5]);
        for _ in 0..300 {
            let pick = policy.pick(0, current, now);
            if let Some(current) = current.filter(|&current| pick.vcpu != Some(current)) {
                // A switch takes time; slices still follow one another.
                policy.left(current, 0, now + 7);
            }
            ran[pick.vcpu.unwrap()] += pick.until_ns - now;
            (current, now) = (pick.vcpu, pick.until_ns);
        }
        assert_eq!(ran, [100 * SLICE_NS, 0, 100 * SLICE_NS, 0, 100 * SLICE_NS]);
    }

    #[test]
    fn a_halt_hands_the_pcpu_over_with_a_whole_slice_and_a_kick_makes_runnable() {
        let mut policy = RoundRobin::pinned(SLICE_NS, vec![0, 0], 1);
        assert_eq!(policy.wake(0, 0), Some(0), "the pCPU idles, so it should ask");
        assert_eq!(policy.pick(0, None, 0), Pick { vcpu: Some(0), until_ns: 1_000 });
        assert_eq!(policy.wake(1, 100), None, "the pCPU is busy");
        policy.blocked(0, 0, 300);
        assert_eq!(policy.pick(0, None, 300), Pick { vcpu: Some(1), until_ns: 1_300 });
        policy.blocked(1, 0, 400);
        assert_eq!(policy.pick(0, None, 400), Pick { vcpu: None, until_ns: u64::MAX });
        assert_eq!(policy.wake(0, 5_000), Some(0));
        assert_eq!(policy.pick(0, None, 5_000).vcpu, Some(0));
    }

    #[test]
    fn only_the_first_slice_of_a_pcpu_has_another_length_which_the_seed_decides() {
        let until = |seed| {
            let mut policy = RoundRobin::pinned(SLICE_NS, vec![0, 0], 1).out_of_phase(seed);
            policy.wake(0, 0);
            policy.wake(1, 0);
            let first = policy.pick(0, None, 0).until_ns;
            (first, policy.pick(0, Some(0), first).until_ns - first)
        };
        let all: Vec<_> = (1..20).map(until).collect();
        assert!(
            all.iter().all(|(first, second)| (1..=SLICE_NS).contains(first) && *second == SLICE_NS),
            "{all:?}"
        );
        assert!(all.iter().any(|one| *one != all[0]) && until(7) == until(7));
    }

    #[test]
    fn a_vcpu_that_is_alone_goes_on() {
        let mut policy = RoundRobin::floating(SLICE_NS, 1, 2);
        policy.wake(0, 0);
        let first = policy.pick(1, None, 0);
        assert_eq!(policy.pick(1, Some(0), first.until_ns).vcpu, Some(0));
        assert_eq!(policy.pick(0, None, 10).vcpu, None, "it runs elsewhere");
    }
}
