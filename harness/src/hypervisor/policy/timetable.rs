//! Timetables: who is to have each pCPU, from when to when, known in advance. One is made from the log of a window, or by a policy
//! for vCPUs that never halt.

use serde::{Deserialize, Serialize};

use super::Policy;

/// Who is to have each pCPU. After its end it begins anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Timetable {
    /// The turns of each pCPU, in order of time.
    lanes: Vec<Vec<Turn>>,
    length_ns: u64,
}

/// A time for which a vCPU is to have a pCPU, in nanoseconds since the timetable's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Turn {
    pub(crate) vcpu: usize,
    pub(crate) from_ns: u64,
    pub(crate) to_ns: u64,
}

impl Timetable {
    /// The timetable with these turns of each pCPU; none where they are not in order, or go beyond its length.
    pub(crate) fn new(lanes: Vec<Vec<Turn>>, length_ns: u64) -> Option<Self> {
        let timetable = Self { lanes, length_ns };
        timetable.is_sound().then_some(timetable)
    }

    /// Whether turns are in order and within its length. One that was read from a file may have anything in it.
    pub(crate) fn is_sound(&self) -> bool {
        let in_order = |turns: &Vec<Turn>| {
            let each = turns.iter().all(|turn| turn.from_ns < turn.to_ns && turn.to_ns <= self.length_ns);
            each && turns.windows(2).all(|pair| pair[0].to_ns <= pair[1].from_ns)
        };
        self.length_ns > 0 && self.lanes.iter().all(in_order)
    }

    /// What a policy makes of vCPUs that never halt.
    pub(crate) fn made_by(policy: &mut dyn Policy, vcpus: usize, pcpus: usize, length_ns: u64) -> Self {
        let mut making = Making { policy, lanes: vec![Lane::default(); pcpus] };
        for vcpu in 0..vcpus {
            // Every pCPU asks at first.
            let _ = making.policy.wake(vcpu, 0);
        }
        while let Some(now_ns) = making.lanes.iter().map(|lane| lane.asks_ns).min()
            && now_ns < length_ns
        {
            for pcpu in 0..pcpus {
                if making.lanes[pcpu].asks_ns == now_ns {
                    making.ask(pcpu, now_ns);
                }
            }
        }
        let lanes = making.lanes.into_iter().map(|mut lane| {
            lane.end_turn(length_ns);
            lane.turns
        });
        Self { lanes: lanes.collect(), length_ns }
    }

    /// How long it is.
    pub(crate) fn length_ns(&self) -> u64 {
        self.length_ns
    }

    /// How many pCPUs it has.
    pub(crate) fn pcpus(&self) -> usize {
        self.lanes.len()
    }

    /// The turns of each pCPU.
    pub(crate) fn lanes(&self) -> &[Vec<Turn>] {
        &self.lanes
    }

    /// The turn of a pCPU at an instant before its end, if there is one, and when that changes.
    pub(crate) fn at(&self, pcpu: usize, at_ns: u64) -> (Option<Turn>, u64) {
        let turns = &self.lanes[pcpu];
        let next = turns.partition_point(|turn| turn.to_ns <= at_ns);
        match turns.get(next) {
            Some(turn) if turn.from_ns <= at_ns => (Some(*turn), turn.to_ns),
            Some(turn) => (None, turn.from_ns),
            None => (None, self.length_ns),
        }
    }

    /// Whether the beginning of a turn is one of the timetable, not of the window that it was cut from.
    pub(crate) fn begins(&self, turn: &Turn) -> bool {
        turn.from_ns > 0
    }

    /// Whether the end of a turn is one of the timetable, not of the window that it was cut from.
    pub(crate) fn ends(&self, turn: &Turn) -> bool {
        turn.to_ns < self.length_ns
    }

    /// What identifies it: the FNV-1a hash of its length and its turns.
    pub(crate) fn hash(&self) -> u64 {
        let turns = self.lanes.iter().enumerate().flat_map(|(pcpu, turns)| {
            turns.iter().flat_map(move |turn| [pcpu as u64, turn.vcpu as u64, turn.from_ns, turn.to_ns])
        });
        let bytes =
            [self.length_ns, self.lanes.len() as u64].into_iter().chain(turns).flat_map(u64::to_le_bytes);
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    }
}

/// A timetable that is being made.
struct Making<'a> {
    policy: &'a mut dyn Policy,
    lanes: Vec<Lane>,
}

#[derive(Clone, Default)]
struct Lane {
    turns: Vec<Turn>,
    /// Who has the pCPU, since when, and until when that was paid.
    running: Option<(usize, u64, u64)>,
    asks_ns: u64,
}

impl Lane {
    fn end_turn(&mut self, now_ns: u64) {
        if let Some((vcpu, from_ns, _)) = self.running.take()
            && from_ns < now_ns
        {
            self.turns.push(Turn { vcpu, from_ns, to_ns: now_ns });
        }
    }
}

