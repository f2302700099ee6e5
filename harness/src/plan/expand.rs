//! Makes cells from groups of axes.

use std::collections::HashMap;
use std::sync::Arc;

use lockbench_reports::record::{Case, Dropped, Vm};

use super::blocks::Blocks;
use super::collect::Collected;
use super::room::{roomiest, vcpus_on};
use super::{CellGroup, PlannedCell, Profile};
use crate::Registry;
use crate::axes::{Arrivals, Axes, Axis, Env, Flag, Lock, MOST_VCPUS, On, Pinning, Size, Values, Workload};
use crate::cell::RecordedLog;
use crate::topology::{self, Machine, Memory, Placement, PuIndex, assign, pairs};

/// Everything that a plan is made for: the machine and its facilities.
pub(crate) struct Resources<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) machine: &'a Machine,
    /// Whether the plan is for another machine, so that environments are not asked whether they run here.
    pub(crate) foreign: bool,
}

/// All cells of a profile, most important first, each once; and those that cannot run here.
pub(crate) fn expand(profile: &Profile, on: &Resources<'_>) -> (Vec<PlannedCell>, Vec<Dropped>) {
    let mut collected = Collected::default();
    let mut found = Found { on, envs: HashMap::new(), pcpus: Vec::new() };
    for group in &profile.cells {
        if let Some(refused) = group.numa.and_then(|numa| numa.refusal(on.machine)) {
            collected.refuse(refused);
            continue;
        }
        if let Some(refused) = group.width.refusal(&group.shown(), on.machine.pus.len()) {
            collected.refuse(refused);
            continue;
        }
        for (values, lock) in group.product(on.registry) {
            match found.case(values, lock, group) {
                Ok(Some(cell)) => collected.add(cell),
                // An environment that by its nature has no such size (native above 1x) is not asked for it.
                Ok(None) => {}
                Err(refused) => collected.refuse(refused),
            }
        }
    }
    collected.finish()
}

type Pcpus = Result<Vec<PuIndex>, topology::Error>;

/// A plan's resources, and what was found out about them once for all cells.
struct Found<'a> {
    on: &'a Resources<'a>,
    /// Why nothing can run in an environment; none if cells can.
    envs: HashMap<&'static str, Option<String>>,
    pcpus: Vec<((Placement, On), Pcpus)>,
}

