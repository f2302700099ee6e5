//! Which CPUs and nodes may be used, and what keeps the others away.

use super::Finding;
use crate::topology::{Absences, CpuList, Machine, Told, Why};

pub(super) fn examine(machine: &Machine) -> Vec<Finding> {
    std::iter::once(cpus(machine)).chain(memory(machine)).collect()
}

fn cpus(machine: &Machine) -> Finding {
    let absences = machine.absences(&machine.unavailable);
    let mut found = format!("{} usable, CPUs {}", machine.pus.len(), machine.cpus());
    if !absences.is_empty() {
        found += &format!("; {}", Told(&absences));
    }
    let advice = advice(&absences);
    match (machine.pus.len() < 2, advice) {
        (true, advice) => {
            let advice = advice.map_or(String::new(), |advice| format!(": {advice}"));
            Finding::unfit(
                "CPUs",
                found,
                format!("nothing is contended natively on one CPU; allow more{advice}"),
            )
        }
        (false, Some(advice)) => {
            let advice = format!("runs cover only those; if that is not meant, {advice}");
            Finding::care("CPUs", found, advice)
        }
        (false, None) => Finding::fine("CPUs", found),
    }
}

/// Advice on CPUs that cannot be used; none where the user excluded them.
fn advice(absences: &Absences) -> Option<String> {
    let each = absences.keys().filter_map(|why| match why {
        Why::Offline => Some("bring them online (echo 1 > /sys/devices/system/cpu/cpuN/online)"),
        Why::Mask => Some("start lockbench without taskset, or boot without isolcpus"),
        Why::Cpuset => Some("widen the cpuset (cpuset.cpus of the cgroup, --cpuset-cpus of the container)"),
        Why::NotAllowed | Why::Untold => Some("lift the taskset or cpuset"),
        Why::LeftOut => None,
    });
    let each: Vec<&str> = each.collect();
    (!each.is_empty()).then(|| each.join("; "))
}

/// Nodes whose memory may not be used; nothing where there is none.
fn memory(machine: &Machine) -> Option<Finding> {
    let nodes: CpuList = machine.absent_memory().into_iter().map(|node| node.0).collect();
    if nodes.is_empty() {
        return None;
    }
    let s = if nodes.len() == 1 { "" } else { "s" };
    Some(Finding::care(
        "NUMA nodes",
        format!(
            "{} usable; the memory of node{s} {nodes} is not allowed to this process",
            machine.nodes.len()
        ),
        "runs keep to the others; if that is not meant, widen the cpuset (cpuset.mems, --cpuset-mems)",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;
    use crate::topology::{NodeIndex, Source, load};

    fn machine(absent: &[(Why, &str)]) -> Machine {
        let (mut machine, _) = load(&Source::Synthetic("pack:2 numa:1 core:2 pu:1".into())).unwrap();
        machine.absent = absent.iter().map(|(why, cpus)| (*why, cpus.parse().unwrap())).collect();
        machine.unavailable = machine.absent.values().flat_map(CpuList::iter).collect();
        machine
    }

    #[test]
    fn each_reason_has_its_advice() {
        let all = cpus(&machine(&[(Why::Offline, "4"), (Why::Mask, "5-6"), (Why::Cpuset, "7")]));
        assert_eq!(all.level, Level::Care);
        assert_eq!(
            all.found,
            "4 usable, CPUs 0-3; CPU 4 is offline, CPUs 5-6 are not allowed to this process by its CPU mask (taskset, \
             isolcpus), CPU 7 is not allowed to this process by its cpuset (cgroup)"
        );
        let advice = all.advice.unwrap();
        assert!(
            ["online (echo 1", "without taskset", "cpuset.cpus"].iter().all(|what| advice.contains(what))
        );
        assert_eq!(cpus(&machine(&[])).level, Level::Fine);
    }

    #[test]
    fn cpus_that_the_user_left_out_need_no_advice() {
        let chosen = cpus(&machine(&[(Why::LeftOut, "4-7")]));
        assert_eq!((chosen.level, chosen.advice), (Level::Fine, None));
        let one = machine(&[]).restricted_to(&"0".parse().unwrap()).unwrap();
        let one = cpus(&one);
        assert_eq!(one.level, Level::Unfit);
        assert_eq!(one.advice.unwrap(), "nothing is contended natively on one CPU; allow more");
    }

    #[test]
    fn memory_that_is_not_allowed_is_named() {
        assert!(memory(&machine(&[])).is_none());
        let mut shut = machine(&[]);
        shut.absent_nodes.insert(NodeIndex(2), Why::Cpuset);
        shut.nodes[1].forbidden = true;
        let found = memory(&shut).unwrap();
        assert_eq!(found.level, Level::Care);
        assert_eq!(found.found, "2 usable; the memory of nodes 1-2 is not allowed to this process");
    }
}
