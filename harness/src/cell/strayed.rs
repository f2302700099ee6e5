//! Whether a cell's threads are still where they were placed, with the scheduling that they were given.

use std::io::Read;

use super::Placer;
use super::WindowSpec;
use super::counters::Task;
use super::process::task_file;
use crate::scheduling;
use crate::system::proc;

/// How often each thread was moved to another pCPU, by the kernel's counts; none where the kernel has none.
pub(super) struct Moves(Vec<Option<u64>>);

impl Moves {
    pub(super) fn read(pid: i32, threads: &[u32]) -> Self {
        Self(threads.iter().map(|&tid| moves(pid, tid)).collect())
    }

    /// A sentence if a pinned thread was moved although its pins are unchanged: they were changed and changed back.
    fn since(&self, before: &Self) -> Option<String> {
        let moved =
            self.0.iter().zip(&before.0).position(|(after, before)| {
                after.zip(*before).is_some_and(|(after, before)| after > before)
            })?;
        Some(format!("vCPU {moved} was moved to another CPU and back"))
    }
}

fn moves(pid: i32, tid: u32) -> Option<u64> {
    proc::is_ours().ok()?;
    let mut text = String::new();
    task_file(pid, tid, "sched").ok()?.read_to_string(&mut text).ok()?;
    let line = text.lines().find(|line| line.starts_with("se.nr_migrations"))?;
    line.rsplit(':').next()?.trim().parse().ok()
}

/// What was changed from outside: pins, moves since `before`, scheduling class and nice value.
pub(super) fn strayed(
    spec: &WindowSpec,
    placer: &Placer,
    (pid, threads): (i32, &[u32]),
    before: &Moves,
) -> Option<String> {
    let moved = || {
        // A vCPU that slept while it was moved arrives when it wakes.
        let pinned = spec.pinned() && spec.moved_from.is_empty();
        pinned.then(|| Moves::read(pid, threads).since(before)).flatten()
    };
    placer.strayed(threads, spec).or_else(moved)
}

/// A sentence if a thread was changed from outside: its scheduling class is not SCHED_OTHER, its nice value not the inherited
/// one (`usual`), or it is traced.
pub(super) fn touched(before: &[Task], after: &[Task], usual: Option<i32>) -> Option<String> {
    before.iter().zip(after).enumerate().find_map(|(cpu, (before, after))| {
        if let Some(class) = after.class.filter(|class| *class != libc::SCHED_OTHER) {
            let (name, usual) = (scheduling::name(class), scheduling::name(libc::SCHED_OTHER));
            return Some(format!("vCPU {cpu} was given {name} instead of {usual}"));
        }
        if let Some(nice) = after.nice.filter(|nice| usual.is_some_and(|usual| usual != *nice)) {
            return Some(format!("vCPU {cpu} was given a nice value of {nice}"));
        }
        let traced = [before, after].into_iter().any(|task| task.tracer.is_some_and(|tracer| tracer != 0));
        traced.then(|| format!("vCPU {cpu} was traced by another process (strace, a debugger)"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_and_back_is_told() {
        let before = Moves(vec![Some(1), None, Some(3)]);
        assert_eq!(Moves(vec![Some(1), Some(9), Some(3)]).since(&before), None);
        let told = Moves(vec![Some(1), None, Some(5)]).since(&before).unwrap();
        assert!(told.starts_with("vCPU 2 "), "{told}");
    }

    #[test]
    fn a_class_a_nice_value_and_a_tracer_are_told_and_the_unknown_is_not() {
        let task = |class, nice, tracer| Task { class, nice, tracer, ..Task::default() };
        let usual = task(Some(0), Some(5), Some(0));
        assert_eq!(touched(&[usual, Task::default()], &[usual, usual], Some(5)), None);
        assert_eq!(touched(&[usual], &[Task::default()], Some(5)), None);
        assert_eq!(touched(&[usual], &[usual], None), None);
        let told = |after| touched(&[usual], &[after], Some(5)).unwrap();
        assert!(told(task(Some(libc::SCHED_FIFO), Some(5), Some(0))).contains("SCHED_FIFO"));
        assert!(told(task(Some(0), Some(19), Some(0))).contains("19"));
        assert!(told(task(Some(0), Some(5), Some(4711))).contains("traced"));
    }
}
