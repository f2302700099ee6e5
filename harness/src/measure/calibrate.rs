//! Elementary costs of this processor, with which times are converted into loop counts and back.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use lockbench_reports::record::Calibration;
use lockbench_workloads::work;

use super::clocks::Clocks;

/// Measures everything but the timeslice; takes about 20 ms.
pub fn calibrate() -> Calibration {
    let word = AtomicU32::new(0);
    Calibration {
        pause_ns: per_iteration(10_000, |n| (0..n).for_each(|_| std::hint::spin_loop())),
        spin_ns: per_iteration(10_000, |n| {
            for _ in 0..n {
                if black_box(&word).load(Ordering::Acquire) == 1 {
                    break;
                }
                std::hint::spin_loop();
            }
        }),
        work_ns: per_iteration(100_000, |n| {
            black_box(work::burn_apart(black_box(1), n));
        }),
        ticks_per_ns: ticks_per_ns(),
        slice_ns: 0.0,
    }
}

/// The fastest of many runs: a disturbance can only make a run longer.
fn per_iteration(iterations: u32, run: impl Fn(u32)) -> f64 {
    let time = |_| {
        let began = Instant::now();
        run(iterations);
        began.elapsed().as_nanos() as f64 / f64::from(iterations)
    };
    (0..12).map(time).fold(f64::INFINITY, f64::min)
}

fn ticks_per_ns() -> f64 {
    let before = Clocks::read();
    std::thread::sleep(Duration::from_millis(10));
    before.ticks_per_ns(&Clocks::read())
}
