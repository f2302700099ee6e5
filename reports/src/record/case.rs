//! Virtual machines that share a cell's pCPUs.

use serde::{Deserialize, Serialize};

use super::{Move, Pool, Workload};

/// What a cell is in a scenario: the virtual machines that share its pCPUs, of which the first one is measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// The pools that the pCPUs are in when the cell begins; none where all machines share all pCPUs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<Pool>,
    /// What changes about the pools in the window, in order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Move>,
    /// What the case is to tell.
    #[serde(default, skip_serializing_if = "Answer::is_rates")]
    pub answer: Answer,
}

/// What a case is to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// What locks keep of their rates.
    #[default]
    Rates,
    /// Which part of the pCPUs' time each virtual machine has, beside the part that it should have.
    Shares,
}

impl Answer {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_rates(&self) -> bool {
        *self == Self::Rates
    }
}

/// A virtual machine of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Vm {
    /// Its name.
    pub name: String,
    /// Its number of vCPUs.
    pub vcpus: u32,
    /// How many threads its guest's own scheduler has for each vCPU; 1 where each user of the lock is a vCPU.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub threads_per_vcpu: u32,
    /// The timeslice that its guest's scheduler gives to a thread, in nanoseconds; none for the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_slice_ns: Option<u64>,
    /// Its weight beside the others, under a scheduler that has weights.
    #[serde(default = "usual_weight")]
    pub weight: u32,
    /// The most that it may use, in pCPUs: 0.5 is half of one; none for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_pcpus: Option<f64>,
    /// The pool that it is in when the cell begins; none where there are no pools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// The only pCPUs that its vCPUs may run on, as numbers of the cell's pCPUs; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hard: Vec<u32>,
    /// The pCPUs that its vCPUs rather run on, as numbers of the cell's pCPUs; empty for none in particular.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub soft: Vec<u32>,
    /// Name of its lock; none for the cell's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// Its workload; none for the cell's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
    /// Its placement: one by name, or `automatic`, the NUMA node with room; none for the cell's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<String>,
    /// The placement that it is started in: it moves to its own when the window opens, and its memory stays. None where it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
}

impl Vm {
    /// What stands for the NUMA node with room, among placements.
    pub const AUTOMATIC: &'static str = "automatic";

    /// How many users its lock has: its vCPUs, or the threads that its guest's scheduler runs on them.
    pub fn lock_users(&self) -> u32 {
        self.vcpus.saturating_mul(self.threads_per_vcpu)
    }

    /// The timeslice of a thread, in nanoseconds; none where its guest has no scheduler.
    pub fn thread_slice_ns(&self) -> Option<u64> {
        (self.threads_per_vcpu > 1).then_some(self.guest_slice_ns.unwrap_or(USUAL_GUEST_SLICE_NS))
    }

    /// Whether it is not where the cell's placement alone would have it.
    pub fn has_own_place(&self) -> bool {
        self.placement.is_some() || self.moved_from.is_some()
    }
}

impl Vm {
    /// A virtual machine of so many vCPUs with the usual weight, and everything else left to the cell.
    pub fn usual(name: &str, vcpus: u32) -> Self {
        Self {
            name: name.to_owned(),
            vcpus,
            threads_per_vcpu: 1,
            guest_slice_ns: None,
            weight: USUAL_WEIGHT,
            cap_pcpus: None,
            pool: None,
            hard: Vec::new(),
            soft: Vec::new(),
            lock: None,
            workload: None,
            placement: None,
            moved_from: None,
        }
    }
}

impl Case {
    /// Whether a machine's guest schedules threads on its vCPUs.
    pub fn has_threads(&self) -> bool {
        self.vms.iter().any(|vm| vm.threads_per_vcpu > 1)
    }

    /// The vCPU of each user of a lock, in the order that logs count them in: machine by machine. vCPUs are counted in the same order.
    pub fn vcpus_of_users(&self) -> Vec<u32> {
        let (mut all, mut first) = (Vec::new(), 0);
        for vm in &self.vms {
            all.extend((0..vm.lock_users()).map(|user| first + user % vm.vcpus));
            first += vm.vcpus;
        }
        all
    }
}

/// The timeslice that a guest's scheduler gives to a thread where none is asked for: that of a Linux kernel.
pub const USUAL_GUEST_SLICE_NS: u64 = 4_000_000;

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(number: &u32) -> bool {
    *number == 1
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
