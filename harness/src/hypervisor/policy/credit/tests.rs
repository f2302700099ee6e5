//! The credit scheduler over virtual time.

use super::*;
use crate::hypervisor::policy::virtual_time::{DECISION_NS, Habit, Machine};

const MS: u64 = 1_000_000;
const RUN_NS: u64 = 10_000 * MS;
const SEEDS: std::ops::Range<u64> = 0..5;

fn params() -> CreditParams {
    CreditParams::with_timeslice(30 * MS)
}

/// Machines of two vCPUs each with these weights.
fn pairs(weights: &[u32]) -> Vec<VmShare> {
    let vm =
        |(index, &weight): (usize, &u32)| VmShare { weight, ..VmShare::usual([2 * index, 2 * index + 1]) };
    weights.iter().enumerate().map(vm).collect()
}

fn machine(vms: &[VmShare], habits: Vec<Habit>, pcpus: usize, seed: u64) -> Machine {
    let affinities = vec![Affinity::all(pcpus); habits.len()];
    Machine::new(Credit::new(params(), vms, affinities, pcpus), habits, pcpus, seed)
}

/// Percent of all pCPUs that each machine had.
fn shares(machine: &Machine, vms: &[VmShare], pcpus: usize) -> Vec<f64> {
    let share = |vm: &VmShare| vm.vcpus.iter().map(|&vcpu| machine.share(vcpu)).sum::<f64>();
    vms.iter().map(|vm| 100.0 * share(vm) / pcpus as f64).collect()
}

fn assert_within_3_points(shares: &[f64], expected: &[f64]) {
    let close = shares.iter().zip(expected).all(|(share, expected)| (share - expected).abs() < 3.0);
    assert!(close, "shares in percent: {shares:.1?}, not {expected:.1?}");
}

const BY_WEIGHT: [f64; 3] = [100.0 / 7.0, 200.0 / 7.0, 400.0 / 7.0];

#[test]
fn shares_of_vcpus_that_always_run_follow_the_weights() {
    let vms = pairs(&[256, 512, 1024]);
    for seed in SEEDS {
        let mut machine = machine(&vms, vec![Habit::Runs; 6], 2, seed);
        machine.run(RUN_NS);
        assert_within_3_points(&shares(&machine, &vms, 2), &BY_WEIGHT);
        assert!(machine.idled_in_vain_ns <= DECISION_NS, "{} ns", machine.idled_in_vain_ns);
    }
}

#[test]
fn shares_of_vcpus_that_halt_and_are_kicked_follow_the_weights() {
    let vms = pairs(&[256, 512, 1024]);
    for seed in SEEDS {
        let halts = Habit::Halts { runs_ns: 3 * MS, halts_ns: MS / 4 };
        let mut machine = machine(&vms, vec![halts; 6], 2, seed);
        machine.run(RUN_NS);
        assert_within_3_points(&shares(&machine, &vms, 2), &BY_WEIGHT);
        assert!(machine.idled_in_vain_ns <= DECISION_NS, "{} ns", machine.idled_in_vain_ns);
    }
}

#[test]
fn what_a_machine_leaves_is_shared_by_the_weights_of_the_others() {
    let vms = pairs(&[256, 512, 1024]);
    for seed in SEEDS {
        // The heaviest wants 20 % of each of its vCPUs.
        let seldom = Habit::Halts { runs_ns: MS, halts_ns: 4 * MS };
        let mut habits = vec![Habit::Runs; 4];
        habits.extend([seldom.clone(), seldom]);
        let mut machine = machine(&vms, habits, 2, seed);
        machine.run(RUN_NS);
        let shares = shares(&machine, &vms, 2);
        let rest = 100.0 - shares[2];
        assert!(shares[2] > 10.0, "{shares:.1?}");
        assert_within_3_points(&shares[..2], &[rest / 3.0, 2.0 * rest / 3.0]);
    }
}

