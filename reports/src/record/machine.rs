//! The machine a run was taken on, and what could and could not be had on it.

use serde::{Deserialize, Serialize};

/// The machine: what identifies it, what describes its state, and what to be warned of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// The whole topology as plain data, for the picture (see the harness's `topology::Machine`).
    pub topology_detail: Option<serde_json::Value>,
    /// What was asked of this machine and could be had or not: pinning, memory binding, preemption counting, ….
    pub facilities: Vec<Facility>,
    /// What was measured of it at start.
    pub calibration: Calibration,
    /// Sentences to be read before any number: governor, other load, swap, ….
    pub warnings: Vec<String>,
}

/// One thing that an environment needs, and whether it could be had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facility {
    /// `pinning`, `memory-binding`, `preemption-counting`, `kvm`, `steal-time`, `preempted-hint`, ….
    pub name: String,
    /// Whether it works here.
    pub available: bool,
    /// How it was verified, or why it is missing, in plain words.
    pub detail: String,
}

/// Costs measured at start, so that loop counts can be shown as times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