impl Making<'_> {
    fn ask(&mut self, pcpu: usize, now_ns: u64) {
        if let Some((vcpu, _, paid_ns)) = &mut self.lanes[pcpu].running {
            self.policy.charge(*vcpu, pcpu, now_ns - *paid_ns, now_ns);
            *paid_ns = now_ns;
        }
        let current = self.lanes[pcpu].running.map(|(vcpu, ..)| vcpu);
        let pick = self.policy.pick(pcpu, current, now_ns);
        self.lanes[pcpu].asks_ns = pick.until_ns.max(now_ns + 1);
        let mut named = None;
        if pick.vcpu != current {
            self.lanes[pcpu].end_turn(now_ns);
            if let Some(leaving) = current {
                named = self.policy.left(leaving, pcpu, now_ns);
            }
            self.lanes[pcpu].running = pick.vcpu.map(|vcpu| (vcpu, now_ns, now_ns));
        }
        // Whoever is told to ask does so a little later, so that time goes on whatever the policy says.
        for other in self.policy.others_to_ask().into_iter().chain(named) {
            let asks_ns = &mut self.lanes[other].asks_ns;
            *asks_ns = (*asks_ns).min(now_ns + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Affinity, Credit, CreditParams, Gang, RoundRobin, VmShare};
    use super::*;

    const MS: u64 = 1_000_000;

    fn vcpus(turns: &[Turn]) -> Vec<usize> {
        turns.iter().map(|turn| turn.vcpu).collect()
    }

    #[test]
    fn round_robin_makes_turns_of_a_slice_without_gaps() {
        let mut policy = RoundRobin::pinned(10 * MS, vec![0, 1, 0, 1], 2);
        let made = Timetable::made_by(&mut policy, 4, 2, 45 * MS);
        assert_eq!([0, 1].map(|pcpu| vcpus(&made.lanes[pcpu])), [[0, 2, 0, 2, 0], [1, 3, 1, 3, 1]]);
        assert_eq!(made.lanes[0][3], Turn { vcpu: 2, from_ns: 30 * MS, to_ns: 40 * MS });
        assert_eq!(made.lanes[0][4].to_ns, 45 * MS, "the last turn is cut");
        assert!(made.is_sound());
    }

    #[test]
    fn every_policy_makes_a_timetable_in_which_no_pcpu_idles_and_no_vcpu_runs_twice() {
        for pcpus in 1..4 {
            for vcpus in pcpus..9 {
                let all = VmShare::usual(0..vcpus);
                let params = CreditParams::with_timeslice(10 * MS);
                let policies: [(Box<dyn Policy>, usize); 3] = [
                    (Box::new(RoundRobin::floating(10 * MS, vcpus, pcpus)), vcpus),
                    (Box::new(Credit::new(params, &[all], vec![Affinity::all(pcpus); vcpus], pcpus)), vcpus),
                    // A gang that does not fill the pCPUs lets some idle.
                    (Box::new(Gang::new(10 * MS, &[VmShare::usual(0..pcpus)], pcpus, pcpus)), pcpus),
                ];
                for (mut policy, vcpus) in policies {
                    let made = Timetable::made_by(&mut *policy, vcpus, pcpus, 500 * MS);
                    assert!(made.is_sound());
                    let mut all: Vec<Turn> = made.lanes.concat();
                    let ran: u64 = all.iter().map(|turn| turn.to_ns - turn.from_ns).sum();
                    assert!(ran > 499 * MS * pcpus as u64, "{vcpus} on {pcpus}: {ran}");
                    all.sort_by_key(|turn| (turn.vcpu, turn.from_ns));
                    let twice = all
                        .windows(2)
                        .find(|two| two[0].vcpu == two[1].vcpu && two[0].to_ns > two[1].from_ns);
                    assert_eq!(twice, None);
                }
            }
        }
    }

    #[test]
    fn what_is_not_in_order_is_no_timetable() {
        let turn = |from_ns, to_ns| Turn { vcpu: 0, from_ns, to_ns };
        assert!(Timetable::new(vec![vec![turn(0, 5), turn(5, 9)], vec![]], 9).is_some());
        for (turns, length_ns) in
            [(vec![turn(0, 5), turn(4, 9)], 9), (vec![turn(5, 5)], 9), (vec![turn(0, 10)], 9), (vec![], 0)]
        {
            assert_eq!(Timetable::new(vec![turns], length_ns), None);
        }
    }

    #[test]
    fn a_hash_tells_timetables_apart() {
        let of = |vcpu, from_ns, length_ns| {
            Timetable::new(vec![vec![Turn { vcpu, from_ns, to_ns: 9 }]], length_ns).unwrap().hash()
        };
        let all = [of(0, 1, 9), of(1, 1, 9), of(0, 2, 9), of(0, 1, 10)];
        assert!((1..4).all(|other| all[0] != all[other]), "{all:?}");
        assert_eq!(of(0, 1, 9), all[0]);
    }
}