#[test]
fn a_cap_holds_on_busy_and_on_idle_pcpus() {
    for (cap_percent, seed) in [25.0, 50.0, 100.0, 150.0].into_iter().zip(SEEDS) {
        for others in [0, 1] {
            let mut vms = pairs(&vec![256; 1 + others]);
            vms[0].cap_percent = Some(cap_percent);
            vms[0].weight = 4 * 256;
            let mut machine = machine(&vms, vec![Habit::Runs; 2 + 2 * others], 2, seed);
            machine.run(RUN_NS);
            // Percent of both pCPUs.
            let shares = shares(&machine, &vms, 2);
            assert_within_3_points(&shares[..1], &[cap_percent / 2.0]);
            if others > 0 {
                assert_within_3_points(&shares[1..], &[100.0 - cap_percent / 2.0]);
            }
        }
    }
}

#[test]
fn a_cap_holds_for_vcpus_that_halt() {
    for seed in SEEDS {
        let mut vms = pairs(&[256, 256]);
        vms[0].cap_percent = Some(60.0);
        let halts = Habit::Halts { runs_ns: 2 * MS, halts_ns: MS / 2 };
        let mut machine = machine(&vms, vec![halts; 4], 2, seed);
        machine.run(RUN_NS);
        assert_within_3_points(&shares(&machine, &vms, 2)[..1], &[30.0]);
    }
}

/// One pCPU, a vCPU that runs and one of another machine that was halted, after so much time.
fn one_and_a_sleeper(runs_ns: u64, after_ns: u64) -> Machine {
    let vms = [VmShare::usual([0]), VmShare::usual([1])];
    let mut machine = machine(&vms, vec![Habit::Runs, Habit::WaitsForKicks { runs_ns }], 1, 1);
    machine.run(after_ns);
    assert_eq!(machine.runs_on(0), Some(0));
    machine
}

#[test]
fn who_wakes_with_credit_preempts_within_the_timeslice() {
    let mut machine = one_and_a_sleeper(MS / 2, 15 * MS);
    machine.kick(1);
    machine.run(MS / 10);
    assert_eq!(machine.runs_on(0), Some(1), "it did not preempt");
    machine.run(MS);
    assert_eq!(machine.runs_on(0), Some(0), "it has halted again");
}

#[test]
fn who_wakes_does_not_preempt_before_the_rate_limit() {
    let mut machine = one_and_a_sleeper(MS / 2, 15 * MS);
    machine.kick(1);
    // Until the next period has given the sleeper credit.
    machine.run(40 * MS);
    machine.kick(1);
    // The one that runs came back when the sleeper halted.
    machine.run(MS);
    assert_eq!(machine.runs_on(0), Some(0));
    let back_ns = machine.schedule.last().unwrap().to_ns;
    machine.kick(1);
    machine.run(back_ns + MS - machine.now_ns);
    assert_eq!(machine.runs_on(0), Some(0), "it has run for less than 1 ms");
    machine.run(MS / 10);
    assert_eq!(machine.runs_on(0), Some(1));
}

#[test]
fn who_wakes_without_credit_waits_for_the_end_of_the_timeslice() {
    let vms =
        [VmShare { weight: 1, ..VmShare::usual([0]) }, VmShare { weight: 1_000, ..VmShare::usual([1]) }];
    let habits = vec![Habit::WaitsForKicks { runs_ns: 25 * MS }, Habit::Runs];
    let mut machine = machine(&vms, habits, 1, 1);
    machine.run(5 * MS);
    // It pays for 25 ms, and its weight earns it next to nothing.
    machine.kick(0);
    machine.run(100 * MS);
    assert!(machine.share(0) > 0.0);
    assert_eq!(machine.runs_on(0), Some(1));
    let ran = machine.share(0) * machine.now_ns as f64;
    machine.kick(0);
    machine.run(2 * MS);
    assert_eq!(machine.share(0) * machine.now_ns as f64, ran, "it has no credit, and ran nevertheless");
}

