//! Threads on vCPUs over virtual time.

use super::*;
use crate::hypervisor::policy::virtual_time::{Habit, Machine, Stretch};
use crate::hypervisor::policy::{Affinity, Credit, CreditParams, Gang, RoundRobin, VmShare};

const MS: u64 = 1_000_000;
const SLICE_NS: u64 = 10 * MS;
const GUEST_NS: u64 = 4 * MS;
const RUNS: Habit = Habit::Runs;

/// Thread n belongs to vCPU n modulo `vcpus`, as in cells.
fn guests(policy: impl Policy + 'static, threads: usize, vcpus: usize, pcpus: usize) -> Guests {
    let vcpu_of = (0..threads).map(|thread| thread % vcpus).collect();
    Guests::new(Box::new(policy), vcpu_of, vec![GUEST_NS; vcpus], pcpus)
}

fn round_robin(vcpus: usize, pcpus: usize) -> RoundRobin {
    RoundRobin::floating(SLICE_NS, vcpus, pcpus)
}

fn wake_all(policy: &mut Guests, threads: usize) {
    for thread in 0..threads {
        policy.wake(thread, 0);
    }
}

/// A pick of this thread until then.
fn pick(thread: usize, until_ns: u64) -> Pick {
    Pick { vcpu: Some(thread), until_ns }
}

#[test]
fn threads_of_a_vcpu_take_turns_in_the_guests_timeslices_and_only_while_it_has_a_pcpu() {
    // vCPU 0 has the threads 0 and 2, vCPU 1 has 1 and 3.
    let mut policy = guests(round_robin(2, 1), 4, 2, 1);
    assert_eq!(
        (0..4).map(|thread| policy.wake(thread, 0)).collect::<Vec<_>>(),
        [Some(0), Some(0), None, None]
    );
    assert_eq!(policy.pick(0, None, 0), pick(0, 4 * MS));
    assert_eq!(policy.pick(0, Some(0), 4 * MS), pick(2, 8 * MS));
    assert_eq!(policy.left(0, 0, 4 * MS), None);
    assert_eq!(policy.pick(0, Some(2), 8 * MS), pick(0, 10 * MS), "here the hypervisor's timeslice ends");
    policy.left(2, 0, 8 * MS);
    assert_eq!(policy.pick(0, Some(0), 10 * MS), pick(1, 14 * MS), "the other vCPU");
    policy.left(0, 0, 10 * MS);
    assert_eq!(policy.pick(0, Some(1), 14 * MS), pick(3, 18 * MS));
    policy.left(1, 0, 14 * MS);
    assert_eq!(policy.pick(0, Some(3), 18 * MS), pick(1, 20 * MS));
    policy.left(3, 0, 18 * MS);
    // The timeslice of thread 0 ended at 12 ms, while its vCPU was off.
    assert_eq!(policy.pick(0, Some(1), 20 * MS), pick(2, 24 * MS));
}

#[test]
fn a_vcpu_goes_on_with_the_thread_that_it_was_taken_from_where_the_timeslice_has_not_ended() {
    let mut policy = Guests::new(Box::new(round_robin(2, 1)), vec![0, 0, 1], vec![25 * MS, MS], 1);
    wake_all(&mut policy, 3);
    assert_eq!(policy.pick(0, None, 0), pick(0, 10 * MS));
    assert_eq!(policy.pick(0, Some(0), 10 * MS), pick(2, 20 * MS), "a thread that is alone has no timer");
    policy.left(0, 0, 10 * MS);
    assert_eq!(policy.pick(0, Some(2), 20 * MS), pick(0, 25 * MS));
}

#[test]
fn a_thread_that_halts_lets_its_vcpu_run_the_next_and_a_vcpu_without_any_is_idle() {
    let mut policy = guests(round_robin(2, 1), 4, 2, 1);
    wake_all(&mut policy, 4);
    policy.pick(0, None, 0);
    policy.blocked(0, 0, MS);
    assert_eq!(policy.pick(0, None, MS), pick(2, 10 * MS), "a whole timeslice, and nobody to hand over to");
    policy.blocked(2, 0, 2 * MS);
    assert_eq!(policy.pick(0, None, 2 * MS).vcpu, Some(1), "the other vCPU");
    assert_eq!(policy.wake(2, 3 * MS), None, "the pCPU is busy");
    assert_eq!(policy.pick(0, Some(1), 12 * MS).vcpu, Some(2));
    policy.left(1, 0, 12 * MS);
    assert_eq!(policy.wake(0, 13 * MS), Some(0), "its pCPU has no timer for the guest's scheduler yet");
    assert_eq!(policy.pick(0, Some(2), 13 * MS), pick(2, 16 * MS));
}

#[test]
fn a_thread_that_halts_when_the_hypervisors_timeslice_ends_leaves_nobody_to_take_off() {
    let mut policy = guests(round_robin(2, 1), 4, 2, 1);
    wake_all(&mut policy, 4);
    policy.pick(0, None, 0);
    policy.blocked(0, 0, 11 * MS);
    assert_eq!(policy.pick(0, None, 11 * MS).vcpu, Some(1));
    assert_eq!(policy.pick(0, Some(1), 21 * MS).vcpu, Some(2), "vCPU 0 stood in line meanwhile");
}

