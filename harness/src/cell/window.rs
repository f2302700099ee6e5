//! Takes one window: start, place, warm up, sample, kill, check.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use lockbench_reports::record::{Histogram, Measured, Outcome, Purpose, Start};
use lockbench_reports::statistics;
use lockbench_workloads::locks::Event;
use lockbench_workloads::{Family, histogram, locks::Variant, ticks};

use super::counters::{Operations, Own, Task, acquire_buckets};
use super::process::{Ended, Process, raw};
use super::spec::{ChildReport, ChildSpec};
use super::{Memory, WindowSpec, exclusion, prepare};
use crate::environments::Environment;
use crate::measure::{futex, ping_pong};
use crate::placing::Placer;

/// Ratio of two ping-pongs beyond which the pCPUs are said to have moved apart.
const MOVED: f64 = 1.5;

/// A window was cut short by Ctrl-C: nothing to record.
#[derive(Debug)]
pub struct Interrupted;

/// What a window needs besides its spec.
pub struct Bench<'a> {
    /// Pins threads and binds memory.
    pub placer: &'a Placer,
    /// Where the window runs.
    pub env: &'a dyn Environment,
    /// The lock.
    pub family: &'a Family,
    /// Its variant.
    pub variant: &'a Variant,
}

/// A window taken.
#[derive(Debug)]
pub struct Taken {
    /// How it ended.
    pub outcome: Outcome,
    /// Time spent inside warm-ups, windows and ping-pongs, the repeated ones too.
    pub measuring_ns: u64,
}

/// Takes a window between two ping-pongs; repeats it once if the pCPUs moved in between.
pub fn measure(spec: &WindowSpec, bench: &Bench<'_>) -> Result<Taken, Interrupted> {
    let pcpus = spec.axes.pcpus.as_slice();
    let pair = (pcpus.len() > 1 && spec.axes.vcpus > 1).then(|| (pcpus[0], pcpus[1]));
    let mut measuring_ns = 0;
    let mut distance = |pair| {
        let began = Instant::now();
        let round_trip_ns = ping_pong::round_trip_ns(pair);
        (round_trip_ns, began.elapsed().as_nanos() as u64)
    };
    for attempt in 0.. {
        let before = pair.map(&mut distance);
        let mut outcome = take(spec, bench)?;
        let after = pair.map(&mut distance);
        measuring_ns += before.map_or(0, |(_, ns)| ns) + after.map_or(0, |(_, ns)| ns);
        if let Outcome::Measured(measured) = &mut outcome {
            measuring_ns += measured.warmup_ns + measured.window_ns;
            if let (Some((Some(before), _)), Some((Some(after), _))) = (before, after) {
                measured.interconnect_ns = Some([before, after]);
                measured.moved = before.max(after) > MOVED * before.min(after);
                if measured.moved && attempt == 0 {
                    continue;
                }
            }
        }
        return Ok(Taken { outcome, measuring_ns });
    }
    unreachable!("the loop returns from its second pass at the latest")
}

fn take(spec: &WindowSpec, bench: &Bench<'_>) -> Result<Outcome, Interrupted> {
    match run(spec, bench) {
        Ok(outcome) => Ok(outcome),
        Err(Ended::Interrupted) => Err(Interrupted),
        Err(Ended::Reported(ChildReport::Skipped(reason))) => Ok(Outcome::Skipped { reason }),
        Err(Ended::Reported(ChildReport::Crashed(reason))) => Ok(Outcome::Crashed { reason }),
        Err(Ended::Reported(ChildReport::Ready)) => {
            Ok(Outcome::Crashed { reason: "the cell's process got out of step with its parent".into() })
        }
    }
}

fn skipped(reason: String) -> Ended {
    Ended::Reported(ChildReport::Skipped(reason))
}