#[test]
fn a_boost_ends_when_it_was_used_for_10_ms() {
    // Two sleepers that do not halt soon, beside one that runs.
    let vms = [0, 1, 2].map(|vcpu| VmShare::usual([vcpu]));
    let long = Habit::WaitsForKicks { runs_ns: 50 * MS };
    let mut machine = machine(&vms, vec![Habit::Runs, long.clone(), long], 1, 1);
    machine.run(35 * MS);
    machine.kick(1);
    machine.run(2 * MS);
    assert_eq!(machine.runs_on(0), Some(1));
    machine.kick(2);
    machine.run(6 * MS);
    assert_eq!(machine.runs_on(0), Some(1), "one boosted vCPU does not preempt another");
    machine.run(4 * MS);
    assert_eq!(machine.runs_on(0), Some(2), "the first one's boost is over");
}

#[test]
fn no_pcpu_idles_while_a_vcpu_waits_that_may_run_there() {
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (pcpus, vcpus) = (random.usize(1..5), random.usize(1..10));
        let habit = |random: &mut fastrand::Rng| match random.u8(0..4) {
            0 => Habit::Runs,
            1 => Habit::Yields { runs_ns: random.u64(MS / 10..5 * MS) },
            _ => {
                Habit::Halts { runs_ns: random.u64(MS / 10..5 * MS), halts_ns: random.u64(MS / 10..10 * MS) }
            }
        };
        let habits: Vec<Habit> = (0..vcpus).map(|_| habit(&mut random)).collect();
        let vms: Vec<VmShare> = (0..vcpus)
            .map(|vcpu| VmShare { weight: random.u32(1..1_000), ..VmShare::usual([vcpu]) })
            .collect();
        let mut subset = |of: &[usize]| -> Vec<usize> {
            let some: Vec<usize> = of.iter().copied().filter(|_| random.bool()).collect();
            if some.is_empty() { of.to_vec() } else { some }
        };
        let all: Vec<usize> = (0..pcpus).collect();
        let affinities: Vec<Affinity> = (0..vcpus)
            .map(|_| {
                let hard = subset(&all);
                Affinity { soft: subset(&hard).into_iter().collect(), hard: hard.into_iter().collect() }
            })
            .collect();
        let hard: Vec<Vec<usize>> =
            affinities.iter().map(|affinity| affinity.hard.iter().copied().collect()).collect();
        let mut machine = Machine::new(Credit::new(params(), &vms, affinities, pcpus), habits, pcpus, seed);
        for (vcpu, pcpus) in hard.iter().enumerate() {
            machine.confine(vcpu, pcpus);
        }
        machine.run(RUN_NS / 10);
        assert!(machine.idled_in_vain_ns <= DECISION_NS, "seed {seed}: {} ns", machine.idled_in_vain_ns);
        assert!((0..vcpus).any(|vcpu| machine.share(vcpu) > 0.0), "seed {seed}: nobody ran");
    }
}

#[test]
fn a_vcpu_runs_where_it_likes_unless_all_of_that_is_busy() {
    // Each likes a pCPU of its own.
    let affinity = |soft: usize| Affinity { soft: [soft].into(), ..Affinity::all(2) };
    let vms = [VmShare::usual([0]), VmShare::usual([1])];
    let halts = Habit::Halts { runs_ns: MS, halts_ns: MS };
    for seed in SEEDS {
        let policy = Credit::new(params(), &vms, vec![affinity(1), affinity(0)], 2);
        let mut machine = Machine::new(policy, vec![halts.clone(), halts.clone()], 2, seed);
        machine.run(RUN_NS / 10);
        assert!(machine.schedule.iter().all(|stretch| stretch.pcpu == 1 - stretch.vcpu));
        // Both like the same: one goes to the other pCPU while it is busy.
        let policy = Credit::new(params(), &vms, vec![affinity(1), affinity(1)], 2);
        let mut machine = Machine::new(policy, vec![halts.clone(), halts.clone()], 2, seed);
        machine.run(RUN_NS / 10);
        let liked = machine.schedule.iter().filter(|stretch| stretch.pcpu == 1).count();
        assert!(liked > machine.schedule.len() / 2 && liked < machine.schedule.len());
        assert!(machine.idled_in_vain_ns <= DECISION_NS, "{} ns", machine.idled_in_vain_ns);
    }
}
