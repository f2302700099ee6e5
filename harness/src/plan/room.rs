//! Automatic placement: the NUMA node with room for a virtual machine.

use super::PlannedCell;
use crate::axes::On;
use crate::topology::{Machine, NodeIndex, Placement, PuIndex};

/// The node on which a machine of so many vCPUs would leave the fewest vCPUs per CPU, as Xen's placement looks at the vCPUs that
/// nodes have already. Only nodes with memory count that have the pCPUs asked for; among equals the first. Without any such node the
/// machine is placed as `compact` does.
pub(super) fn roomiest(machine: &Machine, vcpus: u32, on: On, others: &[PlannedCell]) -> Placement {
    let fits = |node: NodeIndex| on.pcpus(Placement::Node(node), machine).is_ok();
    let nodes = machine.nodes.iter().filter(|node| machine.has_memory(node) && fits(node.os_index));
    let crowd = |node: NodeIndex| {
        let cpus = machine.pus.iter().filter(|pu| pu.home() == Some(node)).count().max(1) as f64;
        let there = others.iter().map(|other| vcpus_on(other, |pcpu| home(machine, pcpu) == Some(node)));
        (f64::from(vcpus) + there.sum::<usize>() as f64) / cpus
    };
    let roomiest = nodes.min_by(|one, other| {
        crowd(one.os_index).total_cmp(&crowd(other.os_index)).then(one.os_index.cmp(&other.os_index))
    });
    roomiest.map_or(Placement::Compact, |node| Placement::Node(node.os_index))
}

/// How many vCPUs of a machine are dealt to pCPUs of a kind.
pub(super) fn vcpus_on(cell: &PlannedCell, of_kind: impl Fn(u32) -> bool) -> usize {
    let pcpus = cell.axes.pcpus.iter().cycle().take(cell.axes.vcpus as usize);
    pcpus.filter(|pcpu| of_kind(**pcpu)).count()
}

fn home(machine: &Machine, pcpu: u32) -> Option<NodeIndex> {
    machine.pu(PuIndex(pcpu)).and_then(|pu| pu.home())
}
