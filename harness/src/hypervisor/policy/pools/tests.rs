//! Pools over virtual time.

use std::sync::{Arc, Mutex};

use lockbench_reports::record::{Case, Change, Scheduler, USUAL_WEIGHT, Vm};

use super::*;
use crate::hypervisor::policy::virtual_time::{DECISION_NS, Habit, Machine, Stretch};
use crate::hypervisor::policy::{Affinity, Credit, CreditParams, Gang, RoundRobin, VmShare};

const MS: u64 = 1_000_000;
const SLICE_NS: u64 = 10 * MS;
const RUNS: Habit = Habit::Runs;

/// Pools that a test changes while a machine runs on them.
#[derive(Clone)]
struct Shared(Arc<Mutex<Pools>>);

impl Shared {
    fn with<T>(&self, look: impl FnOnce(&mut Pools) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }
}

impl Policy for Shared {
    fn wake(&mut self, vcpu: usize, now_ns: u64) -> Option<usize> {
        self.with(|pools| pools.wake(vcpu, now_ns))
    }
    fn charge(&mut self, vcpu: usize, pcpu: usize, ran_ns: u64, now_ns: u64) {
        self.with(|pools| pools.charge(vcpu, pcpu, ran_ns, now_ns));
    }
    fn pick(&mut self, pcpu: usize, current: Option<usize>, now_ns: u64) -> Pick {
        self.with(|pools| pools.pick(pcpu, current, now_ns))
    }
    fn left(&mut self, vcpu: usize, pcpu: usize, now_ns: u64) -> Option<usize> {
        self.with(|pools| pools.left(vcpu, pcpu, now_ns))
    }
    fn yielded(&mut self, vcpu: usize, pcpu: usize, now_ns: u64) -> Option<usize> {
        self.with(|pools| pools.yielded(vcpu, pcpu, now_ns))
    }
    fn blocked(&mut self, vcpu: usize, pcpu: usize, now_ns: u64) {
        self.with(|pools| pools.blocked(vcpu, pcpu, now_ns));
    }
    fn others_to_ask(&mut self) -> Vec<usize> {
        self.with(Policy::others_to_ask)
    }
}

fn pool(name: &str, pcpus: &[u32], scheduler: Scheduler) -> Pool {
    Pool { name: name.into(), pcpus: pcpus.to_vec(), scheduler: Some(scheduler), slice_ns: Some(SLICE_NS) }
}

fn vm(name: &str, vcpus: u32, pool: &str) -> Vm {
    Vm { pool: Some(pool.into()), ..Vm::usual(name, vcpus) }
}

fn weighs(weight: u32, vm: Vm) -> Vm {
    Vm { weight, ..vm }
}

fn to(vm: &str, pool: &str) -> Change {
    Change::Vm { name: vm.into(), pool: pool.into() }
}

fn pcpu(number: u32, pool: Option<&str>) -> Change {
    Change::Pcpu { number, pool: pool.map(Into::into) }
}

/// A machine under test.
struct Test {
    machine: Machine,
    pools: Shared,
    vms: Vec<Vm>,
}

impl Test {
    fn new(pools: Vec<Pool>, vms: Vec<Vm>, habits: Vec<Habit>, pcpus: usize, seed: u64) -> Self {
        let case = Case { pools, vms: vms.clone(), ..Case::default() };
        let layout = Layout::of(&case).unwrap().unwrap();
        let vm_of: Vec<usize> =
            vms.iter().enumerate().flat_map(|(vm, of)| std::iter::repeat_n(vm, of.vcpus as usize)).collect();
        let of = |vm: usize| (0..vm_of.len()).filter(|&vcpu| vm_of[vcpu] == vm).collect();
        let share = |(index, vm): (usize, &Vm)| VmShare {
            vcpus: of(index),
            weight: vm.weight,
            cap_percent: vm.cap_pcpus.map(|pcpus| 100.0 * pcpus),
        };
        let shares: Vec<VmShare> = vms.iter().enumerate().map(share).collect();
        let vcpus = habits.len();
        let make = move |pool: &Pool| -> Box<dyn Pooled> {
            let slice_ns = pool.slice_ns.unwrap();
            match pool.scheduler.as_ref().unwrap() {
                Scheduler::RoundRobin => Box::new(RoundRobin::pooled(slice_ns, vcpus, pcpus)),
                Scheduler::Gang => Box::new(Gang::pooled(slice_ns, &shares, vcpus, pcpus)),
                _ => {
                    let affinities = vec![Affinity::all(pcpus); vcpus];
                    let params = CreditParams::with_timeslice(slice_ns);
                    Box::new(Credit::pooled(params, &shares, affinities, pcpus))
                }
            }
        };
        let mut pools = Pools::new(layout, vm_of, pcpus, Box::new(make));
        pools.opened(0);
        let pools = Shared(Arc::new(Mutex::new(pools)));
        let mut machine = Machine::new(pools.clone(), habits, pcpus, seed);
        let known = pools.clone();
        machine.forbid(move |vcpu, pcpu| {
            let pools = known.0.try_lock();
            // The machine asks only between calls of the policy.
            pools.unwrap().is_out_of_place(vcpu, pcpu)
        });
        Self { machine, pools, vms }
    }

