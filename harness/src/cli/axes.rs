//! The axes, as options that `suite` and `run` share.

use std::time::Duration;

use crate::Error;
use crate::plan::{CellGroup, Profile, parse_duration};
use crate::topology::CpuList;

/// Options that choose what is measured. Lists are comma-separated.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Axes {
    /// Locks, or the groups core, own, all
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) locks: Option<Vec<String>>,
    /// Environments: native, emulated, kvm
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) envs: Option<Vec<String>>,
    /// Sections and think times: short, lines:8+exp:500ns
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) workloads: Option<Vec<String>>,
    /// vCPUs per pCPU: 1,1.5,2
    #[arg(long, value_delimiter = ',', value_name = "FACTORS")]
    pub(crate) overcommit: Option<Vec<f64>>,
    /// vCPU counts, instead of factors: 1,2,4
    #[arg(long, value_delimiter = ',', value_name = "COUNTS")]
    pub(crate) vcpus: Option<Vec<u32>>,
    /// pCPUs for a cell: all, node (as many as a NUMA node has cores), or a number [default: all]
    #[arg(long, value_delimiter = ',', value_name = "NUMBERS")]
    pub(crate) on: Option<Vec<String>>,
    /// Placements: compact, scatter, node:first, node:0, round-robin, smt-first, smt-last
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) placement: Option<Vec<String>>,
    /// pinned (each vCPU to a pCPU) or floating (all in the set of pCPUs)
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) pinning: Option<Vec<String>>,
    /// Where the arena lies: local, remote, interleave
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) memory: Option<Vec<String>>,
    /// Spin iterations before a paravirtual lock halts [default: the kernel's 32768]
    #[arg(long, value_delimiter = ',', value_name = "ITERATIONS")]
    pub(crate) spin_threshold: Option<Vec<u32>>,
    /// What makes a queued waiter of pv-queued halt before that: halted (the waiter before it has), hint (that, or the host
    /// calls it preempted), always [default: halted]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) early_wait: Option<Vec<String>>,
    /// Turns arrive by themselves, so many per second in all, instead of after the last [default: a closed loop]
    #[arg(long, value_delimiter = ',', value_name = "RATES")]
    pub(crate) arrivals: Option<Vec<f64>>,
    /// Timeslices that the vCPUs' threads ask the kernel for: 1ms,4ms (Linux 6.12 or newer) [default: its own]
    #[arg(long, value_delimiter = ',', value_name = "TIMES")]
    pub(crate) slice: Option<Vec<String>>,
    /// CPUs to measure on: 0-3,8 [default: all that this process may use]
    #[arg(long, value_name = "CPUS")]
    pub(crate) pcpus: Option<String>,
    /// Length of a window: 200ms
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) window: Option<Duration>,
    /// How often each cell is measured
    #[arg(long, value_name = "N")]
    pub(crate) rounds: Option<u32>,
    /// Seed of everything random [default: from the clock]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// What is watched in throughput windows: count (preemptions and events) or off
    #[arg(long, value_name = "NAME")]
    pub(crate) probe: Option<String>,
    /// Measure acquire times as well, in windows of their own
    #[arg(long)]
    pub(crate) latency: bool,
    /// Trace events as well, in windows of their own
    #[arg(long)]
    pub(crate) trace: bool,
}

impl Axes {
    /// Replaces the profile's axes by those given. Sizes are replaced where a group has that kind of size.
    pub(crate) fn apply(&self, profile: &mut Profile) -> Result<(), Error> {
        for group in &mut profile.cells {
            self.apply_to(group);
        }
        profile.rounds = self.rounds.unwrap_or(profile.rounds);
        profile.window = self.window.unwrap_or(profile.window);
        profile.check().map_err(Error::new)
    }

    fn apply_to(&self, group: &mut CellGroup) {
        let replace = |axis: &mut Vec<String>, given: &Option<Vec<String>>| {
            if let Some(given) = given {
                axis.clone_from(given);
            }
        };
        replace(&mut group.locks, &self.locks);
        replace(&mut group.envs, &self.envs);
        replace(&mut group.workloads, &self.workloads);
        replace(&mut group.on, &self.on);
        replace(&mut group.placements, &self.placement);
        replace(&mut group.pinnings, &self.pinning);
        replace(&mut group.memory, &self.memory);
        replace(&mut group.slices, &self.slice);
        replace(&mut group.early_waits, &self.early_wait);
        if let Some(factors) = &self.overcommit
            && !group.overcommit.is_empty()
        {
            group.overcommit.clone_from(factors);
        }
        if let Some(counts) = &self.vcpus
            && !group.vcpus.is_empty()
        {
            group.vcpus.clone_from(counts);
        }
        if let Some(thresholds) = &self.spin_threshold {
            group.spin_thresholds.clone_from(thresholds);
        }
        if let Some(rates) = &self.arrivals {
            group.arrivals.clone_from(rates);
        }
        if let Some(probe) = &self.probe {
            group.probe.clone_from(probe);
        }
        group.latency |= self.latency;
        group.trace |= self.trace;
    }

    /// The environments that somebody asked for by name, each once: here, or in a profile of their own.
    pub(crate) fn named_envs(&self, profile: &Profile, own_profile: bool) -> Vec<String> {
        let mut named: Vec<String> = Vec::new();
        if self.envs.is_some() || own_profile {
            for env in profile.envs() {
                if !named.iter().any(|known| known == env) {
                    named.push(env.to_owned());
                }
            }
        }
        named
    }

    /// The CPUs asked for.
    pub(crate) fn cpu_list(&self) -> Result<Option<CpuList>, Error> {
        let parse = |text: &String| text.parse::<CpuList>().map_err(|e| Error::new(e.to_string()));
        self.pcpus.as_ref().map(parse).transpose()
    }

    /// The seed, from the clock where none is given.
    pub(crate) fn seed(&self) -> u64 {
        self.seed.unwrap_or_else(|| fastrand::u64(..1 << 32))
    }
}
