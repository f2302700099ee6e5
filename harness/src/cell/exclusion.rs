//! The check of mutual exclusion, without which a window yields no number.

use std::sync::atomic::Ordering::Relaxed;

use lockbench_workloads::alone::TOGETHER;

use super::counters::sum;
use crate::arena::Memory;

/// How mutual exclusion was violated, by the arena of a killed process; none if it held for each lock. A lock's counter may be one
/// update ahead of the counted acquisitions, because the kill may fall between the two. One per vCPU would be too tolerant: a
/// convoy may do as few as 8 acquisitions a second.
pub(super) fn violation(memory: &Memory) -> Option<String> {
    let violations = sum(memory.blocks().map(|block| block.own.violations.load(Relaxed)));
    if violations > 0 {
        return Some(format!(
            "mutual exclusion violated: {violations} times another vCPU was inside the critical section as well"
        ));
    }
    let one = memory.plan().locks == 1;
    let update = if memory.plan().alone { TOGETHER } else { 1 };
    let of_lock = |which: usize| {
        let counted = memory.blocks().zip(memory.tallies()).map(|(block, tallies)| {
            let count = if one { Some(&block.own.operations) } else { tallies.get(which) };
            count.map_or(0, |count| count.load(Relaxed))
        });
        sum(counted)
    };
    for (which, data) in memory.each_data().enumerate() {
        let (counter, acquisitions) = (data.counter.load(Relaxed), of_lock(which));
        if !adds_up(counter, acquisitions, update) {
            let of_which = if one { String::new() } else { format!(" of lock {which}") };
            return Some(format!(
                "mutual exclusion violated: the protected counter{of_which} stands at {counter} after {acquisitions} acquisitions"
            ));
        }
    }
    // The rate counts the acquisitions of all locks together.
    let miscounted = memory.blocks().zip(memory.tallies()).position(|(block, tallies)| {
        let of_each = sum(tallies.iter().map(|tally| tally.load(Relaxed)));
        !one && !adds_up(block.own.operations.load(Relaxed), of_each, 1)
    });
    miscounted.map(|cpu| format!("the acquisitions of vCPU {cpu} do not add up to those of each lock"))
}

/// Whether a count that is raised first, by so much at a time at most, agrees with one that is raised last.
fn adds_up(first: u64, last: u64, update: u64) -> bool {
    first.checked_sub(last).is_some_and(|ahead| ahead <= update)
}

#[cfg(test)]
mod tests {
    use lockbench_workloads::arena::{Extent, Layout, Plan};
    use lockbench_workloads::locks::Params;

    use super::*;
    use crate::arena::Blank;

    fn arena(counter: u64, operations: [u64; 2], violations: u64) -> Memory {
        let memory = Memory::empty(&Extent::plain(2, rustix::param::page_size()));
        memory.data().counter.store(counter, Relaxed);
        for (block, n) in memory.blocks().zip(operations) {
            block.own.operations.store(n, Relaxed);
        }
        memory.blocks().next().unwrap().own.violations.store(violations, Relaxed);
        memory
    }

    #[test]
    fn the_counter_must_match_but_for_the_turn_that_the_kill_cut() {
        assert!(violation(&arena(30, [10, 20], 0)).is_none());
        assert!(violation(&arena(31, [10, 20], 0)).is_none());
        assert!(violation(&arena(32, [10, 20], 0)).is_some(), "two vCPUs were inside");
        assert!(violation(&arena(29, [10, 20], 0)).is_some(), "an update was lost");
        assert!(violation(&arena(30, [10, 20], 1)).is_some(), "another owner was seen");
    }

    #[test]
    fn a_vcpu_that_is_alone_counts_several_turns_together() {
        let fails = |alone, counter, operations| {
            let (unit, page) = (std::alloc::Layout::new::<()>(), rustix::param::page_size());
            let layout = Layout::new(unit, unit, &Extent::plain(1, page)).unwrap();
            let params = Params { vcpus: 1, ..Params::default() };
            let plan = Plan { alone, ..Plan::plain(layout, params, page) };
            let mut memory = Blank::create(plan).unwrap().make_present().unwrap();
            memory.write_plan();
            memory.data().counter.store(counter, Relaxed);
            memory.blocks().next().unwrap().own.operations.store(operations, Relaxed);
            violation(&memory).is_some()
        };
        assert_eq!([fails(true, 32, 32), fails(true, 32, 16)], [false; 2]);
        assert_eq!([fails(true, 33, 16), fails(true, 16, 32), fails(false, 32, 16)], [true; 3]);
    }

    /// Three locks, each taken by both vCPUs as often as `tallies` says.
    fn several(counters: [u64; 3], tallies: [[u64; 3]; 2], operations: [u64; 2]) -> Option<String> {
        let memory = Memory::empty(&Extent { locks: 3, ..Extent::plain(2, rustix::param::page_size()) });
        for (data, counter) in memory.each_data().zip(counters) {
            data.counter.store(counter, Relaxed);
        }
        for ((each, stored), (block, n)) in memory.tallies().zip(tallies).zip(memory.blocks().zip(operations))
        {
            for (tally, n) in each.iter().zip(stored) {
                tally.store(n, Relaxed);
            }
            block.own.operations.store(n, Relaxed);
        }
        violation(&memory)
    }

    #[test]
    fn the_counter_of_every_lock_must_match_and_not_only_their_sum() {
        let tallies = [[10, 5, 1], [20, 0, 1]];
        assert_eq!(several([30, 5, 2], tallies, [16, 21]), None);
        assert_eq!(several([31, 5, 3], tallies, [16, 21]), None, "the kill cut a turn at two locks");
        assert_eq!(
            several([30, 5, 2], tallies, [17, 21]),
            None,
            "the kill fell between the two counts of a vCPU"
        );
        let lost = several([31, 4, 2], tallies, [16, 21]).unwrap();
        assert!(lost.contains("counter of lock 1 stands at 4 after 5"), "{lost}");
        assert!(several([30, 5, 4], tallies, [16, 21]).unwrap().contains("lock 2"));
        let miscounted = several([30, 5, 2], tallies, [16, 20]).unwrap();
        assert!(miscounted.contains("vCPU 1"), "{miscounted}");
    }
}
