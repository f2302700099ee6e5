//! Pools of pCPUs, and how they change while a window lasts.

use serde::{Deserialize, Serialize};

use super::Scheduler;

/// A pool of pCPUs. Its virtual machines run nowhere else, and its scheduler knows of no other pCPUs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Its pCPUs, as numbers of the cell's pCPUs.
    pub pcpus: Vec<u32>,
    /// Its scheduler; none for the cell's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<Scheduler>,
    /// Its timeslice, in nanoseconds; none for the cell's, or for the usual one of its own scheduler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice_ns: Option<u64>,
}

impl Pool {
    /// Its scheduler, in a cell with that one.
    pub fn scheduler<'a>(&'a self, of_cell: &'a Scheduler) -> &'a Scheduler {
        self.scheduler.as_ref().unwrap_or(of_cell)
    }

    /// Its timeslice in nanoseconds, in a cell with that scheduler and that timeslice.
    pub fn slice_ns(&self, of_cell: &Scheduler, slice_ns: u64) -> u64 {
        let usual = || match &self.scheduler {
            Some(own) if own != of_cell => own.usual_slice_ns().unwrap_or(slice_ns),
            _ => slice_ns,
        };
        self.slice_ns.unwrap_or_else(usual)
    }
}

/// A change of the pools.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Move {
    /// When it is asked for, in nanoseconds since the window's opening.
    pub at_ns: u64,
    /// What changes.
    pub change: Change,
}

/// What changes about the pools.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// A virtual machine goes to another pool.
    Vm {
        /// Its name.
        name: String,
        /// Name of the pool.
        pool: String,
    },
    /// A pCPU leaves its pool, if it is in one.
    Pcpu {
        /// Its number among the cell's pCPUs.
        number: u32,
        /// Name of the pool that it goes to; none where it is in no pool from now on, and idles.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pool: Option<String>,
    },
    /// A pool is made, of pCPUs that are in none.
    Create(Pool),
    /// A pool ends, whose pCPUs are in none from now on.
    Destroy {
        /// Its name.
        name: String,
    },
}

/// When a change of the pools was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Moved {
    /// When the hypervisor took it up, in nanoseconds since the window's opening.
    pub asked_ns: u64,
    /// When no vCPU ran any more where it may not run since; none where some still did at the window's end.
    pub done_ns: Option<u64>,
}
