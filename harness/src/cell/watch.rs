//! Whether a window was one of its cell alone: what was relied on is looked at before it and after it.

use std::fs;
use std::time::{Duration, Instant};

use lockbench_workloads::arena::Detail;

use super::stopped::{Sleeper, Stillness};
use super::strayed::{Moves, strayed};
use super::throttled::Throttle;
use super::window::Closed;
use super::{Bench, WindowSpec};
use crate::system::proc;

/// From before a cell's vCPUs are let go.
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

/// From the window's opening.
struct Open {
    moves: Moves,
    stillness: Stillness,
}

impl<'a> Watch<'a> {
    /// The threads stand where they belong, and wait at the gate.
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

    /// The window is about to open: all vCPUs are on their pCPUs by now.
    pub(super) fn open(&mut self) {
        self.throttle.open(self.spec);
        let moves = Moves::read(self.pid, &self.threads);
        self.open = Some(Open { moves, stillness: Stillness::open(self.sleeper) });
    }

    /// The parent woke to take a sample, and had meant to at `deadline`.
    pub(super) fn woke(&mut self, deadline: Instant) {
        if let Some(open) = &mut self.open {
            open.stillness.woke(deadline);
        }
    }

    /// Enters into what the window measured whether it was disturbed or throttled. The cell's process must live still.
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
            // Its course is not its lock's.
            measured.steady = None;
        }
    }

    /// That the cell's process was moved to another control group.
    fn regrouped(&self) -> Option<String> {
        let (before, now) = (self.groups.as_ref()?, groups(self.pid)?);
        (*before != now).then(|| "the cell's process was moved to another control group".into())
    }
}

/// The control groups that decide when and where a process runs, as /proc tells of them.
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
