//! The part of the machine that the kernel lets this process use.

use std::thread;

use super::{CpuList, Error, Machine, NodeIndex, PuIndex, Why, pin};

/// What may be used of the machine that we run on, as the kernel has it; none: it does not tell, and all counts as allowed.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    /// CPUs that the calling thread may run on.
    pub(super) mask: Option<CpuList>,
    /// CPUs that its cpuset allows.
    pub(super) cpuset: Option<CpuList>,
    /// NUMA nodes that its memory may lie on; listed like CPUs.
    pub(super) nodes: Option<CpuList>,
    /// CPUs that Linux lists as offline. Among them is what could be plugged in one day.
    pub(super) offline: CpuList,
}

impl Limits {
    /// Those of a thread that may run on `mask`, and that calls this, on a machine with these CPUs.
    pub(super) fn of_this_thread(mask: Option<CpuList>, all: &CpuList) -> Self {
        let hidden = mask.as_ref().is_some_and(|mask| all.iter().any(|cpu| !mask.contains(cpu)));
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        Self {
            mask,
            cpuset: hidden.then(|| cpuset(all)).flatten(),
            nodes: listed(&read("/proc/thread-self/status"), "Mems_allowed_list"),
            offline: read("/sys/devices/system/cpu/offline").trim().parse().unwrap_or_default(),
        }
    }

    fn why(&self, cpu: PuIndex) -> Why {
        match &self.cpuset {
            _ if self.offline.contains(cpu) => Why::Offline,
            Some(cpuset) if cpuset.contains(cpu) => Why::Mask,
            Some(_) => Why::Cpuset,
            None => Why::NotAllowed,
        }
    }
}

/// The CPUs that the cpuset allows: a thread can lift the mask that it was started with, but never its cpuset. So one that
/// asks for all CPUs is given those of the cpuset, whatever cgroups are called here and wherever they are mounted.
fn cpuset(all: &CpuList) -> Option<CpuList> {
    let all = all.clone();
    let asking = thread::Builder::new().spawn(move || {
        pin::set_affinity(0, &all).ok()?;
        pin::allowed_cpus()
    });
    asking.ok()?.join().ok()?
}

/// A list of a process's status, as of the line that begins `Mems_allowed_list:`.
fn listed(status: &str, field: &str) -> Option<CpuList> {
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line?.trim().parse().ok()
}

impl Machine {
    /// The machine as far as this process may use it. Nodes of which neither CPUs nor memory are allowed become
    /// `absent_nodes`.
    pub(super) fn within(&self, limits: &Limits) -> Result<Self, Error> {
        let everything = self.cpus();
        let mask = limits.mask.as_ref().unwrap_or(&everything);
        let mut machine = self.limited_to(mask, |cpu| limits.why(cpu))?;
        // These hwloc did not list at all.
        let why = |cpu| if limits.offline.contains(cpu) { Why::Offline } else { Why::Untold };
        machine.note_absent(self.unavailable.iter().map(|cpu| (cpu, why(cpu))));
        let Some(allowed) = &limits.nodes else { return Ok(machine) };
        let forbidden = |node: NodeIndex| !allowed.contains(PuIndex(node.0));
        for node in &mut machine.nodes {
            node.forbidden = node.memory_bytes.is_some() && forbidden(node.os_index);
        }
        let gone: Vec<NodeIndex> = machine
            .nodes
            .iter()
            .filter(|node| node.forbidden && node.cpus.is_empty())
            .map(|node| node.os_index)
            .collect();
        machine.nodes.retain(|node| !gone.contains(&node.os_index));
        machine.absent_nodes.extend(gone.into_iter().map(|node| (node, Why::Cpuset)));
        Ok(machine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_names_the_allowed_nodes() {
        let status =
            "Name:\tx\nCpus_allowed_list:\t0-3,8\nMems_allowed:\t00000001\nMems_allowed_list:\t0,2\n";
        assert_eq!(listed(status, "Mems_allowed_list").unwrap().to_string(), "0,2");
        assert_eq!(listed(status, "Cpus_allowed_list").unwrap().to_string(), "0-3,8");
        assert_eq!(listed(status, "Mems"), None);
        assert_eq!(listed("", "Mems_allowed_list"), None);
        assert_eq!(listed("Mems_allowed_list:\t\n", "Mems_allowed_list"), None);
    }
}
