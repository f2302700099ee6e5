//! The timeslice that the kernel gives two busy threads on one pCPU.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::measure::at_once;
use crate::topology::{PuIndex, pin_current};

const LENGTH: Duration = Duration::from_millis(100);
/// A gap this long between two looks at the clock is the other thread's timeslice, not an interrupt.
const SHORTEST: Duration = Duration::from_micros(300);

/// Lower quartile of the gaps in nanoseconds: a third thread on the pCPU only makes gaps longer. None if the threads could
/// not be pinned or there were no gaps; an error if no threads could be started.
pub fn measure_ns(pcpu: u32) -> io::Result<Option<f64>> {
    let stop = AtomicBool::new(false);
    let watch = || {
        pin_current(PuIndex(pcpu)).is_bound().then_some(())?;
        let mut gaps = Vec::new();
        let began = Instant::now();
        let mut last = began;
        while !stop.load(Ordering::Relaxed) && began.elapsed() < LENGTH {
            let now = Instant::now();
            if now - last > SHORTEST {
                gaps.push((now - last).as_nanos() as f64);
            }
            last = now;
        }
        stop.store(true, Ordering::Relaxed);
        Some(gaps)
    };
    let (this, other) = at_once(watch, watch, || stop.store(true, Ordering::Relaxed))?;
    let (Some(mut gaps), Some(others)) = (this.flatten(), other.flatten()) else { return Ok(None) };
    gaps.extend(others);
    gaps.sort_by(f64::total_cmp);
    Ok(gaps.get(gaps.len() / 4).copied())
}
