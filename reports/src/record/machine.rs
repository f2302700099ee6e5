//! The machine a run was taken on, and what could and could not be had on it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The machine: what identifies it, what describes its state, and what to be warned of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Machine {
    /// Processor model as the processor states it.
    pub cpu_model: String,
    /// `x86_64` or `aarch64`.
    pub arch: String,
    /// Packages, cores and logical CPUs (PUs) that this process may use.
    pub packages: u32,
    /// See `packages`.
    pub cores: u32,
    /// See `packages`.
    pub pus: u32,
    /// NUMA nodes.
    pub numa_nodes: u32,
    /// One line that identifies the topology: `Package:1 NUMANode:1 L3:1(32MiB) Core:2 PU:2`.
    pub topology: String,
    /// Hypervisor beneath this machine: `none`, `kvm`, `xen`, ….
    pub hypervisor: String,
    /// Kind of KVM that this machine offers: `hardware`, `nested`, `software (pvm)`, `absent`, ….
    pub kvm: String,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Metadata, which an upgrade changes: kernel release.
    pub kernel: String,
    /// Metadata: microcode revision.
    pub microcode: String,
    /// Metadata: operating system, from os-release.
    pub os: String,
    /// Metadata: compiler that built this program.
    pub toolchain: String,
    /// Metadata: commit and version of lockbench.
    pub lockbench: String,
    /// Frequency governor; empty where the machine shows none.
    pub governor: String,
    /// `on`, `off`, `unknown`.
    pub smt: String,
    /// Host name: for the reader, never an identity.
    pub hostname: String,
    /// The whole topology as plain data.
    pub topology_detail: Option<serde_json::Value>,
    /// What was asked of this machine and could be had or not: pinning, memory binding, preemption counting, ….
    pub facilities: Vec<Facility>,
    /// What was measured of it at start.
    pub calibration: Calibration,
    /// What KVM costs here, where kvm cells were planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kvm_costs: Option<Box<KvmCosts>>,
    /// The tightest CPU quota that holds for the program; none where none could be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_quota: Option<CpuQuota>,
    /// How the program was started, where not with SCHED_OTHER and a nice value of 0.
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

    /// Why a facility is not there, where that was looked for.
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
    /// The quota is given anew each time that this has passed.
    pub period_ns: u64,
    /// The file that says so.
    pub source: String,
}

/// How the program was started. Everything is measured with SCHED_OTHER all the same, with this nice value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Scheduling {
    /// `SCHED_OTHER`, `SCHED_FIFO`, `SCHED_RR`, `SCHED_BATCH`, `SCHED_IDLE`, `SCHED_DEADLINE`, ….
    pub class: String,
    /// From -20 to 19.
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

/// What KVM costs on this machine: 1 us here and 30 us there decide what a halt is worth.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct KvmCosts {
    /// A store to the doorbell page, to user space and back to the next instruction.
    pub round_trip_ns: CostNs,
    /// Its second half: from the call of KVM_RUN to the guest's next instruction.
    pub entry_ns: CostNs,
    /// From a kick to the first instruction of a vCPU that slept, through an ioeventfd: how cells kick.
    pub kick_event_ns: CostNs,
    /// The same through an exit to the kicker's host thread, for comparison.
    pub kick_exit_ns: CostNs,
    /// Speed of ring 3 as a part of native speed; 1 is native.
    pub ring3_speed: f64,
    /// Whether the guest's time-stamp counter is the host's.
    pub clocks_agree: bool,
    /// Parameters of the host's KVM and scheduler that could be read: `kvm.halt_poll_ns`, `kvm_intel.ple_gap`, ….
    pub parameters: BTreeMap<String, String>,
}

/// Percentiles of something measured many times, in nanoseconds; all 0 where it could not be.
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
