//! How far apart two pCPUs are at this moment: a cache line bounced between them.
//!
//! Under a hypervisor the host moves pCPUs apart for seconds at a time, unseen by steal, and the rate of a contended
//! lock follows. So each window that uses two pCPUs stands between two of these.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::topology::{PuIndex, pin_current};

const LENGTH: Duration = Duration::from_millis(3);
/// Where something else holds a pCPU for most of that, a few batches more.
const LONGEST: Duration = Duration::from_millis(12);
const FEWEST: usize = 8;
/// Round trips timed together: many enough that reading the clock does not show.
const BATCH: u32 = 32;

#[repr(align(128))]
struct Ball(AtomicU32);

const OVER: u32 = u32::MAX;

/// Median round trip of a cache line between two pCPUs over 3 ms, in nanoseconds. None if a thread could not be pinned.
pub fn round_trip_ns((here, there): (u32, u32)) -> Option<f64> {
    let ball = Ball(AtomicU32::new(0));
    std::thread::scope(|scope| {
        let far = scope.spawn(|| {
            let pinned = pin_current(PuIndex(there)).is_bound();
            let mut expected = 1;
            loop {
                let seen = ball.0.load(Ordering::Relaxed);
                if seen == OVER {
                    return pinned;
                }
                if seen == expected {
                    ball.0.store(expected + 1, Ordering::Relaxed);
                    expected += 2;
                }
                std::hint::spin_loop();
            }
        });
        let near = scope.spawn(|| {
            let pinned = pin_current(PuIndex(here)).is_bound();
            let mut batches = Vec::new();
            let mut turn = 0;
            let began = Instant::now();
            while began.elapsed() < LENGTH || (batches.len() < FEWEST && began.elapsed() < LONGEST) {
                let batch = Instant::now();
                for _ in 0..BATCH {
                    ball.0.store(turn + 1, Ordering::Relaxed);
                    while ball.0.load(Ordering::Relaxed) != turn + 2 {
                        std::hint::spin_loop();
                    }
                    turn += 2;
                }
                batches.push(batch.elapsed().as_nanos() as f64 / f64::from(BATCH));
            }
            ball.0.store(OVER, Ordering::Relaxed);
            pinned.then_some(batches)
        });
        let batches = near.join().ok().flatten()?;
        far.join().ok()?.then(|| lockbench_reports::statistics::median(&batches)).flatten()
    })
}