    /// Makes a change now, or says why it cannot be made.
    fn change(&mut self, change: &Change) -> Result<(), String> {
        let now_ns = self.machine.now_ns;
        let made = self.pools.with(|pools| {
            let mut next = pools.layout.clone();
            next.change(change)?;
            pools.change(next, now_ns);
            Ok(())
        });
        self.machine.told();
        made
    }

    fn vcpus(&self, vm: &str) -> std::ops::Range<usize> {
        let at = self.vms.iter().position(|one| one.name == vm).unwrap();
        let first = self.vms[..at].iter().map(|vm| vm.vcpus as usize).sum();
        first..first + self.vms[at].vcpus as usize
    }

    /// Time that a machine had between two moments, as a fraction of one pCPU.
    fn share(&self, vm: &str, from_ns: u64, to_ns: u64) -> f64 {
        let vcpus = self.vcpus(vm);
        let all = self.machine.stretches();
        let of = all.iter().filter(|stretch| vcpus.contains(&stretch.vcpu));
        let ns = of.map(|one| one.to_ns.min(to_ns).saturating_sub(one.from_ns.max(from_ns)));
        ns.sum::<u64>() as f64 / (to_ns - from_ns) as f64
    }

    /// Everybody stayed in the pool that it has now, from `since_ns` on.
    fn assert_in_place(&self, since_ns: u64) {
        for one in
            self.machine.stretches().iter().filter(|stretch| stretch.to_ns > since_ns + 2 * DECISION_NS)
        {
            let out = self.pools.with(|pools| pools.is_out_of_place(one.vcpu, one.pcpu));
            assert!(!out, "{one:?}, since {since_ns}");
        }
        assert_one_place(&self.machine);
    }
}

/// No vCPU was on two pCPUs at once, and no pCPU had two vCPUs.
fn assert_one_place(machine: &Machine) {
    let key = |of: fn(&Stretch) -> usize| {
        let mut all: Vec<_> =
            machine.stretches().iter().map(|one| (of(one), one.from_ns, one.to_ns)).collect();
        all.sort_unstable();
        all
    };
    for all in [key(|one| one.vcpu), key(|one| one.pcpu)] {
        for pair in all.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            assert!(pair[0].2 <= pair[1].1, "{pair:?}");
        }
    }
}

fn assert_close(share: f64, expected: f64) {
    assert!((share - expected).abs() < 0.03, "{share:.3}, not {expected:.3}");
}

fn two(scheduler: Scheduler) -> Vec<Pool> {
    vec![pool("a", &[0], scheduler.clone()), pool("b", &[1], scheduler)]
}

const EVERY: [Scheduler; 3] = [Scheduler::RoundRobin, Scheduler::Credit, Scheduler::Gang];

#[test]
fn a_machine_in_one_pool_takes_no_time_from_another() {
    for scheduler in EVERY {
        let vms = vec![vm("one", 1, "a"), vm("crowd", 5, "b")];
        let mut test = Test::new(two(scheduler), vms, vec![RUNS; 6], 2, 1);
        test.machine.run(1_000 * MS);
        assert!(test.machine.share(0) > 0.999, "{}", test.machine.share(0));
        assert_close(test.vcpus("crowd").map(|vcpu| test.machine.share(vcpu)).sum(), 1.0);
        assert!(test.machine.schedule.iter().all(|one| (one.vcpu == 0) == (one.pcpu == 0)));
    }
}

#[test]
fn weights_hold_inside_a_pool_whatever_the_other_pools_have() {
    let vms = vec![
        weighs(256, vm("small", 1, "a")),
        weighs(512, vm("middle", 1, "a")),
        weighs(1024, vm("large", 1, "a")),
        weighs(60_000, vm("other", 1, "b")),
    ];
    for seed in 0..5 {
        let mut test = Test::new(two(Scheduler::Credit), vms.clone(), vec![RUNS; 4], 2, seed);
        test.machine.run(10_000 * MS);
        for (vcpu, expected) in [1.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0, 1.0].into_iter().enumerate() {
            assert_close(test.machine.share(vcpu), expected);
        }
    }
}

