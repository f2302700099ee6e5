//! The order in which NUMA locks admit their waiters. vCPUs are threads here, but who waits is known before a lock is released, and so
//! is what each waiter has done to the queue: the order has nothing to do with time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lockbench_locks::{Cna, Cohort, Event, Mcs, RawLock, Shfl, Ticket};

use super::common::machine::{Machine, Vcpu, blocks, stress};
use super::common::params;

/// vCPUs on two nodes in turns: in strict order every handover crosses.
const IN_TURNS: [usize; 6] = [0, 1, 0, 1, 0, 1];

/// Waits until a waiting vCPU has done whatever it does when it looks: the look under way, one more, and the next begun.
fn has_looked(machine: &Machine, cpu: usize) {
    let before = machine.spins(cpu);
    while machine.spins(cpu) < before + 3 {
        thread::yield_now();
    }
}

/// The vCPUs in the order in which they get the lock. vCPU 0 holds it while the next `early` ones queue, by their numbers. The others
/// queue when the first of these holds it and the rest of these have looked. Nobody releases it before all who wait have looked.
fn admitted<L: RawLock>(places: &[usize], early: usize) -> Vec<usize> {
    let machine = &Machine::new(params(1, false, places.len())).on(places);
    let (lock, blocks) = (&machine.lock::<L, false>(), &blocks::<L>(machine));
    let (order, all_queue) = (&Mutex::new(Vec::new()), &AtomicBool::new(false));
    thread::scope(|scope| {
        let first = Vcpu::<false>::context::<L>(machine, blocks, 0);
        lock.acquire(&first);
        let queue = |cpu: usize| {
            scope.spawn(move || {
                let ctx = Vcpu::<false>::context::<L>(machine, blocks, cpu);
                lock.acquire(&ctx);
                let admitted = {
                    let mut order = order.lock().unwrap();
                    order.push(cpu);
                    order.clone()
                };
                while !all_queue.load(Ordering::SeqCst) {
                    thread::yield_now();
                }
                (1..machine.vcpus())
                    .filter(|cpu| !admitted.contains(cpu))
                    .for_each(|cpu| has_looked(machine, cpu));
                lock.release(&ctx);
            });
            has_looked(machine, cpu);
        };
        (1..=early).for_each(queue);
        lock.release(&first);
        let holder = loop {
            if let Some(&cpu) = order.lock().unwrap().first() {
                break cpu;
            }
            thread::yield_now();
        };
        // What the next head does when it becomes the head, it does to those who have queued by now.
        (1..=early).filter(|cpu| *cpu != holder).for_each(|cpu| has_looked(machine, cpu));
        (early + 1..machine.vcpus()).for_each(queue);
        all_queue.store(true, Ordering::SeqCst);
    });
    let order = order.lock().unwrap();
    order.clone()
}

/// What no NUMA lock may do, and what shows that the tests below could fail.
#[test]
fn locks_in_strict_order_cross_at_every_handover() {
    assert_eq!(admitted::<Mcs>(&IN_TURNS, 5), [1, 2, 3, 4, 5]);
    assert_eq!(admitted::<Ticket>(&IN_TURNS, 5), [1, 2, 3, 4, 5]);
}

#[test]
fn cna_stays_on_a_node_and_then_serves_the_others_in_their_order() {
    assert_eq!(admitted::<Cna>(&IN_TURNS, 5), [2, 4, 1, 3, 5]);
    // Three nodes: whom the first node passed over keep their order, and are passed over again only by their own first.
    assert_eq!(admitted::<Cna>(&[0, 1, 2, 0, 2, 1, 0], 6), [3, 6, 1, 5, 2, 4]);
    // Who comes late stands behind those who were passed over.
    assert_eq!(admitted::<Cna>(&[0, 1, 0, 1, 1, 0], 3), [2, 5, 1, 3, 4]);
}

#[test]
fn cna_leaves_its_node_after_so_many_handovers() {
    let places = [0, 1, 0, 0, 0, 0];
    assert_eq!(admitted::<Cna>(&places, 5), [2, 3, 4, 5, 1]);
    assert_eq!(admitted::<Cna<2>>(&places, 5), [2, 3, 1, 4, 5]);
    assert_eq!(admitted::<Cna<0>>(&places, 5), [1, 2, 3, 4, 5]);
}

#[test]
fn cohort_stays_on_a_node_for_so_many_handovers() {
    assert_eq!(admitted::<Cohort>(&IN_TURNS, 5), [2, 4, 1, 3, 5]);
    let places = [0, 1, 0, 0, 0, 0];
    assert_eq!(admitted::<Cohort>(&places, 5), [2, 3, 4, 5, 1]);
    assert_eq!(admitted::<Cohort<2>>(&places, 5), [2, 3, 1, 4, 5]);
    // Nodes 1 and 9 share a lock, and are one cohort.
    assert_eq!(admitted::<Cohort>(&[1, 0, 9, 0, 1], 4), [2, 4, 1, 3]);
}

/// The first in the queue finds nobody behind it. The second is the head when all wait: it shuffles, and leaves the last alone.
#[test]
fn shfl_brings_waiters_of_the_heads_node_forward() {
    assert_eq!(admitted::<Shfl>(&[0, 1, 0, 1, 0, 1], 5), [1, 2, 4, 3, 5]);
    assert_eq!(admitted::<Shfl>(&[0, 1, 1, 0, 0, 1, 0, 1, 0], 8), [1, 2, 5, 7, 3, 4, 6, 8]);
}

/// vCPU 4 was brought forward and shuffles next; vCPU 5 came after that.
#[test]
fn shfl_ends_a_batch_at_its_size() {
    let places = [0, 1, 0, 1, 0, 0, 1];
    assert_eq!(admitted::<Shfl>(&places, 4), [1, 2, 3, 4, 5, 6], "4 was the last");
    let places = [0, 1, 0, 1, 0, 1, 0, 1];
    assert_eq!(admitted::<Shfl>(&places, 5), [1, 2, 4, 6, 3, 5, 7]);
    assert_eq!(admitted::<Shfl<2>>(&places, 5), [1, 2, 4, 3, 5, 6, 7]);
    assert_eq!(admitted::<Shfl<1>>(&places, 5), [1, 2, 3, 4, 5, 6, 7]);
}

/// More vCPUs than `every_lock` has: enough for second queues to be merged and for shuffles that move somebody.
#[test]
fn numa_locks_exclude_in_long_queues() {
    fn excludes<L: RawLock>() {
        let machine = Machine::new(params(1, false, 8)).on(&[0, 1, 2, 0, 1, 2, 0, 1]);
        assert_eq!(
            stress::<L, false>(&machine.lock::<L, false>(), &machine, &blocks::<L>(&machine), 500),
            0,
            "{}",
            L::NAME
        );
        assert_eq!(machine.counted(Event::Halt), 0);
    }
    excludes::<Cna<3>>();
    excludes::<Cna>();
    excludes::<Cohort<3>>();
    excludes::<Shfl<3>>();
    excludes::<Shfl>();
}
