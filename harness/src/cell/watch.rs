//! Whether a window was disturbed from outside: everything it relies on is looked at before it and after it.

use std::fs;
use std::time::{Duration, Instant};

use lockbench_workloads::arena::Detail;

use super::stopped::{Sleeper, Stillness};
use super::strayed::{Moves, strayed};
use super::throttled::Throttle;
use super::window::Closed;
use super::{Bench, WindowSpec};
use crate::system::proc;

/// Readings from before a cell's vCPUs ran.
pub(super) struct Watch<'a> {
    spec: &'a WindowSpec,
    bench: &'a Bench<'a>,
    pid: i32,
    threads: Vec<u32>,
    groups: Option<String>,
    sleeper: Option<Sleeper>,
    throttle: Throttle,
    open: Option<Open>,
}

/// Readings from the window's opening.
struct Open {
    moves: Moves,
    stillness: Stillness,
}

impl<'a> Watch<'a> {
    /// Takes the first readings, when the threads are placed and wait at the gate.
    pub(super) fn start(spec: &'a WindowSpec, bench: &'a Bench<'a>, pid: i32, threads: &[u32]) -> Self {
        Self {
            spec,
            bench,
            pid,
            threads: threads.to_vec(),
            groups: groups(pid),
            sleeper: Sleeper::wait_for(pid),
            throttle: Throttle::start(bench.quotas),
            open: None,
        }
    }

    /// Takes the readings at the window's opening, when all vCPUs are in their loops.
    pub(super) fn open(&mut self) {
        self.throttle.open(self.spec);
        let moves = Moves::read(self.pid, &self.threads);
        self.open = Some(Open { moves, stillness: Stillness::open(self.sleeper) });
    }

    /// Notes that the parent woke to take a sample, which it was to do at `deadline`.
    pub(super) fn woke(&mut self, deadline: Instant) {
        if let Some(open) = &mut self.open {
            open.stillness.woke(deadline);
        }
    }

    /// Enters into the window's record whether it was disturbed or throttled. The cell's process must still be alive.
    pub(super) fn close(&self, closed: &mut Closed) {
        let Some(open) = &self.open else { return };
        let window = Duration::from_nanos(closed.measured.window_ns);
        let ticks_per_ns = (self.spec.detail() >= Detail::Times).then_some(self.spec.ticks_per_ns);
        let strayed = strayed(self.spec, self.bench.placer, (self.pid, &self.threads), &open.moves);
        let measured = &mut closed.measured;
        measured.disturbed = (open.stillness.close(window, ticks_per_ns))
            .or(strayed)
            .or_else(|| closed.scheduled.touched.clone())
            .or_else(|| self.regrouped())
            .or_else(|| self.throttle.changed());
        if measured.disturbed.is_none() {
            measured.throttling = self.throttle.close(self.spec, &closed.scheduled.awake);
        }
        if !measured.comparable() {
            // The samples of such a window do not show the lock's behaviour.
            measured.steady = None;
        }
    }

    /// A sentence if the cell's process was moved to another control group.
    fn regrouped(&self) -> Option<String> {
        let (before, now) = (self.groups.as_ref()?, groups(self.pid)?);
        (*before != now).then(|| "the cell's process was moved to another control group".into())
    }
}

/// The control groups of a process that decide when and where it runs, by /proc.
fn groups(pid: i32) -> Option<String> {
    proc::is_ours().ok()?;
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let matters = |line: &&str| {
        let controllers = line.split(':').nth(1).unwrap_or("");
        controllers.is_empty()
            || controllers.split(',').any(|name| ["cpu", "cpuset", "freezer"].contains(&name))
    };
    Some(text.lines().filter(matters).collect::<Vec<_>>().join("\n"))
}
