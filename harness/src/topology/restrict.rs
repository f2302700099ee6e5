//! Leaving CPUs out of a machine, and checking lists against it.

use std::collections::HashSet;

use super::{CpuList, Error, Machine, PuIndex, Why};

impl Machine {
    /// Checks that every CPU of a list exists and may be used.
    pub fn check(&self, list: &CpuList) -> Result<(), Error> {
        let usable: HashSet<PuIndex> = self.pus.iter().map(|pu| pu.os_index).collect();
        let missing = || list.iter().filter(|cpu| !usable.contains(cpu));
        let unknown: CpuList = missing().filter(|&cpu| !self.unavailable.contains(cpu)).collect();
        let unavailable: CpuList = missing().filter(|&cpu| self.unavailable.contains(cpu)).collect();
        if !unknown.is_empty() {
            Err(Error::UnknownCpus { unknown, have: self.cpus() })
        } else if !unavailable.is_empty() {
            Err(Error::UnavailableCpus { absent: self.absences(&unavailable), have: self.cpus() })
        } else {
            Ok(())
        }
    }

    /// The machine with the listed CPUs only, as for `--pcpus`: placements then choose among them.
    ///
    /// An unknown or unavailable CPU is an error.
    pub fn restricted_to(&self, list: &CpuList) -> Result<Self, Error> {
        self.check(list)?;
        self.limited_to(list, |_| Why::LeftOut)
    }

    /// The machine without the CPUs that are not in `allowed`, which may well name others; `why` says why one is left out.
    ///
    /// The CPUs left out become `unavailable`, and siblings are ranked anew. Packages, cores and caches
    /// without a CPU vanish; nodes stay, for their memory.
    pub(super) fn limited_to(&self, allowed: &CpuList, why: impl Fn(PuIndex) -> Why) -> Result<Self, Error> {
        let allowed: HashSet<PuIndex> = allowed.iter().collect();
        let keep = |cpus: &CpuList| -> CpuList { cpus.iter().filter(|cpu| allowed.contains(cpu)).collect() };
        let mut machine = self.clone();
        machine.pus.retain(|pu| allowed.contains(&pu.os_index));
        if machine.pus.is_empty() {
            return Err(Error::NoCpu);
        }
        let packages = compact(&mut machine.packages, |package| {
            package.cpus = keep(&package.cpus);
            !package.cpus.is_empty()
        });
        let cores = compact(&mut machine.cores, |core| {
            core.cpus = keep(&core.cpus);
            !core.cpus.is_empty()
        });
        for node in &mut machine.nodes {
            let left_out = node.cpus.iter().filter(|cpu| !allowed.contains(cpu));
            node.unavailable = node.unavailable.iter().chain(left_out).collect();
            node.cpus = keep(&node.cpus);
        }
        for cache in &mut machine.caches {
            cache.cpus = keep(&cache.cpus);
        }
        machine.caches.retain(|cache| !cache.cpus.is_empty());
        for pu in &mut machine.pus {
            pu.package = packages[pu.package];
            pu.core = cores[pu.core];
            let siblings = &machine.cores[pu.core].cpus;
            pu.sibling_rank = siblings.iter().position(|cpu| cpu == pu.os_index).unwrap_or(0) as u32;
        }
        let left_out = self.pus.iter().map(|pu| pu.os_index).filter(|cpu| !allowed.contains(cpu));
        machine.note_absent(left_out.map(|cpu| (cpu, why(cpu))));
        Ok(machine)
    }
}

/// Drops what `keep` refuses, and tells for each old index the new one.
fn compact<T>(items: &mut Vec<T>, mut keep: impl FnMut(&mut T) -> bool) -> Vec<usize> {
    let mut kept = 0;
    let mut moved = Vec::with_capacity(items.len());
    items.retain_mut(|item| {
        let stays = keep(item);
        moved.push(kept);
        kept += usize::from(stays);
        stays
    });
    moved
}
