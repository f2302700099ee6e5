//! Random changes of pools, with fixed seeds.

use super::*;

#[test]
fn random_changes_lose_nobody_starve_nobody_and_keep_everybody_in_its_pool() {
    for seed in 0..30 {
        let mut random = fastrand::Rng::with_seed(seed);
        let pcpus = random.usize(2..5) as u32;
        // Gangs may leave a pCPU idle though somebody waits.
        let gangs = seed % 3 == 2;
        let any = |random: &mut fastrand::Rng| match random.usize(0..if gangs { 3 } else { 2 }) {
            0 => Scheduler::RoundRobin,
            1 => Scheduler::Credit,
            _ => Scheduler::Gang,
        };
        let mut pools = vec![pool("p0", &[0], any(&mut random)), pool("p1", &[1], any(&mut random))];
        let (mut vms, mut habits) = (Vec::new(), Vec::new());
        for index in 0..random.usize(2..5) {
            let width = random.usize(1..4);
            vms.push(weighs(
                random.u32(1..1000),
                vm(&format!("vm{index}"), width as u32, ["p0", "p1"][index % 2]),
            ));
            for _ in 0..width {
                habits.push(match random.u8(0..5) {
                    0 | 1 => RUNS,
                    2 => Habit::Yields { runs_ns: random.u64(MS / 10..3 * MS) },
                    _ => Habit::Halts {
                        runs_ns: random.u64(MS / 10..3 * MS),
                        halts_ns: random.u64(MS / 10..3 * MS),
                    },
                });
            }
        }
        for spare in 2..pcpus {
            pools[random.usize(0..2)].pcpus.push(spare);
        }
        let vcpus = habits.len();
        let names: Vec<String> = vms.iter().map(|vm| vm.name.clone()).collect();
        let mut test = Test::new(pools, vms, habits, pcpus as usize, seed);
        let mut made = 0;
        for _ in 0..400 {
            let name = format!("p{}", random.usize(0..4));
            let change = match random.usize(0..6) {
                0..=2 => to(&names[random.usize(0..names.len())], &name),
                3 => pcpu(random.u32(0..pcpus), random.bool().then_some(&name)),
                4 => Change::Create(pool(&name, &[random.u32(0..pcpus)], any(&mut random))),
                _ => Change::Destroy { name },
            };
            made += usize::from(test.change(&change).is_ok());
            // Changes follow one another also while switches are under way.
            test.machine.run(if random.bool() { random.u64(0..DECISION_NS) } else { random.u64(0..5 * MS) });
        }
        assert!(made > 20, "seed {seed}: {made}");
        assert_one_place(&test.machine);
        // Nobody is lost: left alone, every vCPU runs again, in its pool.
        let calm_ns = test.machine.now_ns;
        test.machine.run(2_000 * MS);
        test.assert_in_place(calm_ns);
        for vcpu in 0..vcpus {
            let runs = |one: &Stretch| one.vcpu == vcpu && one.to_ns > calm_ns;
            assert!(test.machine.stretches().iter().any(runs), "seed {seed}: vCPU {vcpu}");
        }
        assert!(
            gangs || test.machine.idled_in_vain_ns <= 2 * DECISION_NS,
            "seed {seed}: {} ns",
            test.machine.idled_in_vain_ns
        );
        assert!(test.pools.with(|pools| pools.moved().iter().all(|moved| moved.done_ns.is_some())));
    }
}
