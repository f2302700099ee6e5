//! From groups of axes to cells.

use std::collections::BTreeMap;

use lockbench_reports::record::{Dropped, Workload};
use lockbench_workloads::Family;
use lockbench_workloads::locks::{EarlyWait, Params, Paravirt, Variant};

use super::collect::Collected;
use super::width::Width;
use super::{CellGroup, PlannedCell, Profile, parse_duration, show_duration, workload};
use crate::environments::{ENVIRONMENTS, Environment};
use crate::measure::own_slice;
use crate::registry::unknown;
use crate::topology::{self, Machine, Memory, Placement, PuIndex, assign, pairs};
use crate::{Error, Registry};

/// The locks that answer the three questions.
const CORE: [&str; 8] =
    ["ticket", "pvops-ticket", "pv-ticket", "pv-ticket-off", "mcs", "queued", "pv-queued", "std-mutex"];

/// Kernel limits aside, the most vCPUs a cell may have.
const MOST_VCPUS: u32 = 4096;

/// What a plan is made over.
pub(crate) struct Resources<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) machine: &'a Machine,
    /// Whether the machine is another one, so that environments are not asked whether they run here.
    pub(crate) foreign: bool,
}

/// All cells of a profile, most important first, each once; and those that cannot run here.
pub(crate) fn expand(
    profile: &Profile,
    on: &Resources<'_>,
) -> Result<(Vec<PlannedCell>, Vec<Dropped>), Error> {
    let mut collected = Collected::default();
    for group in &profile.cells {
        if let Some(refused) = group.numa.and_then(|numa| numa.refusal(on.machine)) {
            collected.refuse(refused);
            continue;
        }
        for planned in group_cells(group, on)? {
            match planned {
                Ok(cell) => collected.add(cell),
                Err(refused) => collected.refuse(refused),
            }
        }
    }
    Ok(collected.finish())
}

type Lock = (&'static Family, &'static Variant);

fn locks_of(names: &[String], registry: &Registry) -> Result<Vec<Lock>, Error> {
    let mut locks: Vec<Lock> = Vec::new();
    for name in names {
        let named: Vec<Lock> = match name.as_str() {
            "core" => CORE.iter().filter_map(|name| registry.lock(name)).collect(),
            "all" => registry.locks().collect(),
            "own" => registry.own_locks().filter_map(|name| registry.lock(name)).collect(),
            name => {
                let names = registry.locks().map(|(_, variant)| variant.name).chain(["core", "all", "own"]);
                vec![registry.lock(name).ok_or_else(|| unknown("lock", name, names))?]
            }
        };
        for lock in named {
            if !locks.iter().any(|(_, variant)| variant.name == lock.1.name) {
                locks.push(lock);
            }
        }
    }
    Ok(locks)
}

/// Where a cell runs: its axes but for lock, workload and threshold.
struct Site<'a> {
    env: &'static dyn Environment,
    vcpus: u32,
    pcpus: Vec<PuIndex>,
    placement: Placement,
    pinning: &'a str,
    memory: Memory,
    /// Timeslice to ask for, in nanoseconds.
    slice: Option<u64>,
    /// Why nothing can run there, if so.
    refusal: Option<String>,
}

/// A cell, or what cannot be had and why.
type Planned = Result<PlannedCell, Dropped>;

fn group_cells(group: &CellGroup, on: &Resources<'_>) -> Result<Vec<Planned>, Error> {
    if !["count", "off"].contains(&group.probe.as_str()) {
        return Err(unknown("probe", &group.probe, ["count", "off"]));
    }
    let locks = locks_of(&group.locks, on.registry)?;
    let workloads =
        group.workloads.iter().map(|name| workload::parse(name)).collect::<Result<Vec<_>, _>>()?;
    let early_waits = early_waits(group)?;
    let mut cells = Vec::new();
    for site in sites(group, on)? {
        let site = match site {
            Ok(site) => site,
            Err(refused) => {
                cells.push(Err(refused));
                continue;
            }
        };
        for each in loops(&workloads, &group.arrivals, site.vcpus) {
            let (workload, arrivals) = match each {
                Ok(each) => each,
                Err(refused) => {
                    cells.push(Err(refused));
                    continue;
                }
            };
            for &(family, variant) in &locks {
                for halting in haltings(group, &early_waits, (family, variant), site.env) {
                    let mut cell = cell_at(&site, workload.clone(), arrivals, variant, halting, &group.probe);
                    cell.purposes = group.purposes().collect();
                    let refusal = leaf_refusal(family, variant, site.env).or_else(|| site.refusal.clone());
                    cells.push(match refusal {
                        Some(reason) => Err(Dropped { cell: cell.axes.id, reason }),
                        None => place_on(&mut cell, &site, on.machine).map(|()| cell),
                    });
                }
            }
        }
    }
    Ok(cells)
}

