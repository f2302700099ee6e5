//! Which pCPU and which virtual machine is in which pool, and what may change about that.

use std::collections::BTreeSet;
use std::fmt;

use super::{Case, Change, Pool, Vm};

/// The pools at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Every pool that there is or was: a pool keeps its number when another one ends.
    pools: Vec<Placed>,
    /// The pool of each virtual machine.
    vms: Vec<usize>,
    machines: Vec<Vm>,
}

#[derive(Clone, Debug, PartialEq)]
struct Placed {
    pool: Pool,
    pcpus: BTreeSet<u32>,
    ended: bool,
}

/// Why pools cannot be as they are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misplaced {
    /// The field of the case that asks for it: `pools`, `vms` or `moves`.
    pub field: &'static str,
    /// A sentence, which begins with the place.
    pub why: String,
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// The name that no pool has: it stands for none.
pub const NO_POOL: &str = "none";

impl Layout {
    /// The pools of a case when it begins; none where it has no pools.
    pub fn of(case: &Case) -> Result<Option<Self>, Misplaced> {
        let in_vms = |why: String| Misplaced { field: "vms", why: format!("vms: {why}") };
        if case.pools.is_empty() {
            if let Some(vm) = case.vms.iter().find(|vm| vm.pool.is_some()) {
                return Err(in_vms(format!("`pool` of {}: the group has no `pools`", vm.name)));
            }
            if !case.moves.is_empty() {
                return Err(Misplaced { field: "moves", why: "moves: the group has no `pools`".into() });
            }
            return Ok(None);
        }
        let mut layout = Self { pools: Vec::new(), vms: Vec::new(), machines: case.vms.clone() };
        for (index, pool) in case.pools.iter().enumerate() {
            let in_pools =
                |why| Misplaced { field: "pools", why: format!("pools, number {}: {why}", index + 1) };
            layout.create(pool).map_err(in_pools)?;
        }
        for vm in &case.vms {
            let Some(name) = &vm.pool else {
                return Err(in_vms(format!("{} has no `pool`, and the group has `pools`", vm.name)));
            };
            let pool = layout.named(name).map_err(|why| in_vms(format!("`pool` of {}: {why}", vm.name)))?;
            layout.vms.push(pool);
        }
        layout.check_all().map_err(in_vms)?;
        Ok(Some(layout))
    }

    /// The pools when a case begins, and after each of its moves; empty where it has no pools.
    pub fn all(case: &Case) -> Result<Vec<Self>, Misplaced> {
        let Some(first) = Self::of(case)? else { return Ok(Vec::new()) };
        let mut all = vec![first];
        for (index, change) in case.moves.iter().enumerate() {
            let mut next = all[index].clone();
            next.change(&change.change).map_err(|why| Misplaced {
                field: "moves",
                why: format!("moves, number {}: {why}", index + 1),
            })?;
            all.push(next);
        }
        Ok(all)
    }

    /// Makes a change, or says in a sentence why it cannot be made; then nothing has changed.
    pub fn change(&mut self, change: &Change) -> Result<(), String> {
        let mut next = self.clone();
        match change {
            Change::Vm { name, pool } => {
                let vm = next.machines.iter().position(|vm| vm.name == *name);
                let vm = vm.ok_or_else(|| format!("`vm`: there is no virtual machine {name}"))?;
                next.vms[vm] = next.named(pool).map_err(|why| format!("`pool`: {why}"))?;
            }
            Change::Pcpu { number, pool } => {
                let to = pool.as_ref().map(|pool| next.named(pool)).transpose();
                let to = to.map_err(|why| format!("`pool`: {why}"))?;
                for placed in &mut next.pools {
                    placed.pcpus.remove(number);
                }
                if let Some(to) = to {
                    next.pools[to].pcpus.insert(*number);
                }
            }
            Change::Create(pool) => next.create(pool)?,
            Change::Destroy { name } => {
                let pool = next.named(name).map_err(|why| format!("`destroy`: {why}"))?;
                if let Some(vm) = next.vms.iter().position(|of| *of == pool) {
                    let vm = &next.machines[vm].name;
                    return Err(format!(
                        "`destroy`: pool {name} still has a virtual machine, {vm}; move it to another pool first"
                    ));
                }
                next.pools[pool].pcpus.clear();
                next.pools[pool].ended = true;
            }
        }
        next.check_all()?;
        *self = next;
        Ok(())
    }

