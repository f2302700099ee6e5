//! The times that one vCPU has booked, and their change over a window.

use std::sync::atomic::Ordering::Relaxed;

use lockbench_reports::record::{Histogram, VcpuCauses};
use lockbench_reports::statistics::Waits;
use lockbench_workloads::Phase;
use lockbench_workloads::histogram;
use lockbench_workloads::traced::{Longest, Times, Traced};

use super::counters::load_all;

/// How long something took and when it ended, both in nanoseconds; the end counts from the window's opening.
pub(super) type TookAndEnded = (u64, u64);

/// Counts and ticks of one vCPU, or of several together.
#[derive(Default)]
pub(super) struct Booked {
    pub(super) acquire: Vec<u64>,
    pub(super) hold: Vec<u64>,
    pub(super) handover: Vec<u64>,
    pub(super) wake: Vec<u64>,
    pub(super) reacquire: Vec<u64>,
    gaps: Vec<u64>,
    pub(super) gap_ticks: u64,
    pub(super) handovers: u64,
    pub(super) granted_off: u64,
    pub(super) granted_off_ticks: u64,
    pub(super) spins_before_halt: u64,
}

impl Booked {
    /// All that the vCPU has booked so far.
    pub(super) fn read(vcpu: &Traced) -> Self {
        let times = |times: &Times| load_all(&times.0);
        Self {
            acquire: times(&vcpu.acquire),
            hold: times(&vcpu.hold),
            handover: times(&vcpu.handover),
            wake: times(&vcpu.wake),
            reacquire: times(&vcpu.reacquire),
            gaps: load_all(&vcpu.gaps),
            gap_ticks: vcpu.gap_ticks.load(Relaxed),
            handovers: vcpu.handovers.load(Relaxed),
            granted_off: vcpu.granted_off.load(Relaxed),
            granted_off_ticks: vcpu.granted_off_ticks.load(Relaxed),
            spins_before_halt: vcpu.spins_before_halt.load(Relaxed),
        }
    }

    /// What was booked since `earlier`.
    pub(super) fn since(mut self, earlier: &Self) -> Self {
        self.each(earlier, u64::saturating_sub);
        self
    }

    /// Adds what another vCPU booked.
    pub(super) fn add(&mut self, other: &Self) {
        self.each(other, u64::saturating_add);
    }

    /// Number of gaps in a phase.
    pub(super) fn gaps_in(&self, phase: Phase) -> u64 {
        self.gaps.get(phase as usize).copied().unwrap_or(0)
    }

    fn each(&mut self, other: &Self, merge: fn(u64, u64) -> u64) {
        let lists = [
            (&mut self.acquire, &other.acquire),
            (&mut self.hold, &other.hold),
            (&mut self.handover, &other.handover),
            (&mut self.wake, &other.wake),
            (&mut self.reacquire, &other.reacquire),
            (&mut self.gaps, &other.gaps),
        ];
        for (own, other) in lists {
            own.resize(other.len(), 0);
            own.iter_mut().zip(other).for_each(|(own, other)| *own = merge(*own, *other));
        }
        let counts = [
            (&mut self.gap_ticks, other.gap_ticks),
            (&mut self.handovers, other.handovers),
            (&mut self.granted_off, other.granted_off),
            (&mut self.granted_off_ticks, other.granted_off_ticks),
            (&mut self.spins_before_halt, other.spins_before_halt),
        ];
        counts.into_iter().for_each(|(own, other)| *own = merge(*own, other));
    }
}

/// Converts ticks into nanoseconds.
pub(super) struct Scale {
    pub(super) ticks_per_ns: f64,
    /// When the window opened.
    pub(super) opened: u64,
    /// When it ended.
    pub(super) now: u64,
}

impl Scale {
    pub(super) fn ns(&self, ticks: u64) -> u64 {
        (ticks as f64 / self.ticks_per_ns).ceil() as u64
    }

    /// A histogram for the record. The longest time is only known to within its bucket.
    pub(super) fn times(&self, counts: &[u64]) -> Histogram {
        let buckets = buckets(counts, |bucket| self.ns(histogram::upper_bound(bucket)));
        let max_ns = buckets.last().map_or(0, |(upper, _)| *upper);
        Histogram { buckets, censored: Vec::new(), max_ns }
    }

    fn ended(&self, longest: &Longest) -> TookAndEnded {
        let at = longest.at.load(Relaxed).saturating_sub(self.opened);
        (self.ns(longest.ticks.load(Relaxed)), self.ns(at))
    }
}

/// The buckets that are not empty, each with the value that it stands for.
pub(super) fn buckets(counts: &[u64], of: impl Fn(usize) -> u64) -> Vec<(u64, u64)> {
    let filled = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    filled.map(|(bucket, count)| (of(bucket), *count)).collect()
}

/// A vCPU's part of the causes, from what it gained over the window.
pub(super) fn vcpu_causes(
    vcpu: &Traced,
    gained: &Booked,
    preempted: impl Fn(Phase) -> u64,
    scale: &Scale,
) -> VcpuCauses {
    let (mut acquire_max_ns, mut acquire_max_at_ns) = scale.ended(&vcpu.longest_wait);
    let (hold_max_ns, hold_max_at_ns) = scale.ended(&vcpu.longest_hold);
    let (handover_max_ns, handover_max_at_ns) = scale.ended(&vcpu.longest_handover);
    let percentiles = |counts: &[u64], max_ns: u64| {
        let waits = Waits::of([&Histogram { max_ns, ..scale.times(counts) }]);
        [0.5, 0.99].map(|quantile| waits.percentile(quantile).map(|found| found.ns as u64))
    };
    let [acquire_p50_ns, acquire_p99_ns] = percentiles(&gained.acquire, acquire_max_ns);
    let [hold_p50_ns, hold_p99_ns] = percentiles(&gained.hold, hold_max_ns);
    let [handover_p50_ns, handover_p99_ns] = percentiles(&gained.handover, handover_max_ns);
    // A vCPU that still waits may have waited longest of all.
    let waiting = vcpu.wait_since.load(Relaxed);
    let waited_ns = if waiting == 0 { 0 } else { scale.ns(scale.now.saturating_sub(waiting)) };
    let acquire_max_at_least = waited_ns > acquire_max_ns;
    if acquire_max_at_least {
        (acquire_max_ns, acquire_max_at_ns) = (waited_ns, scale.ns(scale.now.saturating_sub(scale.opened)));
    }
    VcpuCauses {
        acquire_p50_ns,
        acquire_p99_ns,
        acquire_max_ns,
        acquire_max_at_least,
        acquire_max_at_ns,
        hold_p50_ns,
        hold_p99_ns,
        hold_max_ns,
        hold_max_at_ns,
        handover_p50_ns,
        handover_p99_ns,
        handover_max_ns,
        handover_max_at_ns,
        preempted_holding: preempted(Phase::Holding),
        preempted_waiting: preempted(Phase::Waiting),
        granted_off: gained.granted_off,
        granted_off_ns: scale.ns(gained.granted_off_ticks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gained_adds_up() {
        let booked =
            |hold: u64, handovers: u64| Booked { hold: vec![1, hold], handovers, ..Booked::default() };
        let mut total = Booked::default();
        total.add(&booked(5, 7).since(&booked(2, 3)));
        total.add(&booked(1, 9).since(&booked(4, 8)));
        assert_eq!(
            (total.hold, total.handovers),
            (vec![0, 3], 5),
            "nothing is ever lost, least of all twice"
        );
    }
}