/// A workload, and the rate of its arrivals if they come by the clock; or what cannot be had and why.
type Loop = Result<(Workload, Option<f64>), Dropped>;

/// The workloads as they are, or each at each rate of arrivals.
fn loops(workloads: &[Workload], rates: &[f64], vcpus: u32) -> Vec<Loop> {
    if rates.is_empty() {
        return workloads.iter().map(|workload| Ok((workload.clone(), None))).collect();
    }
    let each = workloads.iter().flat_map(|workload| rates.iter().map(move |&rate| (workload, rate)));
    each.map(|(workload, rate)| Ok((workload::with_arrivals(workload, rate, vcpus)?, Some(rate)))).collect()
}

/// The timeslices of a group; one that is the kernel's own where it names none.
fn slices(group: &CellGroup) -> Result<Vec<Option<u64>>, Error> {
    let slice = |text: &String| {
        let ns = parse_duration(text).map_err(Error::new)?.as_nanos() as u64;
        if own_slice::RANGE_NS.contains(&ns) {
            Ok(Some(ns))
        } else {
            Err(Error::new(format!("a timeslice of {text} cannot be had; give 100us to 100ms")))
        }
    };
    if group.slices.is_empty() {
        return Ok(vec![None]);
    }
    group.slices.iter().map(slice).collect()
}

fn sites<'a>(group: &'a CellGroup, on: &Resources<'_>) -> Result<Vec<Result<Site<'a>, Dropped>>, Error> {
    let told = |e: topology::Error| Error::new(e.to_string());
    let placements: Vec<Placement> =
        group.placements.iter().map(|name| name.parse()).collect::<Result<_, _>>().map_err(told)?;
    let memory: Vec<Memory> =
        group.memory.iter().map(|name| name.parse()).collect::<Result<_, _>>().map_err(told)?;
    let widths: Vec<Width> = group.on.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    if let Some(other) = group.pinnings.iter().find(|name| !["pinned", "floating"].contains(&name.as_str())) {
        return Err(unknown("pinning", other, ["pinned", "floating"]));
    }
    let mut sites = Vec::new();
    let slices = slices(group)?;
    for name in &group.envs {
        let names = ENVIRONMENTS.iter().map(|env| env.name());
        let env = on.registry.environment(name).ok_or_else(|| unknown("environment", name, names))?;
        let refusal = if on.foreign { None } else { env.check().err() };
        for (&placement, &width) in placements.iter().flat_map(|p| widths.iter().map(move |w| (p, w))) {
            for size in sizes(group, env, (placement, width), on.machine)? {
                let (vcpus, pcpus) = match size {
                    Ok(size) => size,
                    Err(refused) => {
                        sites.push(Err(refused));
                        continue;
                    }
                };
                for (pinning, &memory) in
                    group.pinnings.iter().flat_map(|p| memory.iter().map(move |m| (p, m)))
                {
                    for &slice in &slices {
                        let (pcpus, refusal) = (pcpus.clone(), refusal.clone());
                        let site = Site { env, vcpus, pcpus, placement, pinning, memory, slice, refusal };
                        sites.push(Ok(site));
                    }
                }
            }
        }
    }
    Ok(sites)
}

fn cell_at(
    site: &Site<'_>,
    workload: Workload,
    arrivals: Option<f64>,
    variant: &Variant,
    (threshold, early_wait): Halting,
    probe: &str,
) -> PlannedCell {
    let defaults = [
        ("memory", site.memory.to_string(), Memory::default().to_string()),
        ("spin-threshold", threshold.to_string(), Params::KERNEL_SPINS.to_string()),
        ("early-wait", early_wait.name().to_owned(), EarlyWait::default().name().to_owned()),
        ("probe", probe.to_owned(), "count".to_owned()),
        ("arrivals", arrivals.map_or_else(String::new, |rate| rate.to_string()), String::new()),
        ("slice", site.slice.map_or_else(String::new, show_duration), String::new()),
    ];
    let given = defaults.into_iter().filter(|(_, value, default)| value != default);
    let params: BTreeMap<String, String> = given.map(|(name, value, _)| (name.to_owned(), value)).collect();
    let pcpus = site.pcpus.iter().map(|pu| pu.0).collect();
    let mut cell = PlannedCell::new(
        variant,
        site.env.name(),
        workload,
        site.vcpus,
        pcpus,
        &site.placement.to_string(),
        site.pinning,
        params,
    );
    cell.spin_threshold = threshold;
    cell.early_wait = early_wait;
    cell.slice_ns = site.slice;
    cell
}