#[test]
fn a_thread_that_halts_while_it_is_taken_off_by_either_scheduler_waits_for_its_kick() {
    let mut policy = guests(round_robin(2, 1), 4, 2, 1);
    wake_all(&mut policy, 4);
    policy.pick(0, None, 0);
    assert_eq!(policy.pick(0, Some(0), 4 * MS).vcpu, Some(2));
    policy.blocked(0, 0, 4 * MS);
    assert_eq!(policy.pick(0, Some(2), 8 * MS), pick(2, 10 * MS), "thread 0 has halted");
    assert_eq!(policy.pick(0, Some(2), 10 * MS).vcpu, Some(1));
    policy.blocked(2, 0, 10 * MS);
    assert_eq!(policy.pick(0, Some(1), 20 * MS).vcpu, Some(3), "vCPU 0 has nobody who wants to run");
    policy.left(1, 0, 20 * MS);
    assert_eq!(policy.pick(0, Some(3), 20 * MS + GUEST_NS).vcpu, Some(1));
    policy.left(3, 0, 20 * MS + GUEST_NS);
    policy.wake(0, 25 * MS);
    assert_eq!(policy.pick(0, Some(1), 40 * MS).vcpu, Some(0));
}

/// The stretches of the vCPUs: those of their threads that follow one another on a pCPU, put together.
fn of_vcpus(machine: &Machine, vcpus: usize) -> Vec<Stretch> {
    let mut all: Vec<Stretch> = machine.stretches();
    all.iter_mut().for_each(|one| one.vcpu %= vcpus);
    all.sort_by_key(|one| (one.pcpu, one.from_ns));
    all.dedup_by(|next, one| {
        let same = (next.pcpu, next.vcpu) == (one.pcpu, one.vcpu) && next.from_ns <= one.to_ns + MS / 10;
        if same {
            one.to_ns = next.to_ns;
        }
        same
    });
    all
}

#[test]
fn the_hypervisors_timeslices_stay_whole_and_threads_share_them() {
    let mut machine = Machine::new(guests(round_robin(2, 1), 4, 2, 1), vec![RUNS; 4], 1, 1);
    machine.run(2_000 * MS);
    let lengths: Vec<u64> = of_vcpus(&machine, 2).iter().map(|one| one.to_ns - one.from_ns).collect();
    let whole = |ns: &&u64| (*ns).abs_diff(SLICE_NS) < SLICE_NS / 100;
    // The first one and the last one may be shorter.
    assert!(lengths.iter().filter(whole).count() >= lengths.len() - 2 && lengths.len() > 190, "{lengths:?}");
    for thread in 0..4 {
        assert!((machine.share(thread) - 0.25).abs() < 0.01, "thread {thread}: {}", machine.share(thread));
    }
}

/// No two threads of a vCPU run at the same time.
fn assert_one_at_a_time(machine: &Machine, vcpus: usize) {
    for vcpu in 0..vcpus {
        let mut all = machine.stretches();
        all.retain(|one| one.vcpu % vcpus == vcpu);
        all.sort_by_key(|one| one.from_ns);
        for pair in all.windows(2) {
            assert!(pair[0].to_ns <= pair[1].from_ns, "vCPU {vcpu} runs two threads: {pair:?}");
        }
    }
}

#[test]
fn random_threads_over_every_policy_run_one_at_a_time_on_their_vcpu_and_nobody_is_lost() {
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (pcpus, vcpus) = (random.usize(1..4), random.usize(1..5));
        let threads = vcpus * random.usize(1..4);
        let habits: Vec<Habit> = (0..threads)
            .map(|_| match random.u8(0..5) {
                0 | 1 => RUNS,
                2 => Habit::Yields { runs_ns: random.u64(MS / 20..3 * MS) },
                _ => Habit::Halts {
                    runs_ns: random.u64(MS / 20..3 * MS),
                    halts_ns: random.u64(MS / 20..3 * MS),
                },
            })
            .collect();
        let shares = [VmShare::usual(0..vcpus)];
        let policy: Box<dyn Policy> = match seed % 4 {
            0 => Box::new(round_robin(vcpus, pcpus)),
            1 => Box::new(RoundRobin::pinned(SLICE_NS, (0..vcpus).map(|vcpu| vcpu % pcpus).collect(), pcpus)),
            2 => {
                let everywhere = vec![Affinity::all(pcpus); vcpus];
                Box::new(Credit::new(CreditParams::with_timeslice(SLICE_NS), &shares, everywhere, pcpus))
            }
            _ => Box::new(Gang::new(SLICE_NS, &shares, vcpus, pcpus)),
        };
        let vcpu_of = (0..threads).map(|thread| thread % vcpus).collect();
        let slices_ns = (0..vcpus).map(|_| random.u64(MS / 2..2 * SLICE_NS)).collect();
        let guests = Guests::new(policy, vcpu_of, slices_ns, pcpus);
        let mut machine = Machine::new(guests, habits, pcpus, seed);
        machine.run(3_000 * MS);
        assert_one_at_a_time(&machine, vcpus);
        for thread in 0..threads {
            // Of its vCPU's time a thread that is always runnable gets a turn as often as any other.
            let late = |one: &Stretch| one.vcpu == thread && one.to_ns > 2_500 * MS;
            assert!(machine.stretches().iter().any(late), "seed {seed}: thread {thread} is lost");
        }
    }
}

#[test]
fn vcpus_with_one_thread_each_are_scheduled_as_without_a_guest() {
    let habits = || vec![RUNS, RUNS, Habit::Halts { runs_ns: MS, halts_ns: MS }, RUNS, RUNS];
    let run = |mut machine: Machine| {
        machine.run(500 * MS);
        machine.schedule
    };
    let alone = run(Machine::new(round_robin(5, 2), habits(), 2, 7));
    let with_guest = run(Machine::new(guests(round_robin(5, 2), 5, 5, 2), habits(), 2, 7));
    assert_eq!(alone, with_guest);
}
