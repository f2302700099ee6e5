//! A window from its opening to its end: takes its samples and makes its record.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use lockbench_reports::record::{FAILED_ACQUISITIONS, Measured, Outcome};
use lockbench_reports::statistics;
use lockbench_workloads::arena::Detail;
use lockbench_workloads::locks::{Event, Order};
use lockbench_workloads::{Family, Phase};

use super::WindowSpec;
use super::causes::Opened;
use super::counters::{Task, sum};
use super::process::{ChildEnd, Process};
use super::sample::Sample;
use super::scheduled::Scheduled;
use super::watch::Watch;
use crate::arena::Memory;

/// Names of the counters of preemptions, by the phase that the vCPU was in.
const PREEMPTED: [&str; Phase::COUNT] = ["preempted_holding", "preempted_waiting", "preempted_thinking"];

/// Names of the counters of pages that sections touched: those that were not there, those that an earlier fault had brought in the
/// same huge page, and those that were there for want of a new one.
const PAGES: [&str; 3] = ["pages_faulted", "pages_brought", "pages_present"];

/// The threads that run a cell's vCPUs, in order.
pub(super) struct Threads {
    pub(super) pid: i32,
    pub(super) threads: Vec<u32>,
}

impl Threads {
    fn read(&self) -> Vec<Task> {
        self.threads.iter().map(|&tid| Task::read(self.pid, tid)).collect()
    }
}

/// A window that has ended.
pub(super) struct Closed {
    pub(super) measured: Measured,
    pub(super) scheduled: Scheduled,
}

/// A window while it is open.
pub(super) struct Window<'a> {
    spec: &'a WindowSpec,
    memory: &'a Memory,
    threads: Threads,
    tasks: Vec<Task>,
    traced: Option<Opened>,
    /// The lock's order, where its time is booked.
    order: Option<Order>,
    /// Whether the lock's waiters may sleep in the kernel.
    sleeps: bool,
    samples: Vec<Sample>,
    /// Pages that sections touched before it opened.
    pages: [u64; 3],
}

impl<'a> Window<'a> {
    pub(super) fn open(spec: &'a WindowSpec, memory: &'a Memory, family: &Family, threads: Threads) -> Self {
        for block in memory.blocks() {
            block.own.longest_run.store(0, Relaxed);
        }
        let order = (spec.detail() >= Detail::Times).then_some(family.order);
        Self {
            spec,
            memory,
            tasks: threads.read(),
            threads,
            traced: order.map(|_| Opened::read(memory)),
            order,
            sleeps: family.sleeps_unseen(),
            samples: vec![Sample::take(memory, order)],
            pages: pages(memory),
        }
    }

    /// When the window opened, in ticks; 0 where no times are taken.
    pub(super) fn opened(&self) -> u64 {
        self.samples[0].time.map_or(0, |time| time.at)
    }

    /// Samples to the window's end, and beyond it if nobody got the lock: then until somebody does or it is hung.
    /// `half` is what the lock had granted by the middle of the warm-up; whatever it granted since speaks for it.
    pub(super) fn sample(
        &mut self,
        process: &mut Process,
        watch: &mut Watch<'_>,
        half: u64,
    ) -> Result<Option<Outcome>, ChildEnd> {
        let began = self.samples[0].at;
        let parts = self.spec.samples.max(1);
        for part in 1..=parts {
            let part = u64::from(part) * self.spec.window_ns / u64::from(parts);
            let due = began + Duration::from_nanos(part);
            process.sleep_until(due)?;
            self.look();
            watch.woke(due);
        }
        if self.samples.last().is_some_and(|last| last.total() > half) {
            return Ok(None);
        }
        let limit = began + Duration::from_nanos(self.spec.hang_ns);
        while Instant::now() < limit {
            let due = Instant::now() + Duration::from_millis(10);
            process.sleep_until(due)?;
            watch.woke(due);
            let now = Sample::take(self.memory, self.order);
            if now.total() > half {
                // The window grew: its last sample is the whole wait, and its rate says so.
                self.samples.push(now);
                return Ok(None);
            }
        }
        let waited = began.elapsed().as_secs_f64();
        Ok(Some(Outcome::Hung { reason: format!("no vCPU got the lock for {waited:.1} s") }))
    }

