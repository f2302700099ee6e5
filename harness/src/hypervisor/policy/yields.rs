//! What every policy does with vCPUs that yield, over virtual time.

use super::virtual_time::{DECISION_NS, Habit, Machine};
use super::{Affinity, Credit, CreditParams, Gang, Guests, Policy, Replay, RoundRobin, Timetable, VmShare};

const MS: u64 = 1_000_000;
const SLICE_NS: u64 = 10 * MS;

/// How often the vCPUs came to a pCPU in so many slices, and how much of the time each ran.
fn ran(policy: Box<dyn Policy>, habits: Vec<Habit>, pcpus: usize) -> (Vec<usize>, Vec<f64>) {
    let vcpus = habits.len();
    let mut machine = Machine::boxed(policy, habits, pcpus, 1);
    machine.run(100 * SLICE_NS);
    let came = |vcpu| machine.schedule.iter().filter(|stretch| stretch.vcpu == vcpu).count();
    assert!(machine.idled_in_vain_ns <= 2 * DECISION_NS, "a pCPU idled for {} ns", machine.idled_in_vain_ns);
    ((0..vcpus).map(came).collect(), (0..vcpus).map(|vcpu| machine.share(vcpu)).collect())
}

/// Two vCPUs on a pCPU, of which one yields after about 100 us, and one runs.
fn yielder_and_runner() -> Vec<Habit> {
    vec![Habit::Yields { runs_ns: MS / 10 }, Habit::Runs]
}

#[test]
fn a_yield_gives_the_rest_of_the_timeslice_to_the_next_vcpu() {
    let all = || vec![Affinity::all(1); 2];
    let vms = [VmShare::usual(0..1), VmShare::usual(1..2)];
    let params = CreditParams::with_timeslice(SLICE_NS);
    let guests =
        Guests::new(Box::new(RoundRobin::pinned(SLICE_NS, vec![0], 1)), vec![0, 0], vec![SLICE_NS], 1);
    let policies: [(&str, Box<dyn Policy>); 3] = [
        ("round-robin", Box::new(RoundRobin::pinned(SLICE_NS, vec![0, 0], 1))),
        ("credit", Box::new(Credit::new(params, &vms, all(), 1))),
        ("guests", Box::new(guests)),
    ];
    for (name, policy) in policies {
        let (came, shares) = ran(policy, yielder_and_runner(), 1);
        assert!(
            shares[1] > 0.9 || name == "credit" && shares[1] > 0.5,
            "{name}: the one that runs had {shares:?}"
        );
        assert!(came[0] > 40, "{name}: the one that yields came {} times", came[0]);
    }
}

#[test]
fn vcpus_that_all_yield_take_turns_by_their_yields_and_one_alone_comes_back_at_once() {
    let habits = vec![Habit::Yields { runs_ns: MS / 10 }; 3];
    let (came, shares) = ran(Box::new(RoundRobin::pinned(SLICE_NS, vec![0, 0, 1], 2)), habits, 2);
    assert!(came.iter().all(|&came| came > 2_000), "{came:?}");
    assert!((shares[0] / shares[1] - 1.0).abs() < 0.1 && shares[2] > 0.7, "{shares:?}");
}

#[test]
fn a_member_of_a_gang_and_a_vcpu_of_a_timetable_keep_their_pcpus_when_they_yield() {
    let vms = [VmShare::usual(0..2), VmShare::usual(2..4)];
    let habits = || vec![Habit::Yields { runs_ns: MS / 10 }; 4];
    let turns =
        Timetable::made_by(&mut RoundRobin::pinned(SLICE_NS, vec![0, 1, 0, 1], 2), 4, 2, 40 * SLICE_NS);
    let policies: [(&str, Box<dyn Policy>); 2] =
        [("gang", Box::new(Gang::new(SLICE_NS, &vms, 4, 2))), ("replay", Box::new(Replay::new(turns, 4)))];
    for (name, policy) in policies {
        let mut machine = Machine::boxed(policy, habits(), 2, 1);
        machine.run(30 * SLICE_NS);
        let changes = |pcpu| {
            let of_pcpu: Vec<usize> =
                machine.schedule.iter().filter(|one| one.pcpu == pcpu).map(|one| one.vcpu).collect();
            (of_pcpu.len(), of_pcpu.windows(2).filter(|two| two[0] != two[1]).count())
        };
        for (stretches, changes) in [0, 1].map(changes) {
            assert!(stretches > 500 && (25..35).contains(&changes), "{name}: {stretches}, {changes} changes");
        }
    }
}
