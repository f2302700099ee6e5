//! Virtual machines that share a cell's pCPUs.

use serde::{Deserialize, Serialize};

use super::Workload;

/// What a cell is in a scenario: the virtual machines that share its pCPUs, of which the first one is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Case {
    /// Name of the scenario.
    pub scenario: String,
    /// What the scenario shows, in its author's words.
    #[serde(default)]
    pub shows: String,
    /// Name of the case in the scenario.
    pub name: String,
    /// The virtual machines.
    pub vms: Vec<Vm>,
}

/// A virtual machine of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Vm {
    /// Its name.
    pub name: String,
    /// Its number of vCPUs.
    pub vcpus: u32,
    /// Its weight beside the others, under a scheduler that has weights.
    #[serde(default = "usual_weight")]
    pub weight: u32,
    /// The most that it may use, in pCPUs: 0.5 is half of one; none for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_pcpus: Option<f64>,
    /// Name of its lock; none for the cell's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// Its workload; none for the cell's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
}

/// The weight of a virtual machine where none is given.
pub const USUAL_WEIGHT: u32 = 256;

fn usual_weight() -> u32 {
    USUAL_WEIGHT
}

/// What a virtual machine of a case did in a window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct VmMeasured {
    /// Its name.
    pub name: String,
    /// Acquisitions by each of its vCPUs.
    pub operations: Vec<u64>,
    /// Fraction of the window for which each of its vCPUs was on a pCPU; empty where that is unknown.
    pub on_cpu_share: Vec<f64>,
}
