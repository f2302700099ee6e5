//! CPU quotas: visible ones, and hidden ones by their effect.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use lockbench_reports::format;
use rustix::time::{ClockId, Timespec, clock_gettime};

use super::Finding;
use crate::measure::idle;
use crate::suite::Session;
use crate::system::quota::in_words;
use crate::topology::{PuIndex, pin_current};

const WHAT: &str = "CPU quota";
/// Some periods of a quota, which is 100 ms by default.
const WATCH: Duration = Duration::from_millis(400);
/// Time in which all threads reach their CPUs.
const SETTLING: Duration = Duration::from_millis(40);
/// The threads end after this time even if they were not told to stop.
const LONGEST: Duration = Duration::from_secs(10);
/// Part of the time that threads run on CPUs that they have to themselves.
const BUSY: f64 = 0.9;

pub(super) fn finding(session: &Session) -> Finding {
    let cpus = session.topology.pus.len();
    let Some(quota) = &session.machine.cpu_quota else { return unseen(session) };
    let found = format!("{}, of {cpus} usable; {}", in_words(quota), quota.source);
    if quota.cpus >= cpus as f64 {
        Finding::fine(WHAT, found)
    } else if quota.cpus >= 2.0 {
        Finding::care(
            WHAT,
            found,
            "cells that keep more CPUs than that busy are throttled; raise the quota, or give --pcpus",
        )
    } else {
        Finding::unfit(
            WHAT,
            found,
            "two vCPUs that contend are throttled by it; raise the quota, or run outside of this container",
        )
    }
}

/// Looks for a hidden quota, by threads that never sleep.
fn unseen(session: &Session) -> Finding {
    let pcpus: Vec<u32> = session.topology.pus.iter().map(|pu| pu.os_index.0).collect();
    match spin(&pcpus) {
        Some(Spun { idled: Some(idled), .. }) => Finding::unfit(
            WHAT,
            format!(
                "inferred: none is in sight, but a CPU idled for {} of {} ms while a thread that never sleeps was pinned to it, \
                 as a quota above this control group makes it",
                format::duration(idled.as_nanos() as f64),
                WATCH.as_millis()
            ),
            "run outside of this container, or without its limit of CPUs",
        ),
        _ if !session.quotas.hidden() => Finding::fine(WHAT, "none"),
        Some(Spun { share, .. }) if share > BUSY => Finding::fine(
            WHAT,
            "none in sight; control groups above this container's are hidden, but threads that never sleep kept every CPU busy",
        ),
        _ => Finding::care(
            WHAT,
            "none in sight, but control groups above this container's are hidden, and whether one has a quota could not be told: \
             something else used the CPUs",
            "look again on an idle machine",
        ),
    }
}

/// How threads that never sleep ran, one on each CPU.
struct Spun {
    /// The longest time for which a CPU idled all the same, if any did.
    idled: Option<Duration>,
    /// Part of the time that they ran, from 0 to 1.
    share: f64,
}

/// Spins on every one of these CPUs at once. None if that could not be done.
fn spin(pcpus: &[u32]) -> Option<Spun> {
    let stop = AtomicBool::new(false);
    let began = Instant::now();
    let spin = |pcpu: u32| {
        let pinned = pin_current(PuIndex(pcpu)).is_bound();
        while !stop.load(Relaxed) && began.elapsed() < LONGEST {
            std::hint::spin_loop();
        }
        pinned.then(|| clock_gettime(ClockId::ThreadCPUTime))
    };
    thread::scope(|scope| {
        let start = |&pcpu: &u32| thread::Builder::new().spawn_scoped(scope, move || spin(pcpu));
        let started: Vec<_> = pcpus.iter().map(start).collect();
        thread::sleep(SETTLING);
        let before = idle::ticks(pcpus);
        thread::sleep(WATCH);
        // This thread, too, wakes late where a quota holds it back; the others spin until it has looked.
        let idled = idle::since(before.as_deref(), pcpus);
        let spun = began.elapsed();
        stop.store(true, Relaxed);
        let ran = started.into_iter().map(|thread| thread.ok()?.join().ok()?);
        let ran: Vec<Timespec> = ran.collect::<Option<_>>()?;
        let ran: f64 = ran.iter().map(|time| time.tv_sec as f64 + time.tv_nsec as f64 / 1e9).sum();
        (spun < LONGEST).then(|| Spun {
            idled: idled.into_iter().flatten().flatten().max(),
            share: ran / (spun.as_secs_f64() * pcpus.len() as f64),
        })
    })
}
