//! Where each placement puts vCPUs, as text.

use super::{
    CpuList, Machine, Memory, Placement, PuIndex,
    text::{Strided, columns, count},
};

/// A table of where each placement puts the first `vcpus` vCPUs, and on which node their memory would lie.
///
/// Where a placement has fewer CPUs than there are vCPUs, it starts again from its first.
pub fn placements(machine: &Machine, vcpus: usize) -> String {
    let several = machine.nodes.len() > 1;
    let shown = Placement::ALL.into_iter().filter(|&placement| several || placement != Placement::FirstNode);
    let mut rows =
        vec![["placement", "local node", "remote node", "CPUs of vCPUs 0, 1, 2, …"].map(str::to_owned)];
    for placement in shown {
        rows.push(match placement.order(machine) {
            Ok(order) => row(machine, placement, vcpus, order),
            Err(error) => [placement.to_string(), "-".to_owned(), "-".to_owned(), error.to_string()],
        });
    }
    let title = format!("Where {} would go; `0-6:2` is every second CPU from 0 to 6", count(vcpus, "vCPU"));
    format!("{title}\n\n{}", columns(&rows))
}

fn row(machine: &Machine, placement: Placement, vcpus: usize, mut order: Vec<PuIndex>) -> [String; 4] {
    order.truncate(vcpus);
    let node = |memory: Memory| match memory.nodes(machine, &order).as_deref() {
        Ok([node, ..]) => node.to_string(),
        _ => "-".to_owned(),
    };
    let (local, remote) = (node(Memory::Local), node(Memory::Remote));
    let again = if order.len() < vcpus { ", and again from the first" } else { "" };
    let cpus: CpuList = order.into_iter().collect();
    [placement.to_string(), local, remote, format!("{}{again}", Strided(&cpus))]
}