impl Found<'_> {
    /// The cell of these values, with the other virtual machines of its group's case.
    fn case(
        &mut self,
        values: Values,
        lock: Lock,
        group: &CellGroup,
    ) -> Result<Option<PlannedCell>, Dropped> {
        let others = group.case.iter().flat_map(|case| case.vms.iter().skip(1));
        let mut neighbours = Vec::new();
        for vm in others {
            let mut values = values.clone();
            values.size = Size::Count(vm.lock_users());
            if let Some(name) = &vm.placement {
                values.placement = placement(name)?;
            }
            if let Some(workload) = &vm.workload {
                values.workload = Workload::of_record(workload)
                    .map_err(|e| refused(&Workload::FLAGS[0], &workload.name, e.to_string()))?;
            }
            let lock = vm.lock.as_deref().and_then(|name| self.on.registry.lock(name)).unwrap_or(lock);
            neighbours.extend(self.cell(values, lock, group, None)?);
        }
        let mut values = values;
        let first = group.case.as_ref().and_then(|case| case.vms.first());
        match first.and_then(|vm| Some((vm, vm.placement.as_deref()?))) {
            Some((vm, Vm::AUTOMATIC)) => {
                values.placement = roomiest(self.on.machine, vm.vcpus, values.on, &neighbours);
            }
            Some((_, name)) => values.placement = placement(name)?,
            None => {}
        }
        let Some(mut cell) = self.cell(values, lock, group, group.case.clone())? else { return Ok(None) };
        if group.case.iter().flat_map(|case| &case.vms).any(Vm::has_own_place) {
            // Machines that are elsewhere take nothing of its pCPUs.
            let beside = |other: &PlannedCell| vcpus_on(other, |pcpu| cell.axes.pcpus.contains(&pcpu));
            let all = cell.axes.vcpus as usize + neighbours.iter().map(beside).sum::<usize>();
            cell.axes.overcommit = all as f64 / cell.axes.pcpus.len() as f64;
        }
        Ok(Some(PlannedCell { neighbours, ..cell }))
    }

    /// The cell of these values; the error says which value cannot be had, and why.
    fn cell(
        &mut self,
        mut values: Values,
        lock: Lock,
        group: &CellGroup,
        case: Option<Case>,
    ) -> Result<Option<PlannedCell>, Dropped> {
        let pcpus = self.pcpus(values.placement, values.on).map_err(|e| {
            let wide = matches!(e, topology::Error::TooFewCpus { .. });
            if wide { not_here(&values.on, e) } else { not_here(&values.placement, e) }
        })?;
        let vcpus = values.size.vcpus(pcpus.len());
        if vcpus as usize > pcpus.len() && !values.env.overcommits() {
            return Ok(None);
        }
        if vcpus > MOST_VCPUS {
            let why = format!("a cell of {vcpus} vCPUs cannot be had; {MOST_VCPUS} are the most");
            return Err(refused(values.size.flag(), &values.size.bare(), why));
        }
        // A machine that shares its pCPUs with others may use all of them.
        let most = if group.case.is_some() { pcpus.len() } else { vcpus as usize };
        let pcpus = pcpus[..pcpus.len().min(most)].to_vec();
        // Where its memory is made; it moves to its pCPUs later.
        let moved_from = case.as_ref().and_then(|case| case.vms.first()?.moved_from.clone());
        let born = match &moved_from {
            Some(name) => {
                let from = placement(name)?;
                let born = self.pcpus(from, values.on).map_err(|e| not_here(&from, e))?;
                born[..born.len().min(most)].to_vec()
            }
            None => pcpus.clone(),
        };
        if moved_from.is_some() && born == pcpus {
            return Err(refused(
                &Placement::FLAGS[0],
                &values.placement.show(),
                "it is where the machine is to move away from".into(),
            ));
        }
        if let Arrivals::PerSecond(rate) = values.arrivals {
            values.workload = values.workload.with_arrivals(rate, vcpus)?;
        }
        values.settle(lock);
        let (env, memory, pinning) = (values.env, values.memory, values.pinning);
        let axes = Axes::new(lock, values, vcpus, pcpus.iter().map(|pu| pu.0).collect(), case);
        let scheduler = axes.values.scheduler;
        let by_nature = leaf_refusal(lock, env)
            .or_else(|| axes.values.workload.refusal(vcpus, axes.values.slice_extension))
            .or_else(|| sleep_refusal(&axes.values))
            .or_else(|| scheduler.refusal(lock, env))
            .or_else(|| axes.values.slice_extension.refusal(env, scheduler))
            .or_else(|| axes.case.as_ref().and_then(|case| scheduler.refusal_of(case)))
            .or_else(|| axes.case.as_ref().and_then(|case| case.no_such_pcpu(axes.pcpus.len())));
        if let Some(reason) = by_nature.or_else(|| self.refusal(env)) {
            return Err(Dropped { cell: axes.id, reason });
        }
        let recorded = recorded(&axes, group).map_err(|reason| Dropped { cell: axes.id.clone(), reason })?;
        let machine = self.on.machine;
        let node = |pu: PuIndex| machine.pu(pu).and_then(|pu| pu.nodes.first()).map_or(0, |node| node.0);
        let no_node = |e| not_here::<Memory>(&memory, e);
        let nodes = |memory: Memory| -> Result<Vec<u32>, Dropped> {
            let nodes = memory.nodes(machine, &born).map_err(no_node)?;
            Ok(nodes.into_iter().map(|node| node.0).collect())
        };
        let memory_nodes = nodes(memory)?;
        let data_nodes = memory.of_data().map_or_else(|| Ok(Vec::new()), nodes)?;
        if !data_nodes.is_empty() && axes.values.workload.lines == 0 {
            let why = "its sections write no lines of data; give a workload such as lines:8".to_owned();
            return Err(refused(&Memory::FLAGS[0], &memory.show(), why));
        }
        // A floating vCPU may run on any of them; its block lies with the first.
        let near = if pinning == Pinning::Floating { &born[..1] } else { &born };
        let blocks = Blocks::on(machine, &assign(vcpus as usize, near), &memory_nodes).map_err(no_node)?;
        Ok(Some(PlannedCell {
            lock,
            axes,
            neighbours: Vec::new(),
            moved_from: if moved_from.is_some() { born.iter().map(|pu| pu.0).collect() } else { Vec::new() },
            memory_nodes,
            data_nodes,
            vcpu_nodes: assign(vcpus as usize, &pcpus).into_iter().map(node).collect(),
            blocks,
            pairs: pairs(machine, &pcpus),
            recorded,
            shortest_window_ns: group.window.map_or(0, |window| window.as_nanos() as u64),
            purposes: group.purposes().collect(),
        }))
    }

    /// The pCPUs that a cell of that placement is given.
    fn pcpus(&mut self, placement: Placement, on: On) -> Pcpus {
        if let Some((_, known)) = self.pcpus.iter().find(|(asked, _)| *asked == (placement, on)) {
            return known.clone();
        }
        let pcpus = on.pcpus(placement, self.on.machine);
        self.pcpus.push(((placement, on), pcpus.clone()));
        pcpus
    }

    /// Why nothing can run in an environment here.
    fn refusal(&mut self, env: Env) -> Option<String> {
        let foreign = self.on.foreign;
        self.envs
            .entry(env.name())
            .or_insert_with(|| if foreign { None } else { env.check().err().map(|why| why.reason) })
            .clone()
    }
}

