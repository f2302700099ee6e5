//! The messages between a cell's process and its parent, and the data with which an environment starts the cell's vCPUs.

use std::fs::File;
use std::io::Write;
use std::os::fd::RawFd;
use std::sync::OnceLock;

use lockbench_workloads::WorkerEntry;
use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::arena::{Board, Memory};
use crate::shared_object::Origin;

/// What a cell's process is to do; everything else stands in the arena.
#[derive(Debug, Serialize, Deserialize)]
pub struct ChildSpec {
    /// Name of the lock variant.
    pub lock: String,
    /// Name of the environment.
    pub env: String,
    /// 0 off, 1 count, 2 trace.
    pub probe: u8,
    /// The shared object that the lock comes from, if it comes from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Origin>,
    /// Whether preemptions can be counted here; if not, workers do not look for them.
    pub count_preemptions: bool,
}

/// The only argument of a cell's process. Its standard streams belong to the lock.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ChildArgument {
    /// Id of its parent, which it must not outlive.
    pub parent: u32,
    /// Inherited descriptor of the arena.
    pub arena: RawFd,
    /// Inherited descriptor of the pipe for its reports.
    pub reports: RawFd,
    /// Inherited descriptor of the emulated hypervisor's board, where there is one.
    pub board: Option<RawFd>,
    /// What to do.
    pub spec: ChildSpec,
}

/// What a cell's process reports, one line of JSON each.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChildReport {
    /// All vCPUs wait at the gate.
    Ready,
    /// The environment cannot run this cell: why, and what to do.
    Skipped(Refusal),
    /// A vCPU ended in a fault.
    Crashed(String),
}

/// Everything that an environment needs to start a cell's vCPUs.
pub struct Cell {
    /// The arena.
    pub memory: &'static Memory,
    /// The lock's worker.
    pub entry: WorkerEntry,
    /// Whether the lock's waiters halt in every environment.
    pub blocks: bool,
    /// Whether to arm the preemption probe.
    pub count_preemptions: bool,
    /// The board of the emulated hypervisor; none where the kernel schedules the vCPUs.
    pub board: Option<&'static Board>,
}

/// Where this process reports to.
static REPORTS: OnceLock<File> = OnceLock::new();

/// Sets the pipe that this process reports to.
pub(crate) fn report_to(pipe: File) {
    let _ = REPORTS.set(pipe);
}

/// Sends a report to the parent. If the parent is gone, this process is being killed.
pub(crate) fn say(report: &ChildReport) {
    let Some(mut out) = REPORTS.get() else { return };
    if let Ok(mut line) = serde_json::to_vec(report) {
        line.push(b'\n');
        let _ = out.write_all(&line);
    }
}
