//! The machine that a run was taken on, and which facilities it has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The machine: its identity, its state, and warnings about it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Machine {
    /// Processor model as the processor states it.
    pub cpu_model: String,
    /// `x86_64` or `aarch64`.
    pub arch: String,
    /// Number of packages that this process may use.
    pub packages: u32,
    /// Number of cores that this process may use.
    pub cores: u32,
    /// Number of logical CPUs (PUs) that this process may use.
    pub pus: u32,
    /// Number of NUMA nodes.
    pub numa_nodes: u32,
    /// One line that identifies the topology: `Package:1 NUMANode:1 L3:1(32MiB) Core:2 PU:2`.
    pub topology: String,
    /// Hypervisor beneath this machine: `none`, `kvm`, `xen`, ….
    pub hypervisor: String,
    /// Kind of KVM that this machine offers: `hardware`, `nested`, `software (pvm)`, `absent`, ….
    pub kvm: String,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Kernel release. It does not identify the machine, and neither do the next four fields: upgrades change them.
    pub kernel: String,
    /// Microcode revision.
    pub microcode: String,
    /// Operating system, from os-release.
    pub os: String,
    /// Compiler that built this program.
    pub toolchain: String,
    /// Commit and version of lockbench.
    pub lockbench: String,
    /// Frequency governor; empty where the machine shows none.
    pub governor: String,
    /// `on`, `off`, `unknown`.
    pub smt: String,
    /// Host name, for the reader; it does not identify the machine.
    pub hostname: String,
    /// The whole topology as plain data.
    pub topology_detail: Option<serde_json::Value>,
    /// What was needed of this machine, and whether it has it: pinning, memory binding, preemption counting, ….
    pub facilities: Vec<Facility>,
    /// Costs measured at start.
    pub calibration: Calibration,
    /// What KVM costs here; none where no kvm cells were planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kvm_costs: Option<Box<KvmCosts>>,
    /// The tightest CPU quota on the program; none where none could be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_quota: Option<CpuQuota>,
    /// How the program was started, if not with SCHED_OTHER and a nice value of 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduling: Option<Scheduling>,
    /// Sentences to be read before any number: governor, other load, swap, ….
    pub warnings: Vec<String>,
}

impl Machine {
    /// Whether a facility is there.
    pub fn has(&self, facility: &str) -> bool {
        self.facilities.iter().any(|known| known.name == facility && known.available)
    }

    /// Why a facility is not there, where lockbench looked for it.
    pub fn lacks(&self, facility: &str) -> Option<&str> {
        let known = self.facilities.iter().find(|known| known.name == facility && !known.available)?;
        Some(&known.detail)
    }
}

/// One thing that an environment needs, and whether it could be had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Facility {
    /// `pinning`, `memory-binding`, `preemption-counting`, `thread-times`, `kvm`, `steal-time`, `preempted-hint`, ….
    pub name: String,
    /// Whether it works here.
    pub available: bool,
    /// How it was verified, or why it is missing, in plain words.
    pub detail: String,
}

impl Facility {
    /// One that was looked for: how it was found to work, or why it is missing.
    pub fn new(name: &str, found: Result<String, impl std::fmt::Display>) -> Self {
        let available = found.is_ok();
        let detail = found.unwrap_or_else(|why| why.to_string());
        Self { name: name.into(), available, detail }
    }
}

/// A CPU quota of a control group, as containers have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct CpuQuota {
    /// CPUs' worth of time that the group may use: 0.2 is 20 ms of every 100 ms.
    pub cpus: f64,
    /// Length of a period, in nanoseconds: the quota is given anew in each.
    pub period_ns: u64,
    /// The file that says so.
    pub source: String,
}

/// How the program was started. Everything is measured with SCHED_OTHER all the same, but with this nice value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Scheduling {
    /// Scheduling class: `SCHED_OTHER`, `SCHED_FIFO`, `SCHED_RR`, `SCHED_BATCH`, `SCHED_IDLE`, `SCHED_DEADLINE`, ….
    pub class: String,
    /// Nice value, from -20 to 19.
    pub nice: i32,
}

/// Costs measured at start, so that loop counts can be shown as times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Calibration {
    /// One `pause` (or `yield`) instruction, in nanoseconds.
    pub pause_ns: f64,
    /// One iteration of a lock's spin loop (load, compare, relax), in nanoseconds.
    pub spin_ns: f64,
    /// Scheduler timeslice between two busy threads on one pCPU, in nanoseconds; 0 if it could not be measured.
    pub slice_ns: f64,
    /// Ticks of the time-stamp counter per nanosecond.
    pub ticks_per_ns: f64,
    /// One iteration of the calibrated busy work that sections and think times are made of, in nanoseconds.
    pub work_ns: f64,
}

/// What KVM costs on this machine. A halt that costs 1 us pays in other cases than one that costs 30 us.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct KvmCosts {
    /// From a store to the doorbell page, through user space, to the guest's next instruction.
    pub round_trip_ns: CostNs,
    /// The second half of the round trip: from the call of KVM_RUN to the guest's next instruction.
    pub entry_ns: CostNs,
    /// From a kick to the first instruction of a vCPU that slept, through an ioeventfd, as in cells.
    pub kick_event_ns: CostNs,
    /// From a kick to the first instruction of a vCPU that slept, through an exit to the kicker's host thread; for comparison.
    pub kick_exit_ns: CostNs,
    /// Speed of the guest's ring 3 as a fraction of native speed.
    pub ring3_speed: f64,
    /// Whether the guest's time-stamp counter is the host's.
    pub clocks_agree: bool,
    /// Parameters of the host's KVM and scheduler that could be read: `kvm.halt_poll_ns`, `kvm_intel.ple_gap`, ….
    pub parameters: BTreeMap<String, String>,
}

/// Percentiles of a cost that was measured many times, in nanoseconds; all 0 where it could not be measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct CostNs {
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 99th percentile.
    pub p99: f64,
    /// How often it was measured.
    pub samples: u64,
}
