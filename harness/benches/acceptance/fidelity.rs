//! The harness' own cost: the worker compared with a bare loop over the same lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use lockbench::api::{Code, Ctx, Event, Params, Platform, RawLock, Tas, Ticket};
use lockbench::topology::{PuIndex, pin_current};
use lockbench_reports::statistics;

use crate::program;
use crate::report;

const ROUNDS: usize = 15;

/// A vCPU that counts and probes nothing.
struct Nothing;

impl Platform for Nothing {
    const CODE: Code = Code::Bare;
    fn relax(&self) {
        std::hint::spin_loop();
    }
    fn halt(&self) {}
    fn kick(&self, _: usize) {}
    fn is_preempted(&self, _: usize) -> bool {
        false
    }
    fn now(&self) -> u64 {
        0
    }
    fn node_of(&self, _: usize) -> usize {
        0
    }
    fn add(&self, _: Event, _: u64) {}
}

#[repr(align(128))]
struct Line<T>(T);

/// Acquisitions per second of a bare loop: acquire, update the counter, count the operation, release.
#[inline(never)]
fn bare<L: RawLock>() -> f64 {
    let params = Params { vcpus: 1, ..Params::default() };
    let lock = Line(L::new::<Nothing>(&params));
    let blocks = [L::PerVcpu::default()];
    let ctx = Ctx::<L, _>::over(0, &blocks, &params, Nothing);
    let (counter, operations) = (Line(AtomicU64::new(0)), Line(AtomicU64::new(0)));
    let (counter, operations) = (std::hint::black_box(&counter), std::hint::black_box(&operations));
    let began = Instant::now();
    let mut acquisitions = 0_u64;
    while began.elapsed() < Duration::from_millis(100) {
        for _ in 0..100_000 {
            lock.0.acquire(&ctx);
            counter.0.store(counter.0.load(Relaxed) + 1, Relaxed);
            operations.0.store(operations.0.load(Relaxed) + 1, Relaxed);
            lock.0.release(&ctx);
        }
        acquisitions += 100_000;
    }
    acquisitions as f64 / began.elapsed().as_secs_f64()
}

fn worker(lock: &str, probe: &str) -> f64 {
    let options = format!(
        "--locks {lock} --envs native --vcpus 1 --workloads empty --rounds 1 --probe {probe} --pcpus 0"
    );
    program::rate(&program::run(&options)["cells"][0])
}

fn against_bare<L: RawLock>(lock: &str) {
    let mut ratios = Vec::new();
    let mut prices = Vec::new();
    for round in 0..ROUNDS {
        // Alternating order, so that a drift of the machine favours neither.
        let (bare, off) = if round % 2 == 0 {
            let bare = bare::<L>();
            (bare, worker(lock, "off"))
        } else {
            let off = worker(lock, "off");
            (bare::<L>(), off)
        };
        ratios.push(off / bare);
        prices.push((worker(lock, "count"), off));
    }
    let show = |ratios: &[f64]| {
        let interval = statistics::interval(ratios).expect("ratios");
        (format!("{:.3} ({:.3}-{:.3})", interval.median, interval.low, interval.high), interval.median)
    };
    let (figure, median) = show(&ratios);
    report(
        &format!("{lock}, 1 vCPU, empty: worker without probe : bare loop"),
        figure,
        ">= 0.95",
        median >= 0.95,
    );
    let (figure, median) = show(&prices.iter().map(|(count, off)| count / off).collect::<Vec<_>>());
    let (price_ns, _) = show(&prices.iter().map(|(count, off)| 1e9 / count - 1e9 / off).collect::<Vec<_>>());
    report(
        &format!("{lock}, 1 vCPU, empty: counting probe : no probe, {price_ns} ns a pair"),
        figure,
        ">= 0.95",
        median >= 0.95,
    );
}

pub(crate) fn report_all() {
    // The bare loop on the CPU that the worker is given; the program then may only use that one, which is what it needs.
    std::thread::spawn(|| {
        assert!(pin_current(PuIndex(0)).is_bound(), "CPU 0 cannot be had");
        against_bare::<Ticket>("ticket");
        against_bare::<Tas>("tas");
    })
    .join()
    .expect("fidelity");
}
