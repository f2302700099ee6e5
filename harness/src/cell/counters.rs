//! Counts of the kernel and of the workers so far; a window's counts are the difference of two readings.

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lockbench_workloads::Phase;
use lockbench_workloads::arena::Block;
use lockbench_workloads::locks::Event;

use super::process::task_file;
use crate::Refusal;
use crate::system::proc;

/// The kernel's counts and settings of one vCPU's thread; none where it does not give them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Task {
    pub(super) on_cpu_ns: Option<u64>,
    /// Number of stretches on a pCPU: how often the thread was given one.
    pub(super) stretches: Option<u64>,
    pub(super) voluntary_switches: Option<u64>,
    pub(super) involuntary_switches: Option<u64>,
    pub(super) minor_faults: Option<u64>,
    pub(super) major_faults: Option<u64>,
    /// `R` if the thread runs or waits for a pCPU; see proc(5).
    pub(super) state: Option<char>,
    /// The process that traces it; 0 for none.
    pub(super) tracer: Option<u32>,
    /// Its scheduling class, such as `SCHED_OTHER`.
    pub(super) class: Option<i32>,
    pub(super) nice: Option<i32>,
}

impl Task {
    /// Reads the files of a thread in /proc. Nothing is known of a thread that has just died, nor where /proc belongs to
    /// another pid namespace: there the thread ids are those of other threads.
    pub(super) fn read(pid: i32, tid: u32) -> Self {
        if proc::is_ours().is_err() {
            return Self::default();
        }
        let read = |name| {
            let mut text = String::new();
            task_file(pid, tid, name).and_then(|mut file| file.read_to_string(&mut text)).map(|_| text).ok()
        };
        let mut task = Self::default();
        if let Some(text) = read("schedstat") {
            let fields: Vec<u64> = text.split_whitespace().map_while(|n| n.parse().ok()).collect();
            // A kernel without these counts writes three zeros; a thread that runs has had at least one stretch.
            if let [on_cpu_ns, _, stretches] = fields[..]
                && stretches > 0
            {
                (task.on_cpu_ns, task.stretches) = (Some(on_cpu_ns), Some(stretches));
            }
        }
        if let Some(text) = read("status") {
            let field =
                |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
            task.voluntary_switches = field("voluntary_ctxt_switches:");
            task.involuntary_switches = field("nonvoluntary_ctxt_switches:");
            task.tracer = field("TracerPid:").and_then(|tracer| tracer.try_into().ok());
        }
        if let Some(text) = read("stat") {
            // The name, in brackets, may hold anything; fields are counted from its end: state is number 3.
            let fields = text.rsplit(')').next().unwrap_or("").split_whitespace().collect::<Vec<_>>();
            let field = |number: usize| fields.get(number - 3).copied();
            let count = |number: usize| field(number)?.parse().ok();
            (task.minor_faults, task.major_faults) = (count(10), count(12));
            task.state = field(3).and_then(|state| state.chars().next());
            task.nice = field(19).and_then(|nice| nice.parse().ok());
            task.class = field(41).and_then(|class| class.parse().ok());
        }
        task
    }
}

/// Whether the kernel tells how long a thread ran and how often it was switched: how, or why not.
pub(crate) fn thread_times() -> Result<String, Refusal> {
    proc::is_ours()?;
    let own = rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned();
    let task = Task::read(std::process::id().cast_signed(), own);
    match (task.on_cpu_ns, task.voluntary_switches) {
        (Some(_), Some(_)) => Ok("from /proc, for each thread".into()),
        (None, _) => {
            Err("the kernel keeps no times of threads: /proc/PID/schedstat is empty or missing".into())
        }
        (_, None) => Err("the kernel does not tell how often a thread was switched: /proc/PID/status".into()),
    }
}

/// Counts that a worker keeps of itself.
#[derive(Clone, Debug)]
pub(super) struct Own {
    /// Acquisitions.
    pub(super) operations: u64,
    /// Acquisitions that failed.
    pub(super) failures: u64,
    pub(super) preempted: [u64; Phase::COUNT],
    pub(super) events: [u64; Event::COUNT],
    pub(super) steal_ns: u64,
}

impl Own {
    pub(super) fn read(block: &Block) -> Self {
        let load = |counter: &AtomicU64| counter.load(Relaxed);
        Self {
            operations: load(&block.own.operations),
            failures: load(&block.own.failures),
            preempted: block.own.preempted.each_ref().map(load),
            events: block.own.events.each_ref().map(load),
            steal_ns: load(&block.steal.steal_ns),
        }
    }

    /// What was counted since `earlier`. A lock may have stored anything here; a counter that shrank counts as unchanged.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        fn gained<const N: usize>(now: &[u64; N], earlier: &[u64; N]) -> [u64; N] {
            std::array::from_fn(|index| now[index].saturating_sub(earlier[index]))
        }
        Self {
            operations: self.operations.saturating_sub(earlier.operations),
            failures: self.failures.saturating_sub(earlier.failures),
            preempted: gained(&self.preempted, &earlier.preempted),
            events: gained(&self.events, &earlier.events),
            steal_ns: self.steal_ns.saturating_sub(earlier.steal_ns),
        }
    }
}

/// A sum of counters, which a lock may have stored anything into: it saturates.
pub(super) fn sum(counters: impl IntoIterator<Item = u64>) -> u64 {
    counters.into_iter().fold(0, u64::saturating_add)
}

/// Reads counters while vCPUs may be adding to them.
pub(super) fn load_all(counters: &[AtomicU64]) -> Vec<u64> {
    counters.iter().map(|counter| counter.load(Relaxed)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_a_lock_stored_into_gained_nothing_rather_than_almost_everything() {
        let own = |operations, halts| Own {
            operations,
            failures: 0,
            preempted: [1, 2, 3],
            events: std::array::from_fn(|index| if index == Event::Halt as usize { halts } else { 0 }),
            steal_ns: 5,
        };
        let gained = own(7, 4).since(&own(9, 1));
        assert_eq!((gained.operations, gained.events[Event::Halt as usize]), (0, 3));
        assert_eq!((gained.preempted, gained.steal_ns), ([0; 3], 0));
    }
}