fn leaf_refusal(family: &Family, variant: &Variant, env: &dyn Environment) -> Option<String> {
    let (name, env_name) = (variant.name, env.name());
    (env.needs_leaf() && !family.leaf).then(|| {
        format!("{name} is not leaf code (it calls into libc or the kernel), so it cannot run inside a bare vCPU ({env_name})")
    })
}

/// When waiters halt: after so many loops, or sooner for a reason.
type Halting = (u32, EarlyWait);

/// Only a lock that may halt has a use for a spin threshold, and only some for a reason to halt before it.
fn haltings(
    group: &CellGroup,
    early_waits: &[EarlyWait],
    (family, variant): Lock,
    env: &dyn Environment,
) -> Vec<Halting> {
    let halts = variant.paravirt == Paravirt::On && env.hypervisor();
    let or = |given: &[u32], usual| if given.is_empty() || !halts { vec![usual] } else { given.to_vec() };
    let thresholds = or(&group.spin_thresholds, Params::KERNEL_SPINS);
    let usual = [EarlyWait::default()];
    let reasons = if halts && family.waits_early { early_waits } else { &usual };
    thresholds.iter().flat_map(|&threshold| reasons.iter().map(move |&reason| (threshold, reason))).collect()
}

/// The reasons of a group.
fn early_waits(group: &CellGroup) -> Result<Vec<EarlyWait>, Error> {
    if group.early_waits.is_empty() {
        return Ok(vec![EarlyWait::default()]);
    }
    let reason = |name: &String| {
        EarlyWait::named(name).ok_or_else(|| unknown("early wait", name, EarlyWait::ALL.map(EarlyWait::name)))
    };
    group.early_waits.iter().map(reason).collect()
}

/// Fills in the nodes of memory and of each vCPU; refused where the machine has no such nodes.
fn place_on(cell: &mut PlannedCell, site: &Site<'_>, machine: &Machine) -> Result<(), Dropped> {
    let pcpus = site.pcpus.as_slice();
    let node = |pu: PuIndex| machine.pu(pu).and_then(|pu| pu.nodes.first()).map_or(0, |node| node.0);
    cell.vcpu_nodes = assign(cell.axes.vcpus as usize, pcpus).into_iter().map(node).collect();
    cell.pairs = pairs(machine, pcpus);
    let nodes = site.memory.nodes(machine, pcpus).map_err(|e| not_here("memory", site.memory, e))?;
    cell.memory_nodes = nodes.into_iter().map(|node| node.0).collect();
    Ok(())
}

/// A value of an axis that this machine cannot have, whatever the other axes are.
fn not_here(axis: &str, value: impl std::fmt::Display, why: impl std::fmt::Display) -> Dropped {
    Dropped { cell: format!("{axis}={value}"), reason: why.to_string() }
}

/// How many vCPUs, on which pCPUs; or what cannot be had and why.
type Size = Result<(u32, Vec<PuIndex>), Dropped>;

/// The sizes of a group. Sizes that come out equal after rounding count once; those that an environment cannot have by its
/// nature (native above 1x) are not there.
fn sizes(
    group: &CellGroup,
    env: &dyn Environment,
    (placement, width): (Placement, Width),
    machine: &Machine,
) -> Result<Vec<Size>, Error> {
    let all = match width.pcpus(placement, machine) {
        Ok(all) => all,
        Err(e @ topology::Error::TooFewCpus { .. }) => return Ok(vec![Err(not_here("on", width, e))]),
        Err(e) => return Ok(vec![Err(not_here("placement", placement, e))]),
    };
    let factor = |k: &f64| ((k * all.len() as f64).round().max(1.0) as u32, "overcommit", k.to_string());
    let count = |n: &u32| (*n, "vcpus", n.to_string());
    let mut sizes: Vec<Size> = Vec::new();
    for (vcpus, axis, value) in group.overcommit.iter().map(factor).chain(group.vcpus.iter().map(count)) {
        if vcpus == 0 {
            return Err(Error::new(format!("0 vCPUs cannot be had; give 1 to {MOST_VCPUS}")));
        }
        if vcpus as usize > all.len() && !env.overcommits() {
            continue;
        }
        let size = if vcpus > MOST_VCPUS {
            Err(not_here(
                axis,
                value,
                format!("a cell of {vcpus} vCPUs cannot be had; {MOST_VCPUS} are the most"),
            ))
        } else {
            Ok((vcpus, all[..all.len().min(vcpus as usize)].to_vec()))
        };
        if !sizes.contains(&size) {
            sizes.push(size);
        }
    }
    Ok(sizes)
}
