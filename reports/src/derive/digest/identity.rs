//! Which machine a run was taken on, and what may change on it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::format::{counted, printable};
use crate::record::Machine;

/// What makes a machine the same machine: its processors, their arrangement, and its hypervisor. Clock rates and host names
/// are left out, for both change.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    /// Processor model, without the clock that some vendors put in its name.
    pub cpu_model: String,
    /// `x86_64` or `aarch64`.
    pub arch: String,
    /// Packages.
    pub packages: u32,
    /// Cores.
    pub cores: u32,
    /// Logical CPUs.
    pub pus: u32,
    /// NUMA nodes.
    pub numa_nodes: u32,
    /// One line: `Package:1 NUMANode:1 L3:1(32MiB) Core:2 PU:2`.
    pub topology: String,
    /// `none`, `kvm`, `xen`, ….
    pub hypervisor: String,
}

impl Identity {
    /// The identity of a machine.
    pub fn of(machine: &Machine) -> Self {
        let model = machine.cpu_model.split(" @ ").next().unwrap_or_default().trim();
        Self {
            cpu_model: model.to_owned(),
            arch: machine.arch.clone(),
            packages: machine.packages,
            cores: machine.cores,
            pus: machine.pus,
            numa_nodes: machine.numa_nodes,
            topology: machine.topology.clone(),
            hypervisor: machine.hypervisor.clone(),
        }
    }

    /// Twelve hexadecimal digits that stand for the machine in file names, tables and queries.
    pub fn key(&self) -> String {
        let numbers = [self.packages, self.cores, self.pus, self.numa_nodes].map(|n| n.to_string());
        let mut hash = Sha256::new();
        for part in
            [&self.cpu_model, &self.arch, &self.topology, &self.hypervisor].into_iter().chain(&numbers)
        {
            // Each part's length goes first, so that no two lists of parts give the same bytes.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let beneath = if self.hypervisor == "none" {
            "bare metal".to_owned()
        } else {
            format!("on {}", self.hypervisor)
        };
        let shown = format!("{}, {}, {beneath}", self.cpu_model, counted(self.pus as usize, "CPU"));
        f.write_str(&printable(&shown))
    }
}

/// One thing that differs between two runs on a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `kernel`, `lockbench`, ….
    pub name: String,
    /// Its value in the earlier run.
    pub from: String,
    /// Its value in the later run.
    pub to: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &str| if value.is_empty() { "unknown".to_owned() } else { printable(value) };
        write!(f, "{} {} → {}", printable(&self.name), shown(&self.from), shown(&self.to))
    }
}

/// What changed from one environment to another, by name.
pub fn changes(from: &BTreeMap<String, String>, to: &BTreeMap<String, String>) -> Vec<Change> {
    let names: std::collections::BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    let value = |side: &BTreeMap<String, String>, name: &String| side.get(name).cloned().unwrap_or_default();
    names
        .into_iter()
        .map(|name| Change { name: name.clone(), from: value(from, name), to: value(to, name) })
        .filter(|change| change.from != change.to)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine { cpu_model: "Processor 9000 @ 2.80GHz".into(), pus: 2, ..Machine::default() }
    }

    #[test]
    fn clocks_names_and_upgrades_do_not_make_another_machine() {
        let mut other = machine();
        other.cpu_model = "Processor 9000 @ 3.10GHz".into();
        other.hostname = "elsewhere".into();
        other.kernel = "7.0".into();
        other.calibration.ticks_per_ns = 3.1;
        other.memory_bytes = 1;
        assert_eq!(Identity::of(&machine()).key(), Identity::of(&other).key());
    }

    #[test]
    fn another_count_or_hypervisor_does() {
        let key = |change: fn(&mut Machine)| {
            let mut machine = machine();
            change(&mut machine);
            Identity::of(&machine).key()
        };
        let keys = [
            key(|_| ()),
            key(|m| m.pus = 4),
            key(|m| m.cores = 2),
            key(|m| m.hypervisor = "kvm".into()),
            key(|m| m.topology = "PU:2".into()),
            key(|m| m.arch = "PU:2".into()),
        ];
        let different: std::collections::BTreeSet<&String> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
    }

    #[test]
    fn changes_are_named() {
        let from = BTreeMap::from([("kernel".to_owned(), "6.1".to_owned()), ("os".into(), "x".into())]);
        let to = BTreeMap::from([("kernel".to_owned(), "6.18".to_owned()), ("os".into(), "x".into())]);
        let found: Vec<String> = changes(&from, &to).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["kernel 6.1 → 6.18"]);
        assert_eq!(changes(&from, &BTreeMap::new()).len(), 2);
    }
}
