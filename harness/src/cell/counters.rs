//! What the kernel and the workers have counted so far; a window is the difference of two of these.

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lockbench_workloads::arena::Block;

use super::process::task_file;

/// What the kernel says of one vCPU's thread.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Task {
    pub(super) on_cpu_ns: u64,
    /// Times that it was given a pCPU.
    pub(super) turns: u64,
    pub(super) voluntary_switches: u64,
    pub(super) involuntary_switches: u64,
    pub(super) minor_faults: u64,
    pub(super) major_faults: u64,
}

impl Task {
    /// Zeros where a file cannot be read, as for a thread that has just died.
    pub(super) fn read(pid: i32, tid: u32) -> Self {
        let read = |name| {
            let mut text = String::new();
            task_file(pid, tid, name).and_then(|mut file| file.read_to_string(&mut text)).map(|_| text).ok()
        };
        let mut task = Self::default();
        if let Some(text) = read("schedstat") {
            let mut fields = text.split_whitespace().map(|n| n.parse().unwrap_or(0));
            task.on_cpu_ns = fields.next().unwrap_or(0);
            task.turns = fields.nth(1).unwrap_or(0);
        }
        if let Some(text) = read("status") {
            let field = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(name));
                line.and_then(|n| n.trim().parse().ok()).unwrap_or(0)
            };
            task.voluntary_switches = field("voluntary_ctxt_switches:");
            task.involuntary_switches = field("nonvoluntary_ctxt_switches:");
        }
        if let Some(text) = read("stat") {
            // The name, in brackets, may hold anything; fields are counted from its end: state is number 3.
            let fields = text.rsplit(')').next().unwrap_or("").split_whitespace().collect::<Vec<_>>();
            let field = |number: usize| fields.get(number - 3).and_then(|n| n.parse().ok()).unwrap_or(0);
            (task.minor_faults, task.major_faults) = (field(10), field(12));
        }
        task
    }
}

/// What a worker counted about itself.
pub(super) struct Own {
    pub(super) preempted: Vec<u64>,
    pub(super) events: Vec<u64>,
    pub(super) steal_ns: u64,
}

impl Own {
    pub(super) fn read(block: &Block) -> Self {
        Self {
            preempted: load_all(&block.own.preempted),
            events: load_all(&block.own.events),
            steal_ns: block.steal.steal_ns.load(Relaxed),
        }
    }
}

impl Own {
    /// What one counter of those that `of` names gained since `earlier`.
    pub(super) fn since(&self, earlier: &Self, of: impl Fn(&Self) -> &Vec<u64>, index: usize) -> u64 {
        of(self)[index].saturating_sub(of(earlier)[index])
    }
}

/// A sum of counters that a lock may have stored anything into: it stops at the largest number.
pub(super) fn sum(counters: impl IntoIterator<Item = u64>) -> u64 {
    counters.into_iter().fold(0, u64::saturating_add)
}

/// Reads counters that somebody else may be adding to.
pub(super) fn load_all(counters: &[AtomicU64]) -> Vec<u64> {
    counters.iter().map(|counter| counter.load(Relaxed)).collect()
}
