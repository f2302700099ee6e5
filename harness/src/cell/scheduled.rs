//! How the kernel scheduled a window's vCPU threads, from its counts when the window began and ended.

use std::collections::BTreeMap;
use std::time::Duration;

use rustix::process::getpriority_process;

use super::counters::Task;
use super::strayed::touched;

/// How the threads were scheduled in a window. A count that the kernel does not give for every thread is left out.
#[derive(Debug, Default)]
pub(super) struct Scheduled {
    /// Fraction of the window for which each thread was on a pCPU; empty if unknown.
    pub(super) on_cpu_share: Vec<f64>,
    /// Mean time that a thread kept its pCPU once it had it; none if unknown, or if no thread got a pCPU in the window.
    pub(super) slice_ns: Option<f64>,
    /// Sums over the threads.
    pub(super) counters: BTreeMap<String, u64>,
    /// Which threads never slept: they were running or waiting for a pCPU when the window opened, and did not sleep since.
    pub(super) awake: Vec<bool>,
    /// What was changed from outside on one of the threads: its scheduling class, its nice value, a debugger.
    pub(super) touched: Option<String>,
}

impl Scheduled {
    pub(super) fn between(before: &[Task], after: &[Task], window: Duration) -> Self {
        let gained = |of: fn(&Task) -> Option<u64>| -> Option<Vec<u64>> {
            let of_each = before.iter().zip(after);
            of_each.map(|(before, after)| Some(of(after)?.saturating_sub(of(before)?))).collect()
        };
        let sum = |each: &[u64]| each.iter().fold(0, |sum: u64, n| sum.saturating_add(*n));
        let on_cpu_ns = gained(|task| task.on_cpu_ns);
        let stretches = gained(|task| task.stretches).map(|stretches| sum(&stretches));
        let counted = [
            ("voluntary_switches", gained(|task| task.voluntary_switches)),
            ("involuntary_switches", gained(|task| task.involuntary_switches)),
            ("minor_faults", gained(|task| task.minor_faults)),
            ("major_faults", gained(|task| task.major_faults)),
        ];
        let counters = counted.into_iter().filter_map(|(name, of)| Some((name.to_owned(), sum(&of?))));
        Self {
            slice_ns: on_cpu_ns
                .as_ref()
                .zip(stretches.filter(|stretches| *stretches > 0))
                .map(|(ns, stretches)| sum(ns) as f64 / stretches as f64),
            on_cpu_share: on_cpu_ns
                .unwrap_or_default()
                .into_iter()
                .map(|ns| ns as f64 / window.as_nanos() as f64)
                .collect(),
            counters: counters.collect(),
            awake: before.iter().zip(after).map(|(before, after)| awake(before, after)).collect(),
            touched: touched(before, after, getpriority_process(None).ok()),
        }
    }
}

/// A thread that is stopped or frozen counts as one that slept.
fn awake(before: &Task, after: &Task) -> bool {
    let unswitched =
        before.voluntary_switches.is_some() && before.voluntary_switches == after.voluntary_switches;
    before.state == Some('R') && unswitched
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(on_cpu_ns: u64, stretches: u64) -> Task {
        Task {
            on_cpu_ns: Some(on_cpu_ns),
            stretches: Some(stretches),
            voluntary_switches: Some(stretches),
            ..Task::default()
        }
    }

    #[test]
    fn shares_and_stretches_are_differences() {
        let (before, after) = ([task(1_000, 1), task(0, 1)], [task(1_500, 3), task(250, 2)]);
        let scheduled = Scheduled::between(&before, &after, Duration::from_nanos(1_000));
        assert_eq!(scheduled.on_cpu_share, [0.5, 0.25]);
        assert_eq!(scheduled.slice_ns, Some(250.0));
        assert_eq!(scheduled.counters["voluntary_switches"], 3);
        assert!(!scheduled.counters.contains_key("major_faults"), "unknown is not 0: {scheduled:?}");
    }

    #[test]
    fn awake_is_who_could_run_at_the_start_and_never_slept_since() {
        let at = |state, voluntary_switches| Task { state, voluntary_switches, ..Task::default() };
        let runs = at(Some('R'), Some(5));
        assert!(awake(&runs, &at(Some('R'), Some(5))));
        assert!(!awake(&runs, &at(Some('R'), Some(6))), "it slept in between");
        assert!(!awake(&at(Some('S'), Some(5)), &runs), "it slept when the window opened");
        assert!(!awake(&Task::default(), &Task::default()), "nothing is known");
    }

    #[test]
    fn what_is_not_known_of_every_thread_is_not_said() {
        let (before, after) = ([task(1_000, 1), Task::default()], [task(1_500, 3), task(250, 2)]);
        let scheduled = Scheduled::between(&before, &after, Duration::from_nanos(1_000));
        assert!(scheduled.on_cpu_share.is_empty() && scheduled.counters.is_empty(), "{scheduled:?}");
        assert_eq!(scheduled.slice_ns, None);
    }
}