/// The log that a cell replays, if its scheduler names a recorded one; or why it cannot.
fn recorded(axes: &Axes, group: &CellGroup) -> Result<Option<Arc<RecordedLog>>, String> {
    let Some(hash) = axes.values.scheduler.recorded() else { return Ok(None) };
    let log = group.recorded().filter(|log| log.hash() == hash).ok_or_else(|| {
        "a recorded log is named by its hash alone; give the run and the cell that it comes from with --replay RUN:CELL".to_owned()
    })?;
    // A neighbour has no case, but the measured machine's case has them all.
    let alone = group.case.is_some() && axes.case.is_none();
    match log.refusal(axes, axes.values.pinning == Pinning::Pinned).filter(|_| !alone) {
        Some(why) => Err(why),
        None => Ok(Some(log.clone()).filter(|_| !alone)),
    }
}

/// Why nobody would wake the vCPUs of a workload that sleeps; none if somebody does, or if it does not sleep.
fn sleep_refusal(values: &Values) -> Option<String> {
    let (sleeps, name) = (values.workload.think.sleeps, values.workload.show());
    (sleeps && !values.scheduler.is_hypervisor()).then(|| {
        format!(
            "vCPUs of {name} sleep until a timer of the emulated hypervisor wakes them, and {} has no such timer; give --scheduler \
             round-robin, credit or gang",
            values.scheduler.show()
        )
    })
}

fn leaf_refusal(lock: Lock, env: Env) -> Option<String> {
    let (name, env_name) = (lock.name(), env.name());
    if !env.needs_leaf() {
        None
    } else if !lock.family.leaf {
        Some(format!(
            "{name} is not leaf code (it calls into libc or the kernel), so it cannot run inside a bare vCPU ({env_name})"
        ))
    } else if lock.family.checked {
        Some(format!(
            "{name} is compiled with checks, which call what a bare vCPU ({env_name}) does not see: build with --release, or give \
             your package the profile that docs/writing-a-lock.md shows"
        ))
    } else {
        None
    }
}

/// A placement that a machine of a case names.
fn placement(name: &str) -> Result<Placement, Dropped> {
    <Placement as Axis>::parse(name).map_err(|e| refused(&Placement::FLAGS[0], name, e.to_string()))
}

/// A value that this machine cannot have, whatever the other axes are.
fn not_here<A: Axis>(value: &A, why: topology::Error) -> Dropped {
    refused(&A::FLAGS[0], &value.show(), why.to_string())
}

fn refused(flag: &Flag, value: &str, reason: String) -> Dropped {
    Dropped { cell: format!("{}={value}", flag.name), reason }
}
