//! pCPUs that come into pools and leave them.

use super::*;

#[test]
fn a_pcpu_that_is_taken_away_idles_and_its_vcpu_goes_on_elsewhere() {
    for scheduler in EVERY {
        let pools = vec![pool("a", &[0, 1], scheduler)];
        let mut test = Test::new(pools, vec![vm("one", 1, "a"), vm("two", 1, "a")], vec![RUNS; 2], 2, 1);
        test.machine.run(105 * MS);
        assert!(test.machine.runs_on(1).is_some());
        test.change(&pcpu(1, None)).unwrap();
        let moved_ns = test.machine.now_ns;
        test.machine.run(500 * MS);
        test.assert_in_place(moved_ns);
        assert_eq!(test.machine.runs_on(1), None);
        for vm in ["one", "two"] {
            assert_close(test.share(vm, moved_ns, test.machine.now_ns - SLICE_NS), 0.5);
        }
        let why = test.change(&pcpu(0, None)).unwrap_err();
        assert!(why.contains("which has no pCPU"), "{why}");
    }
}

#[test]
fn a_pcpu_that_is_added_is_used_at_once() {
    for scheduler in EVERY {
        let pools = vec![pool("a", &[0], scheduler)];
        let mut test = Test::new(pools, vec![vm("one", 1, "a"), vm("two", 1, "a")], vec![RUNS; 2], 2, 1);
        test.machine.run(105 * MS);
        assert_eq!(test.machine.runs_on(1), None, "it is in no pool");
        test.change(&pcpu(1, Some("a"))).unwrap();
        test.machine.run(5 * DECISION_NS);
        assert!(test.machine.runs_on(0).is_some() && test.machine.runs_on(1).is_some());
        test.machine.run(500 * MS);
        assert_one_place(&test.machine);
    }
}

/// The pCPU that was told of a vCPU that woke goes before it asks, and another one of the pool idles.
#[test]
fn a_vcpu_that_waits_is_not_lost_with_the_pcpu_that_was_told_of_it() {
    for scheduler in EVERY {
        let pools = vec![pool("a", &[0, 1], scheduler.clone()), pool("b", &[2], scheduler)];
        let test = Test::new(pools, vec![vm("one", 1, "a"), vm("two", 1, "b")], vec![RUNS; 2], 3, 1);
        let told = test.pools.with(|pools| {
            let named = pools.wake(0, 0);
            let mut told = pools.others_to_ask();
            told.extend(named);
            told
        });
        assert!(!told.is_empty());
        let left = 1 - told[0];
        let told = test.pools.with(|pools| {
            let mut next = pools.layout.clone();
            next.change(&pcpu(told[0] as u32, Some("b"))).unwrap();
            pools.change(next, 0);
            pools.others_to_ask()
        });
        assert!(told.contains(&left), "{told:?} and not {left}");
        assert_eq!(test.pools.with(|pools| pools.pick(left, None, 0)).vcpu, Some(0));
    }
}

#[test]
fn a_pcpu_goes_from_one_pool_to_another() {
    for scheduler in EVERY {
        let pools = vec![pool("a", &[0, 1], scheduler.clone()), pool("b", &[2], scheduler)];
        let vms = vec![vm("wide", 2, "a"), vm("other", 2, "b")];
        let mut test = Test::new(pools, vms, vec![RUNS; 4], 3, 1);
        test.machine.run(105 * MS);
        test.change(&pcpu(1, Some("b"))).unwrap();
        let moved_ns = test.machine.now_ns;
        test.machine.run(500 * MS);
        let end_ns = test.machine.now_ns - SLICE_NS;
        test.assert_in_place(moved_ns);
        assert_close(test.share("wide", moved_ns, end_ns), 1.0);
        assert_close(test.share("other", moved_ns, end_ns), 2.0);
    }
}