/// The reason for pools: a mask on the whole machine leaves the scheduler no way to keep the weights.
#[test]
fn weights_do_not_hold_between_machines_that_are_masked_to_one_pcpu() {
    let weights = [256, 512, 1024, USUAL_WEIGHT];
    let shares: Vec<VmShare> =
        (0..4).map(|vcpu| VmShare { weight: weights[vcpu], ..VmShare::usual([vcpu]) }).collect();
    let affinities = [0, 0, 0, 1].map(|pcpu| Affinity::hard([pcpu])).to_vec();
    let credit = Credit::new(CreditParams::with_timeslice(SLICE_NS), &shares, affinities, 2);
    let mut machine = Machine::new(credit, vec![RUNS; 4], 2, 1);
    machine.run(10_000 * MS);
    let off = (machine.share(2) - 4.0 / 7.0).abs();
    assert!(off > 0.1, "the heaviest has {} of its pCPU", machine.share(2));
}

#[test]
fn a_machine_that_is_moved_under_load_goes_on_in_the_new_pool() {
    for scheduler in EVERY {
        for seed in 0..5 {
            let vms = vec![vm("moves", 1, "a"), vm("stays", 1, "a"), vm("other", 1, "b")];
            let mut test = Test::new(two(scheduler.clone()), vms, vec![RUNS; 3], 2, seed);
            test.machine.run(505 * MS);
            test.change(&to("moves", "b")).unwrap();
            let moved_ns = test.machine.now_ns;
            test.machine.run(1_000 * MS);
            let end_ns = test.machine.now_ns - SLICE_NS;
            test.assert_in_place(moved_ns);
            assert_close(test.share("moves", 0, moved_ns), 0.5);
            assert_close(test.share("other", 0, moved_ns), 1.0);
            assert_close(test.share("moves", moved_ns, end_ns), 0.5);
            assert_close(test.share("other", moved_ns, end_ns), 0.5);
            let Moved { asked_ns, done_ns } = test.pools.with(|pools| pools.moved()[0]);
            assert!(asked_ns == moved_ns && done_ns.unwrap() - asked_ns <= DECISION_NS, "{done_ns:?}");
        }
    }
}

#[test]
fn a_kick_during_a_move_wakes_the_vcpu_in_the_new_pool() {
    for scheduler in EVERY {
        for seed in 0..20 {
            let vms = vec![vm("sleeps", 2, "a"), vm("stays", 1, "a"), vm("other", 1, "b")];
            let wakes = Habit::WaitsForKicks { runs_ns: MS };
            let habits = vec![wakes.clone(), wakes, RUNS, RUNS];
            let mut test = Test::new(two(scheduler.clone()), vms, habits, 2, seed);
            test.machine.run(15 * MS);
            // One is kicked before the move, the other one after it.
            test.machine.kick(0);
            test.machine.run(seed * MS / 7);
            test.change(&to("sleeps", "b")).unwrap();
            let moved_ns = test.machine.now_ns;
            test.machine.kick(1);
            test.machine.run(200 * MS);
            test.assert_in_place(moved_ns);
            for vcpu in [0, 1] {
                let ran = test.machine.schedule.iter().filter(|one| one.vcpu == vcpu);
                let ns: u64 = ran.map(|one| one.to_ns - one.from_ns).sum();
                assert_eq!(ns, MS, "{scheduler:?}, seed {seed}: vCPU {vcpu}");
                assert!(test.machine.is_halted(vcpu));
                test.machine.kick(vcpu);
                test.machine.run(100 * MS);
                assert_eq!(test.machine.schedule.iter().rfind(|one| one.vcpu == vcpu).unwrap().pcpu, 1);
            }
        }
    }
}

