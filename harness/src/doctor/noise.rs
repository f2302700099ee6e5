//! What must be felt: whether pCPUs are taken away, and whether they stay where they are.

use std::time::{Duration, Instant};

use lockbench_reports::format;

use super::Finding;
use crate::measure::ping_pong;
use crate::topology::{PuIndex, pin_current};

const WATCH: Duration = Duration::from_millis(300);
/// Longer than any interrupt on a healthy machine.
const GAP: Duration = Duration::from_micros(100);
/// Ping-pongs, 100 ms apart.
const PING_PONGS: usize = 8;

pub(super) fn examine(pcpus: &[PuIndex]) -> Vec<Finding> {
    let mut findings = vec![stolen(pcpus)];
    if let [first, second, ..] = pcpus {
        findings.extend(apart(*first, *second));
    }
    findings
}

/// Spins on each of the first pCPUs in turn and looks for time that is missing.
fn stolen(pcpus: &[PuIndex]) -> Finding {
    let mut missing = Duration::ZERO;
    let mut longest = Duration::ZERO;
    let watched = &pcpus[..pcpus.len().min(4)];
    for &pcpu in watched {
        let gaps = std::thread::spawn(move || {
            let _ = pin_current(pcpu);
            let began = Instant::now();
            let (mut last, mut sum, mut longest) = (began, Duration::ZERO, Duration::ZERO);
            while began.elapsed() < WATCH {
                let now = Instant::now();
                if now - last > GAP {
                    sum += now - last;
                    longest = longest.max(now - last);
                }
                last = now;
            }
            (sum, longest)
        });
        let (sum, gap) = gaps.join().unwrap_or_default();
        missing += sum;
        longest = longest.max(gap);
    }
    let share = missing.as_secs_f64() / (WATCH.as_secs_f64() * watched.len() as f64);
    let found = format!(
        "{:.1} % of a spinning thread's time was taken, {} at the longest",
        100.0 * share,
        format::duration(longest.as_nanos() as f64)
    );
    match share {
        s if s > 0.10 => {
            Finding::unfit("time taken away", found, "something else runs on these CPUs, here or on the host")
        }
        s if s > 0.01 => Finding::care("time taken away", found, "look for timers, daemons or a busy host"),
        _ => Finding::fine("time taken away", found),
    }
}

/// How far apart two pCPUs are, and whether that changes while one looks.
fn apart(first: PuIndex, second: PuIndex) -> Option<Finding> {
    let mut trips = Vec::new();
    for _ in 0..PING_PONGS {
        trips.push(ping_pong::round_trip_ns((first.0, second.0))?);
        std::thread::sleep(Duration::from_millis(100));
    }
    let nearest = trips.iter().copied().fold(f64::INFINITY, f64::min);
    let farthest = trips.iter().copied().fold(0.0, f64::max);
    let found = format!("CPUs {first} and {second}: {nearest:.0} to {farthest:.0} ns a round trip");
    Some(if farthest > 1.5 * nearest {
        let advice = "the host moves pCPUs; windows are classed by this, so take more rounds";
        Finding::care("distance of two CPUs", found, advice)
    } else {
        Finding::fine("distance of two CPUs", found)
    })
}
