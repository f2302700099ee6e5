//! Nodes wander, and there is one more than vCPUs.

use std::collections::BTreeSet;

use lockbench_locks::{Clh, Ctx, Params, RawLock};

use super::common::params;
use super::common::script::{Actor, Record};

const PARAMS: Params = params(1, false, 3);

/// Whoever has held the lock queues next with the node that the holder before it had queued with. A release therefore waits for
/// nobody to let go of a node; `locks/tests/loom/papers.rs` shows that it does not, and that one of `mcs` does.
#[test]
fn clh_takes_the_node_of_the_holder_before() {
    let lock = Clh::new::<Actor<'_>>(&PARAMS);
    let blocks: [<Clh as RawLock>::PerVcpu; 3] = Default::default();
    let record = Record::default();
    let mut nodes = BTreeSet::new();
    let mut previous = None;
    for cpu in [0, 1, 0, 2, 2, 1, 0, 0, 1, 2, 0] {
        let node = blocks[cpu].node();
        let ctx = Ctx::<Clh, _>::over(cpu, &blocks, &PARAMS, Actor::new(&record));
        lock.acquire(&ctx);
        lock.release(&ctx);
        assert!(previous.is_none_or(|previous| previous == blocks[cpu].node()), "vCPU {cpu}");
        previous = Some(node);
        nodes.extend([0, 1, 2].map(|cpu| blocks[cpu].node()));
        nodes.insert(node);
    }
    assert_eq!(nodes.len(), 4, "one node for each vCPU, and the lock's");
}