fn run(spec: &WindowSpec, bench: &Bench<'_>) -> Result<Outcome, Ended> {
    let memory = prepare::arena(spec, bench.family, bench.variant, bench.env).map_err(skipped)?;
    let memory_nodes = bench.placer.place_memory(&memory, &spec.memory_nodes).map_err(skipped)?;
    let child = ChildSpec {
        arena: raw(memory.fd()),
        lock: spec.axes.lock.clone(),
        env: spec.axes.env.clone(),
        probe: spec.probe() as u8,
        count_preemptions: spec.count_preemptions,
    };
    let mut process = Process::start(&child)
        .map_err(|e| skipped(format!("the cell's process could not be started: {e}")))?;
    process.wait_ready(Duration::from_secs(10))?;
    let placed = bench.placer.place_vcpus(&memory, spec).map_err(skipped)?;

    open_gate(&memory, spec, &mut process)?;
    let warmup_began = Instant::now();
    let halfway = warmup_began + Duration::from_nanos(spec.warmup_ns / 2);
    process.sleep_until(halfway)?;
    let half = Operations::read(&memory).total();
    process.sleep_until(warmup_began + Duration::from_nanos(spec.warmup_ns))?;

    let mut window = Window::open(spec, &memory, process.pid());
    let outcome = window.sample(&mut process, half)?;
    let measured = window.close(&memory, process.pid());
    // Killed before the check: only then does the counter stand still.
    let killed = Instant::now();
    drop(process);
    let closing_ns = killed.elapsed().as_nanos() as u64;
    if let Some(hung) = outcome {
        return Ok(hung);
    }
    Ok(match exclusion::check(&memory) {
        Ok(()) => Outcome::Measured(Measured {
            placed,
            memory_nodes,
            exclusion_checked: true,
            closing_ns,
            ..measured
        }),
        Err(reason) => Outcome::Broken { reason },
    })
}

/// Lets the vCPUs go, and waits until all are in their loops.
fn open_gate(memory: &Memory, spec: &WindowSpec, process: &mut Process) -> Result<(), Ended> {
    let gate = &memory.header().gate;
    // A vCPU enters when it first gets its pCPU, at most a scheduling cycle later; a lock that hangs at once may keep a
    // queued start from completing.
    let deadline = Instant::now() + Duration::from_nanos(spec.hang_ns);
    let entered = |cpus: usize| memory.blocks().take(cpus).all(|block| block.own.entered.load(Relaxed) == 1);
    futex::open(&gate.go_first);
    if spec.start == Start::Queued {
        wait_until(process, deadline, || entered(1))?;
    }
    futex::open(&gate.go_rest);
    wait_until(process, deadline, || entered(memory.vcpus()))?;
    gate.hold.store(0, Relaxed);
    Ok(())
}

fn wait_until(process: &mut Process, deadline: Instant, done: impl Fn() -> bool) -> Result<(), Ended> {
    let mut pause = Duration::from_micros(50);
    while !done() && Instant::now() < deadline {
        process.sleep_until(Instant::now() + pause)?;
        pause = (pause * 2).min(Duration::from_millis(5));
    }
    Ok(())
}

/// A window while it is open.
struct Window<'a> {
    spec: &'a WindowSpec,
    memory: &'a Memory,
    tasks: Vec<Task>,
    own: Vec<Own>,
    buckets: Vec<u64>,
    samples: Vec<Operations>,
}

impl<'a> Window<'a> {
    fn open(spec: &'a WindowSpec, memory: &'a Memory, pid: i32) -> Self {
        for block in memory.blocks() {
            block.own.longest_run.store(0, Relaxed);
            block.own.longest_wait.store(0, Relaxed);
        }
        Self {
            spec,
            memory,
            buckets: if spec.purpose == Purpose::Latency { acquire_buckets(memory) } else { Vec::new() },
            tasks: tasks(memory, pid),
            own: memory.blocks().map(Own::read).collect(),
            samples: vec![Operations::read(memory)],
        }
    }

    /// Samples to the window's end, and beyond it if nobody got the lock: then until somebody does or it is hung.
    /// `half` is what the lock had granted by the middle of the warm-up; whatever it granted since speaks for it.
    fn sample(&mut self, process: &mut Process, half: u64) -> Result<Option<Outcome>, Ended> {
        let began = self.samples[0].at;
        let parts = self.spec.samples.max(1);
        for part in 1..=parts {
            let part = u64::from(part) * self.spec.window_ns / u64::from(parts);
            process.sleep_until(began + Duration::from_nanos(part))?;
            self.samples.push(Operations::read(self.memory));
        }
        if self.samples.last().is_some_and(|last| last.total() > half) {
            return Ok(None);
        }
        let limit = began + Duration::from_nanos(self.spec.hang_ns);
        while Instant::now() < limit {
            process.sleep_until(Instant::now() + Duration::from_millis(10))?;
            let now = Operations::read(self.memory);
            if now.total() > half {
                // The window grew: its last sample is the whole wait, and its rate says so.
                self.samples.push(now);
                return Ok(None);
            }
        }
        let waited = began.elapsed().as_secs_f64();
        Ok(Some(Outcome::Hung { reason: format!("no vCPU got the lock for {waited:.1} s") }))
    }