/// Threads read the clock before they have the lock.
#[test]
fn a_clock_that_was_read_before_the_opening_is_no_time_after_it() {
    let mut test = Test::new(
        two(Scheduler::RoundRobin),
        vec![vm("one", 1, "a"), vm("two", 1, "b")],
        vec![RUNS; 2],
        2,
        1,
    );
    test.machine.run(15 * MS);
    let opened_ns = test.machine.now_ns + 1;
    test.pools.with(|pools| {
        pools.opened(opened_ns);
        let mut next = pools.layout.clone();
        next.change(&to("two", "a")).unwrap();
        pools.change(next, opened_ns + 1);
        pools.pick(1, Some(1), opened_ns + 1);
        pools.left(1, 1, opened_ns - 1);
    });
    let moved: Vec<Moved> = test.pools.with(|pools| pools.begun.iter().map(|begun| begun.moved).collect());
    assert_eq!(moved.len(), 1);
    assert!(
        moved.iter().all(|one| one.done_ns.is_none_or(|done_ns| done_ns >= one.asked_ns && done_ns < MS)),
        "{moved:?}"
    );
}

#[test]
fn a_machine_that_moves_takes_no_more_than_its_cap() {
    let pools = two(Scheduler::Credit);
    let capped = Vm { cap_pcpus: Some(0.3), ..vm("one", 1, "a") };
    let mut test = Test::new(pools, vec![capped, vm("two", 1, "b")], vec![RUNS; 2], 2, 1);
    test.machine.run(300 * MS);
    let began_ns = test.machine.now_ns;
    for turn in 0..10 {
        test.change(&to("one", if turn % 2 == 0 { "b" } else { "a" })).unwrap();
        test.machine.run(35 * MS);
    }
    let share = test.share("one", began_ns, test.machine.now_ns);
    // A period of the cap is 30 ms; a move may cost the rest of one.
    assert!(share < 0.45, "{share}");
}

#[test]
fn a_pool_is_created_filled_emptied_and_destroyed() {
    for scheduler in EVERY {
        let pools = vec![pool("a", &[0], scheduler.clone())];
        let mut test = Test::new(pools, vec![vm("one", 1, "a"), vm("two", 1, "a")], vec![RUNS; 2], 2, 1);
        test.machine.run(55 * MS);
        test.change(&Change::Create(pool("b", &[1], scheduler))).unwrap();
        test.change(&to("two", "b")).unwrap();
        let moved_ns = test.machine.now_ns;
        test.machine.run(100 * MS);
        test.assert_in_place(moved_ns);
        assert_close(test.share("two", moved_ns, moved_ns + 90 * MS), 1.0);
        let why = test.change(&Change::Destroy { name: "b".into() }).unwrap_err();
        assert!(why.contains("still has a virtual machine, two"), "{why}");
        test.change(&to("two", "a")).unwrap();
        test.change(&Change::Destroy { name: "b".into() }).unwrap();
        let moved_ns = test.machine.now_ns;
        test.machine.run(200 * MS);
        test.assert_in_place(moved_ns);
        assert_eq!(test.machine.runs_on(1), None);
        let why = test.change(&to("one", "b")).unwrap_err();
        assert!(why.contains("there is no pool b"), "{why}");
        assert_close(test.share("one", moved_ns, test.machine.now_ns - SLICE_NS), 0.5);
    }
}

#[test]
fn planned_changes_come_at_their_times_after_the_opening() {
    let (layout, vm_of) = {
        let test = Test::new(
            two(Scheduler::RoundRobin),
            vec![vm("one", 1, "a"), vm("two", 1, "b")],
            vec![RUNS; 2],
            2,
            1,
        );
        (test.pools.with(|pools| pools.layout.clone()), vec![0, 1])
    };
    let mut after = layout.clone();
    after.change(&to("two", "a")).unwrap();
    let make = |_: &Pool| -> Box<dyn Pooled> { Box::new(RoundRobin::pooled(SLICE_NS, 2, 2)) };
    let pools = Pools::new(layout, vm_of, 2, Box::new(make))
        .with_moves(vec![Planned { at_ns: 100 * MS, layout: after }]);
    let pools = Shared(Arc::new(Mutex::new(pools)));
    let mut machine = Machine::new(pools.clone(), vec![RUNS; 2], 2, 1);
    machine.run(250 * MS);
    assert_eq!(machine.runs_on(1), Some(1), "times count from the opening");
    let opened_ns = machine.now_ns;
    pools.with(|pools| pools.opened(opened_ns));
    machine.told();
    machine.run(99 * MS);
    assert_eq!(machine.runs_on(1), Some(1));
    machine.run(2 * MS);
    assert_eq!(machine.runs_on(1), None);
    let [moved] = pools.with(|pools| pools.moved())[..] else { panic!("one change was planned") };
    let late = 100 * MS..100 * MS + 3 * DECISION_NS;
    assert!(late.contains(&moved.asked_ns) && late.contains(&moved.done_ns.unwrap()), "{moved:?}");
}

mod pcpus;
mod random;