    fn create(&mut self, pool: &Pool) -> Result<(), String> {
        if pool.name == NO_POOL {
            return Err(format!("`name`: `{NO_POOL}` stands for no pool"));
        }
        if self.named(&pool.name).is_ok() {
            return Err(format!("`name`: there is a pool {} already", pool.name));
        }
        let pcpus: BTreeSet<u32> = pool.pcpus.iter().copied().collect();
        if pcpus.len() != pool.pcpus.len() {
            return Err("`pcpus` names a pCPU twice".into());
        }
        if let Some(pcpu) = pcpus.iter().find(|pcpu| self.pool_of_pcpu(**pcpu).is_some()) {
            let other = self.pool_of_pcpu(*pcpu).map_or("", |pool| self.pool(pool).name.as_str());
            return Err(format!("`pcpus`: pCPU {pcpu} is in pool {other}"));
        }
        self.pools.push(Placed { pool: pool.clone(), pcpus, ended: false });
        Ok(())
    }

    /// Every virtual machine can run.
    fn check_all(&self) -> Result<(), String> {
        for (vm, &pool) in self.machines.iter().zip(&self.vms) {
            let Placed { pool, pcpus, .. } = &self.pools[pool];
            if pcpus.is_empty() {
                return Err(format!("{} would be in pool {}, which has no pCPU", vm.name, pool.name));
            }
            if !vm.hard.is_empty() && vm.hard.iter().all(|pcpu| !pcpus.contains(pcpu)) {
                return Err(format!(
                    "{} would be in pool {}, which has no pCPU of its `hard` affinity",
                    vm.name, pool.name
                ));
            }
        }
        Ok(())
    }

    fn named(&self, name: &str) -> Result<usize, String> {
        let found = self.pools.iter().position(|placed| !placed.ended && placed.pool.name == name);
        found.ok_or_else(|| format!("there is no pool {name}"))
    }

    /// Every pool that there is or was, as it was made, in the order of their numbers.
    pub fn pools(&self) -> impl Iterator<Item = &Pool> {
        self.pools.iter().map(|placed| &placed.pool)
    }

    /// A pool as it was made.
    pub fn pool(&self, pool: usize) -> &Pool {
        &self.pools[pool].pool
    }

    /// The pCPUs that a pool has now.
    pub fn pcpus(&self, pool: usize) -> &BTreeSet<u32> {
        &self.pools[pool].pcpus
    }

    /// The number of the pool that a virtual machine is in.
    pub fn pool_of_vm(&self, vm: usize) -> usize {
        self.vms[vm]
    }

    /// The number of the pool that a pCPU is in; none where it is in no pool.
    pub fn pool_of_pcpu(&self, pcpu: u32) -> Option<usize> {
        self.pools.iter().position(|placed| placed.pcpus.contains(&pcpu))
    }

    /// How many users of locks share each pCPU of a pool: vCPUs, or the threads that guests run on them.
    pub fn users_per_pcpu(&self, pool: usize) -> f64 {
        let vms = self.machines.iter().zip(&self.vms).filter(|(_, of)| **of == pool);
        let users: u32 = vms.map(|(vm, _)| vm.lock_users()).sum();
        f64::from(users) / self.pools[pool].pcpus.len().max(1) as f64
    }
}

impl Case {
    /// Whether its vCPUs go from pCPU to pCPU, as pools and affinities let them, and as threads do with their vCPUs.
    pub fn floats(&self) -> bool {
        let bound = |vm: &Vm| !vm.hard.is_empty() || !vm.soft.is_empty();
        !self.pools.is_empty() || self.has_threads() || self.vms.iter().any(bound)
    }

    /// Why the case, which names pCPUs by their numbers, cannot have so many; none if it can.
    pub fn no_such_pcpu(&self, pcpus: usize) -> Option<String> {
        let highest = self.highest_pcpu().filter(|&highest| highest as usize >= pcpus)?;
        Some(format!("the case names pCPU {highest}, and its pCPUs are {pcpus}, from 0 on"))
    }

    /// The highest number of a pCPU that the case names; none where it names none.
    fn highest_pcpu(&self) -> Option<u32> {
        let of_vms = self.vms.iter().flat_map(|vm| vm.hard.iter().chain(&vm.soft));
        let of_moves = self.moves.iter().flat_map(|change| match &change.change {
            Change::Pcpu { number, .. } => std::slice::from_ref(number),
            Change::Create(pool) => &pool.pcpus[..],
            Change::Vm { .. } | Change::Destroy { .. } => &[],
        });
        self.pools.iter().flat_map(|pool| &pool.pcpus).chain(of_vms).chain(of_moves).copied().max()
    }
}
