//! Takes one window: start, place, warm up, sample, kill, check.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use lockbench_reports::record::{Measured, Outcome, Purpose, Start};
use lockbench_workloads::ticks;

use super::Placer;
use super::distances::{self, Distances};
use super::guest::{Guest, skipped};
use super::hypervised::Planned;
use super::limited::Limited;
use super::neighbours::Neighbours;
use super::process::{ChildEnd, Process};
use super::sample::Sample;
use super::watch::Watch;
use super::window::{Threads, Window};
use super::{WindowSpec, exclusion, hypervised, kept, trace};
use crate::arena::Memory;
use crate::measure::futex;
use crate::protocol::ChildReport;
use crate::{Quotas, Refusal, Registry};

/// A window was cut short by Ctrl-C: nothing to record.
#[derive(Debug)]
pub struct Interrupted;

/// What a window needs besides its spec.
pub struct Bench<'a> {
    /// Pins threads and binds memory.
    pub placer: &'a Placer,
    /// Every lock by name.
    pub registry: &'a Registry,
    /// CPU quotas that hold for this process.
    pub quotas: &'a Quotas,
}

/// A window that was taken.
#[derive(Debug)]
pub struct Taken {
    /// How it ended.
    pub outcome: Outcome,
    /// Time spent inside warm-ups, windows and ping-pongs, the repeated ones too.
    pub measuring_ns: u64,
}

/// Takes a window between two ping-pongs. Repeats it once if the pCPUs moved in between or something else disturbed it.
pub fn measure(spec: &WindowSpec, bench: &Bench<'_>) -> Result<Taken, Interrupted> {
    let pairs = spec.pairs();
    let mut measuring_ns = 0;
    for attempt in 0.. {
        let before = Distances::look(&pairs);
        let mut outcome = take(spec, bench)?;
        let after = Distances::look(&pairs);
        measuring_ns += before.took_ns + after.took_ns;
        if let Outcome::Measured(measured) = &mut outcome {
            measuring_ns += measured.warmup_ns + measured.window_ns;
            distances::enter(measured, &pairs, &before, &after);
            if !measured.undisturbed() && attempt == 0 {
                continue;
            }
        }
        return Ok(Taken { outcome, measuring_ns });
    }
    unreachable!("the loop returns from its second pass at the latest")
}

fn take(spec: &WindowSpec, bench: &Bench<'_>) -> Result<Outcome, Interrupted> {
    match run(spec, bench) {
        Ok(outcome) => Ok(outcome),
        Err(ChildEnd::Interrupted) => Err(Interrupted),
        Err(ChildEnd::Reported(ChildReport::Skipped(Refusal { reason, passing }))) => {
            Ok(Outcome::Skipped { reason, passing })
        }
        Err(ChildEnd::Reported(ChildReport::Crashed(reason))) => Ok(Outcome::Crashed { reason }),
        Err(ChildEnd::Reported(ChildReport::Ready)) => {
            Ok(Outcome::Crashed { reason: "the cell's process got out of step with its parent".into() })
        }
    }
}

fn run(spec: &WindowSpec, bench: &Bench<'_>) -> Result<Outcome, ChildEnd> {
    let planned = Planned::of(spec).map_err(skipped)?;
    let board = planned.as_ref().map(Planned::board);
    let mut neighbours = Neighbours::start(spec, bench, board)?;
    // Older than the process, so that it is dropped after it.
    let mut limited = Limited::make(spec, bench.quotas).map_err(skipped)?;
    let guest = Guest::start(spec, bench, board)?;
    if let Some(limited) = &limited {
        limited.admit(guest.process.pid()).map_err(skipped)?;
    }
    let start = |planned: Planned| planned.start(spec, &guest, &neighbours);
    let mut schedule = planned.map(start).transpose().map_err(skipped)?;
    let Guest { lock, memory, mut process, threads, mut placed, lies, digger: _digger } = guest;

    let mut watch = Watch::start(spec, bench, process.pid(), &threads);
    neighbours.open_gates();
    open_gate(&memory, spec, &mut process)?;
    let warmup_began = Instant::now();
    let halfway = warmup_began + Duration::from_nanos(spec.warmup_ns / 2);
    process.sleep_until(halfway)?;
    let half = Sample::take(&memory, None).total();
    process.sleep_until(warmup_began + Duration::from_nanos(spec.warmup_ns))?;

    if !spec.moved_from.is_empty() {
        placed = bench.placer.place_vcpus(&threads, spec, &spec.axes.pcpus).map_err(skipped)?;
    }
    watch.open();
    neighbours.open();
    if let Some(limited) = &mut limited {
        limited.open();
    }
    let began = schedule.as_mut().map_or_else(ticks, hypervised::Running::open);
    let mut window = Window::open(spec, &memory, lock.family, Threads { pid: process.pid(), threads });
    let opened = window.opened();
    let outcome = window.sample(&mut process, &mut watch, half)?;
    let between = kept::Between { opened: began, closed: ticks() };
    if let Some(schedule) = &mut schedule {
        schedule.over();
    }
    let mut closed = window.close();
    // If the process died meanwhile, the last figures are those of a dead process.
    process.check()?;
    watch.close(&mut closed);
    let mut measured = closed.measured;
    neighbours.close(spec, &mut measured)?;
    measured.quota = limited.as_ref().map(Limited::close);
    if let Some(schedule) = schedule {
        schedule.close(spec, between, &mut measured).map_err(skipped)?;
    }
    // The process is killed before the check: only then does the counter stand still.
    let killed = Instant::now();
    process.end()?;
    neighbours.end()?;
    let closing_ns = killed.elapsed().as_nanos() as u64;
    if let Some(hung) = outcome {
        return Ok(hung);
    }
    if spec.purpose == Purpose::Trace
        && let Some(causes) = &mut measured.causes
    {
        causes.trace = trace::worst_handover(&memory, opened, spec.ticks_per_ns);
    }
    Ok(match exclusion::violation(&memory) {
        None => Outcome::Measured(Measured {
            placed: if measured.disturbed.is_some() { Vec::new() } else { placed },
            memory_nodes: lies.nodes,
            residence: lies.residence,
            notes: lies.notes,
            exclusion_checked: !memory.plan().alone,
            closing_ns,
            ..measured
        }),
        Some(reason) => Outcome::Broken { reason },
    })
}

/// Opens the gate, and waits until all vCPUs are in their loops.
fn open_gate(memory: &Memory, spec: &WindowSpec, process: &mut Process) -> Result<(), ChildEnd> {
    let gate = memory.gate();
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

fn wait_until(process: &mut Process, deadline: Instant, done: impl Fn() -> bool) -> Result<(), ChildEnd> {
    let mut pause = Duration::from_micros(50);
    while !done() && Instant::now() < deadline {
        process.sleep_until(Instant::now() + pause)?;
        pause = (pause * 2).min(Duration::from_millis(5));
    }
    Ok(())
}
