//! The check of mutual exclusion, without which a window yields no number.

use std::sync::atomic::Ordering::Relaxed;

use super::counters::sum;
use crate::arena::Memory;

/// How mutual exclusion was violated, by the arena of a killed process; none if it held. The counter in the section may be one
/// ahead of the counted acquisitions, because the kill may fall between the two updates. One per vCPU would be too tolerant: a
/// convoy may do as few as 8 acquisitions a second.
pub(super) fn violation(memory: &Memory) -> Option<String> {
    let counter = memory.data().counter.load(Relaxed);
    let operations = sum(memory.blocks().map(|block| block.own.operations.load(Relaxed)));
    let violations = sum(memory.blocks().map(|block| block.own.violations.load(Relaxed)));
    if violations > 0 {
        return Some(format!(
            "mutual exclusion violated: {violations} times another vCPU was inside the critical section as well"
        ));
    }
    match counter.checked_sub(operations) {
        Some(0 | 1) => None,
        _ => Some(format!(
            "mutual exclusion violated: the protected counter stands at {counter} after {operations} acquisitions"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockbench_workloads::arena::{Detail, Extent};

    fn arena(counter: u64, operations: [u64; 2], violations: u64) -> Memory {
        let (detail, page) = (Detail::Counts, rustix::param::page_size());
        let memory = Memory::empty(&Extent {
            vcpus: 2,
            lines: 0,
            detail,
            pcpus: 0,
            nodes: 0,
            page,
            apart: false,
            touched: 0,
        });
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
}