    /// Takes a sample.
    pub(super) fn look(&mut self) {
        self.samples.push(Sample::take(self.memory, self.order));
    }

    /// The window's record. A lock may have stored into the arena, so no count read there is trusted to have grown or to add up.
    pub(super) fn close(self) -> Closed {
        let memory = self.memory;
        let (first, last) = (&self.samples[0], &self.samples[self.samples.len() - 1]);
        let counted = last.since(first);
        let traced = self.traced.as_ref().zip(first.time.zip(last.time));
        let traced = traced.map(|(opened, between)| opened.close(memory, self.spec, &counted, between));
        let (mut causes, acquire) = traced.unzip();
        if let Some(causes) = &mut causes {
            causes.sleeps = self.sleeps;
        }
        let tasks_after = self.threads.read();
        let window = last.at - first.at;
        let samples: Vec<f64> = self
            .samples
            .windows(2)
            .map(|pair| {
                pair[1].total().saturating_sub(pair[0].total()) as f64
                    / (pair[1].at - pair[0].at).as_secs_f64()
            })
            .collect();
        let scheduled = Scheduled::between(&self.tasks, &tasks_after, window);
        let mut counters = scheduled.counters.clone();
        let mut count = |name: &str, n: u64| {
            let sum = counters.entry(name.to_owned()).or_insert(0_u64);
            *sum = sum.saturating_add(n);
        };
        for own in &counted {
            if self.spec.count_preemptions {
                for (name, n) in PREEMPTED.iter().zip(own.preempted) {
                    count(name, n);
                }
            }
            if own.failures > 0 {
                count(FAILED_ACQUISITIONS, own.failures);
            }
            for (event, n) in Event::ALL.iter().zip(own.events).filter(|(_, n)| *n > 0) {
                count(event.name(), n);
            }
        }
        if memory.plan().touched > 0 {
            let huge = memory.plan().memory_page > memory.plan().page;
            for ((name, now), before) in PAGES.iter().zip(pages(memory)).zip(self.pages) {
                if huge || *name != PAGES[1] {
                    count(name, now.saturating_sub(before));
                }
            }
        }
        let steal_ns: Vec<u64> = counted.iter().map(|own| own.steal_ns).collect();
        let operations: Vec<u64> = counted.iter().map(|own| own.operations).collect();
        let measured = Measured {
            start: self.spec.start,
            warmup_ns: self.spec.warmup_ns,
            window_ns: window.as_nanos() as u64,
            steady: statistics::steady(&samples, sum(operations.iter().copied())),
            operations,
            samples,
            on_cpu_share: scheduled.on_cpu_share.clone(),
            slice_ns: scheduled.slice_ns,
            steal_ns: if steal_ns.iter().any(|&ns| ns > 0) { steal_ns } else { Vec::new() },
            counters,
            longest_run: longest_run(memory).min(last.total().saturating_sub(first.total())),
            acquire,
            causes,
            ..Measured::default()
        };
        Closed { measured, scheduled }
    }
}

/// How many pages sections touched, in the order of [`PAGES`].
fn pages(memory: &Memory) -> [u64; 3] {
    let [fresh, present] = [&memory.data().fresh, &memory.data().present].map(|pages| pages.load(Relaxed));
    // New pages are touched in their order, so that the first of each huge page takes the fault.
    let faulted = fresh.div_ceil((memory.plan().memory_page / memory.plan().page) as u64);
    [faulted, fresh - faulted, present]
}

/// The longest run that ended since the counters were reset, or the longest that still lasts. It may have begun before.
fn longest_run(memory: &Memory) -> u64 {
    let ended = memory.blocks().map(|block| block.own.longest_run.load(Relaxed));
    let lasts = memory
        .each_data()
        .map(|data| data.counter.load(Relaxed).saturating_sub(data.run_began.load(Relaxed)));
    ended.chain(lasts).max().unwrap_or(0)
}