    fn close(self, memory: &Memory, pid: i32) -> Measured {
        let acquire = (self.spec.purpose == Purpose::Latency).then(|| self.acquire_times());
        let tasks_after = tasks(memory, pid);
        let (first, last) = (&self.samples[0], &self.samples[self.samples.len() - 1]);
        let window = last.at - first.at;
        let samples: Vec<f64> = self
            .samples
            .windows(2)
            .map(|pair| (pair[1].total() - pair[0].total()) as f64 / (pair[1].at - pair[0].at).as_secs_f64())
            .collect();
        let mut counters = BTreeMap::new();
        let mut count = |name: &str, n: u64| *counters.entry(name.to_owned()).or_insert(0) += n;
        let mut on_cpu_share = Vec::new();
        for (before, after) in self.tasks.iter().zip(&tasks_after) {
            on_cpu_share
                .push(after.on_cpu_ns.saturating_sub(before.on_cpu_ns) as f64 / window.as_nanos() as f64);
            count("voluntary_switches", after.voluntary_switches - before.voluntary_switches);
            count("involuntary_switches", after.involuntary_switches - before.involuntary_switches);
            count("minor_faults", after.minor_faults - before.minor_faults);
            count("major_faults", after.major_faults - before.major_faults);
        }
        let mut steal_ns = Vec::new();
        for (before, block) in self.own.iter().zip(memory.blocks()) {
            let after = Own::read(block);
            if self.spec.count_preemptions {
                for (name, (b, a)) in ["preempted_holding", "preempted_waiting", "preempted_thinking"]
                    .iter()
                    .zip(before.preempted.iter().zip(&after.preempted))
                {
                    count(name, a - b);
                }
            }
            for (event, (b, a)) in Event::ALL.iter().zip(before.events.iter().zip(&after.events)) {
                if a > b {
                    count(event.name(), a - b);
                }
            }
            steal_ns.push(after.steal_ns.saturating_sub(before.steal_ns));
        }
        Measured {
            start: self.spec.start,
            warmup_ns: self.spec.warmup_ns,
            window_ns: window.as_nanos() as u64,
            operations: first.per_vcpu.iter().zip(&last.per_vcpu).map(|(b, a)| a - b).collect(),
            steady: statistics::steady(&samples),
            samples,
            on_cpu_share,
            steal_ns: if steal_ns.iter().any(|&ns| ns > 0) { steal_ns } else { Vec::new() },
            counters,
            longest_run: memory.blocks().map(|block| block.own.longest_run.load(Relaxed)).max().unwrap_or(0),
            acquire,
            ..Measured::default()
        }
    }

    /// Acquire times of the window, with the waits that its end cut off.
    fn acquire_times(&self) -> Histogram {
        let now = ticks();
        let ns = |ticks: u64| (ticks as f64 / self.spec.ticks_per_ns).ceil() as u64;
        let waiting = self.memory.blocks().map(|block| block.own.wait_since.load(Relaxed));
        let mut censored: Vec<u64> =
            waiting.filter(|&since| since != 0).map(|since| ns(now.saturating_sub(since))).collect();
        censored.sort_unstable();
        let after = acquire_buckets(self.memory);
        let buckets = self.buckets.iter().zip(after).enumerate();
        Histogram {
            buckets: buckets
                .filter(|(_, (before, after))| after > before)
                .map(|(bucket, (before, after))| (ns(histogram::upper_bound(bucket)), after - before))
                .collect(),
            censored,
            max_ns: ns(self
                .memory
                .blocks()
                .map(|block| block.own.longest_wait.load(Relaxed))
                .max()
                .unwrap_or(0)),
        }
    }
}

fn tasks(memory: &Memory, pid: i32) -> Vec<Task> {
    memory.blocks().map(|block| Task::read(pid, block.env.tid.load(Relaxed))).collect()
}
